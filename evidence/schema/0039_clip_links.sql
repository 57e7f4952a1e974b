-- Links by which somebody outside watches one clip: made, the marked copy, ended, uses. Evidential, one payload each.
CREATE TABLE clip_link (
    link          uuid PRIMARY KEY,
    clip          uuid NOT NULL,
    recipient     text NOT NULL,
    purpose       text NOT NULL,
    secret_sha256 bytea NOT NULL CHECK (octet_length(secret_sha256) = 32),
    expires_at    timestamptz NOT NULL,
    uses_max      integer NOT NULL CHECK (uses_max > 0),
    rendition     text NOT NULL,
    parent        bytea NOT NULL CHECK (octet_length(parent) = 32),
    from_ms       bigint,
    to_ms         bigint,
    shared_by     text NOT NULL,
    shared_at     timestamptz NOT NULL,
    entry_id      uuid NOT NULL UNIQUE
);
CREATE INDEX clip_link_by_clip ON clip_link (clip, link);

CREATE TABLE clip_link_copy (
    link     uuid PRIMARY KEY,
    sha256   bytea NOT NULL CHECK (octet_length(sha256) = 32),
    size     bigint NOT NULL CHECK (size > 0),
    entry_id uuid NOT NULL UNIQUE
);

CREATE TABLE clip_link_revocation (
    link       uuid PRIMARY KEY,
    reason     text NOT NULL,
    revoked_by text NOT NULL,
    revoked_at timestamptz NOT NULL,
    entry_id   uuid NOT NULL UNIQUE
);

CREATE TABLE clip_link_use (
    entry_id uuid PRIMARY KEY,
    link     uuid NOT NULL,
    used_at  timestamptz NOT NULL
);
CREATE INDEX clip_link_use_by_link ON clip_link_use (link);

DO $$
DECLARE
    evidential text;
BEGIN
    FOREACH evidential IN ARRAY ARRAY['clip_link', 'clip_link_copy', 'clip_link_revocation', 'clip_link_use'] LOOP
        EXECUTE format(
            'CREATE TRIGGER forbid_change BEFORE UPDATE OR DELETE OR TRUNCATE ON %I '
            'FOR EACH STATEMENT EXECUTE FUNCTION forbid_change()', evidential);
    END LOOP;
END $$;

-- Not evidence: marked copies that are to be made or are there, and tickets to watch one by.
CREATE TABLE clip_link_job (
    link        uuid PRIMARY KEY,
    state       text NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'refused', 'cancelled', 'removed')),
    attempts    smallint NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    lease       uuid,
    lease_until timestamptz,
    due_at      timestamptz NOT NULL,
    code        text,
    reason      text,
    bytes_done  bigint NOT NULL DEFAULT 0,          -- of the copy that it is made from
    bytes_total bigint,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    CHECK ((state = 'running') = (lease IS NOT NULL AND lease_until IS NOT NULL)),
    CHECK ((state = 'refused') = (code IS NOT NULL))
);
CREATE INDEX clip_link_job_unfinished ON clip_link_job (due_at) WHERE state IN ('waiting', 'running');
CREATE INDEX clip_link_job_there ON clip_link_job (link) WHERE state = 'done';

CREATE TABLE clip_link_ticket (
    ticket        uuid PRIMARY KEY,
    secret_sha256 bytea NOT NULL CHECK (octet_length(secret_sha256) = 32),
    link          uuid NOT NULL,
    entry_id      uuid NOT NULL,
    expires_at    timestamptz NOT NULL
);
CREATE INDEX clip_link_ticket_by_link ON clip_link_ticket (link);
