-- Packages that leave the house: who asked, what went on record, links for counsel and their uses.

-- The clips of a package, from `case.exported` or `clips.exported`: the custody history of a clip finds its exports here.
CREATE TABLE export_clip (
    entry_id uuid NOT NULL,
    clip     uuid NOT NULL,
    export   uuid NOT NULL,
    PRIMARY KEY (entry_id, clip)
);
CREATE INDEX export_clip_by_clip ON export_clip (clip, entry_id);
CREATE INDEX export_clip_by_export ON export_clip (export);

-- A link that a named person may fetch a package by, a number of times until a time; the secret itself is kept nowhere.
CREATE TABLE export_link (
    link          uuid PRIMARY KEY,
    export        uuid NOT NULL,
    recipient     text NOT NULL,
    purpose       text NOT NULL,
    secret_sha256 bytea NOT NULL CHECK (octet_length(secret_sha256) = 32),
    expires_at    timestamptz NOT NULL,
    uses_max      integer NOT NULL CHECK (uses_max > 0),
    shared_by     text NOT NULL,
    shared_at     timestamptz NOT NULL,
    entry_id      uuid NOT NULL UNIQUE
);
CREATE INDEX export_link_by_export ON export_link (export, link);

CREATE TABLE export_link_revocation (
    link       uuid PRIMARY KEY,
    reason     text NOT NULL,
    revoked_by text NOT NULL,
    revoked_at timestamptz NOT NULL,
    entry_id   uuid NOT NULL UNIQUE
);

-- Every time somebody was handed a package, by a link or as who works here.
CREATE TABLE export_fetch (
    entry_id   uuid PRIMARY KEY,
    export     uuid NOT NULL,
    link       uuid,
    purpose    text NOT NULL,
    fetched_by text NOT NULL,
    fetched_at timestamptz NOT NULL
);
CREATE INDEX export_fetch_by_export ON export_fetch (export, entry_id);
CREATE INDEX export_fetch_by_link ON export_fetch (link);

DO $$
DECLARE
    evidential text;
BEGIN
    FOREACH evidential IN ARRAY ARRAY['export_clip', 'export_link', 'export_link_revocation', 'export_fetch'] LOOP
        EXECUTE format(
            'CREATE TRIGGER forbid_change BEFORE UPDATE OR DELETE OR TRUNCATE ON %I '
            'FOR EACH STATEMENT EXECUTE FUNCTION forbid_change()', evidential);
    END LOOP;
END $$;

-- Not evidence: packages that were asked for, how far they are, and tickets to fetch one by.
CREATE TABLE export_job (
    export          uuid PRIMARY KEY,
    actor           text NOT NULL,
    purpose         text NOT NULL,
    case_id         uuid,
    clips           uuid[] NOT NULL CHECK (cardinality(clips) > 0),
    note            bytea NOT NULL,                 -- the checkpoint as of which the record is shown
    state           text NOT NULL
                    CHECK (state IN ('waiting', 'running', 'done', 'refused', 'cancelled', 'removed')),
    attempts        smallint NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    lease           uuid,
    lease_until     timestamptz,
    due_at          timestamptz NOT NULL,
    code            text,                           -- why it was refused
    reason          text,
    entry_id        uuid,                           -- the entry that says so, made before the first byte
    manifest_sha256 bytea CHECK (octet_length(manifest_sha256) = 32),
    trace           bytea,                          -- that entry's receipt as it lies in the package
    bytes_done      bigint NOT NULL DEFAULT 0,
    bytes_total     bigint,
    size            bigint CHECK (size > 0),
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    CHECK ((state = 'running') = (lease IS NOT NULL AND lease_until IS NOT NULL)),
    CHECK ((state = 'refused') = (code IS NOT NULL)),
    CHECK (state <> 'done' OR size IS NOT NULL)
);
CREATE INDEX export_job_unfinished ON export_job (due_at) WHERE state IN ('waiting', 'running');
CREATE INDEX export_job_by_actor ON export_job (actor, export);

CREATE TABLE export_ticket (
    ticket        uuid PRIMARY KEY,
    secret_sha256 bytea NOT NULL CHECK (octet_length(secret_sha256) = 32),
    export        uuid NOT NULL,
    entry_id      uuid NOT NULL,
    expires_at    timestamptz NOT NULL
);
