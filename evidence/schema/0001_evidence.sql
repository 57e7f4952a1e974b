-- The domain's tables.
--
-- Evidential tables are insert-only, and each row is a projection of one ledger payload (see evidence/DESIGN.md): nothing stands in them that cannot be derived again from custody_payload. Triggers refuse every
-- change, whoever asks; who can drop triggers is caught by the audit. There are no foreign keys between them: a check
-- would lock the row it points to, nothing is ever deleted, and the audit looks for holes anyway.
-- The tables at the foot are not evidence: they are made again from the others whenever somebody wishes.

CREATE FUNCTION forbid_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'table % is insert-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;

-- What the ledger's entries commit to. `payload` is canonical JSON, SHA-256(salt || payload) stands in the entry.
CREATE TABLE custody_payload (
    entry_id uuid PRIMARY KEY,
    type     text NOT NULL,
    actor    text NOT NULL,
    subject  text NOT NULL,
    at       timestamptz NOT NULL,
    payload  bytea NOT NULL,
    salt     bytea NOT NULL CHECK (octet_length(salt) = 32)
);
CREATE INDEX custody_payload_by_subject ON custody_payload (subject, entry_id);
CREATE INDEX custody_payload_by_actor ON custody_payload (actor, entry_id);

-- The log this database belongs to, from `log.created`.
CREATE TABLE log_identity (
    origin     text PRIMARY KEY,
    vkey       text NOT NULL,
    created_at timestamptz NOT NULL,
    entry_id   uuid NOT NULL UNIQUE
);

-- Sealed originals: one row per content, with the source it came from first.
CREATE TABLE clip (
    clip        uuid PRIMARY KEY,
    name        text NOT NULL,
    size        bigint NOT NULL CHECK (size > 0),
    chunk_size  bigint NOT NULL CHECK (chunk_size > 0),
    chunks      bigint NOT NULL CHECK (chunks > 0),
    root        bytea NOT NULL CHECK (octet_length(root) = 32),
    sha256      bytea NOT NULL UNIQUE CHECK (octet_length(sha256) = 32),
    received_at timestamptz NOT NULL,
    sealed_at   timestamptz NOT NULL,
    entry_id    uuid NOT NULL UNIQUE
);

-- Every source a content came from: the first (`clip.sealed`) and the later ones (`clip.repeated`).
CREATE TABLE clip_source (
    entry_id    uuid PRIMARY KEY,
    clip        uuid NOT NULL,
    repeated    boolean NOT NULL,
    upload      uuid NOT NULL UNIQUE,
    actor       text NOT NULL,
    name        text NOT NULL,
    path        text NOT NULL,
    raw         boolean NOT NULL,
    recorder    text,
    dock        uuid,
    inventory   uuid,
    recorded_at timestamptz,
    officer     text,
    key_mark    boolean NOT NULL,
    received_at timestamptz NOT NULL
);
CREATE INDEX clip_source_by_clip ON clip_source (clip, entry_id);
CREATE INDEX clip_source_by_place ON clip_source (dock, recorder, path);

-- What could be made of an original, one row per finished derivation; the newest one counts.
CREATE TABLE clip_derivation (
    entry_id    uuid PRIMARY KEY,
    clip        uuid NOT NULL,
    attempt     integer NOT NULL CHECK (attempt > 0),
    outcome     text NOT NULL CHECK (outcome IN ('reviewable', 'still', 'audio', 'undecodable')),
    reason      text,
    tools       jsonb NOT NULL,
    parameters  jsonb NOT NULL,
    probe       jsonb NOT NULL,
    derived_at  timestamptz NOT NULL
);
CREATE INDEX clip_derivation_by_clip ON clip_derivation (clip, entry_id);

CREATE TABLE clip_object (
    entry_id   uuid NOT NULL,
    kind       text NOT NULL,
    clip       uuid NOT NULL,
    sha256     bytea NOT NULL CHECK (octet_length(sha256) = 32),
    size       bigint NOT NULL CHECK (size > 0),
    media_type text NOT NULL,
    PRIMARY KEY (entry_id, kind)
);
CREATE INDEX clip_object_by_sha256 ON clip_object (sha256);

CREATE TABLE clip_annotation (
    clip         uuid NOT NULL,
    version      integer NOT NULL CHECK (version > 0),
    content      jsonb NOT NULL,
    annotated_by text NOT NULL,
    annotated_at timestamptz NOT NULL,
    entry_id     uuid NOT NULL UNIQUE,
    PRIMARY KEY (clip, version)
);

-- `number_key` is the number as it is compared: two spellings that only a computer tells apart are one number.
CREATE TABLE case_file (
    case_id    uuid PRIMARY KEY,
    number     text NOT NULL,
    number_key text NOT NULL UNIQUE,
    title      text NOT NULL,
    opened_by  text NOT NULL,
    opened_at  timestamptz NOT NULL,
    entry_id   uuid NOT NULL UNIQUE
);

CREATE TABLE case_clip (
    case_id   uuid NOT NULL,
    exhibit   integer NOT NULL CHECK (exhibit > 0),
    clip      uuid NOT NULL,
    linked_by text NOT NULL,
    linked_at timestamptz NOT NULL,
    entry_id  uuid NOT NULL UNIQUE,
    PRIMARY KEY (case_id, exhibit),
    UNIQUE (case_id, clip)
);
CREATE INDEX case_clip_by_clip ON case_clip (clip);

DO $$
DECLARE
    evidential text;
BEGIN
    FOREACH evidential IN ARRAY ARRAY[
        'custody_payload', 'log_identity', 'clip', 'clip_source', 'clip_derivation', 'clip_object', 'clip_annotation',
        'case_file', 'case_clip'
    ] LOOP
        EXECUTE format(
            'CREATE TRIGGER forbid_change BEFORE UPDATE OR DELETE OR TRUNCATE ON %I '
            'FOR EACH STATEMENT EXECUTE FUNCTION forbid_change()', evidential);
    END LOOP;
END $$;

-- Not evidence --------------------------------------------------------------------------------------------------------

-- Leaf hashes of an original, 32 bytes per chunk, so that a fault can be named to its chunk; the clip's root proves them.
CREATE TABLE clip_leaves (
    sha256 bytea PRIMARY KEY CHECK (octet_length(sha256) = 32),
    leaves bytea NOT NULL CHECK (octet_length(leaves) % 32 = 0)
);

-- What a clip is found by, refreshed in the transaction that changes it. `facets` holds `<name>:<value>`, `grams` every
-- character and every pair of neighbours of `haystack`, which is folded (see evidence/clips/folding.py).
CREATE TABLE search_document (
    clip        uuid PRIMARY KEY,
    received_at timestamptz NOT NULL,
    recorded_at timestamptz,
    facets      text[] NOT NULL,
    haystack    text COLLATE "C" NOT NULL,
    grams       text[] NOT NULL
);
CREATE INDEX search_document_in_order ON search_document (received_at DESC, clip DESC);
CREATE INDEX search_document_by_record_time ON search_document (recorded_at);
CREATE INDEX search_document_by_content ON search_document USING gin (facets, grams);
