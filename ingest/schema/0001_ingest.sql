-- State of work under way. Nothing here is evidence: when these tables are lost, sealed clips stay whole and provable.

CREATE TABLE upload (
    id           uuid PRIMARY KEY,
    actor        text NOT NULL,
    spool        uuid NOT NULL,                       -- the spool folder, and so the host, that holds the bytes
    length       bigint CHECK (length > 0),           -- NULL until a deferred length is declared
    offset_bytes bigint NOT NULL DEFAULT 0 CHECK (offset_bytes BETWEEN 0 AND coalesce(length, offset_bytes)),
    metadata     jsonb NOT NULL,                      -- as the client gave it, for HEAD
    state        text NOT NULL CHECK (state IN ('open', 'complete', 'sealed', 'quarantined', 'terminated')),
    writer       uuid,                                -- the one request that may move offset_bytes

    -- Where the file comes from, settled at creation.
    name         text NOT NULL,
    path         text NOT NULL,
    raw          boolean NOT NULL,
    recorder     text,
    dock         uuid,
    inventory    uuid,
    recorded_at  timestamptz,
    officer      text,
    key_mark     boolean NOT NULL,

    -- Intent to seal, written before the bytes change their name: all that is needed to finish after a crash.
    sha256       bytea CHECK (octet_length(sha256) = 32),
    root         bytea CHECK (octet_length(root) = 32),
    manifest     text,

    -- How it ended.
    clip         uuid,
    entry        uuid,
    repeated     boolean,
    code         text,
    reason       text,

    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,

    CHECK ((dock IS NULL) = (inventory IS NULL)),
    CHECK ((sha256 IS NULL) = (root IS NULL)),
    CHECK (state NOT IN ('complete', 'sealed') OR offset_bytes = length),
    CHECK (state <> 'sealed' OR (clip IS NOT NULL AND entry IS NOT NULL AND repeated IS NOT NULL))
);
CREATE INDEX upload_unfinished ON upload (spool, state) WHERE state IN ('open', 'complete');

CREATE TABLE derivation_job (
    clip        uuid PRIMARY KEY,
    sha256      bytea NOT NULL CHECK (octet_length(sha256) = 32),
    state       text NOT NULL CHECK (state IN ('waiting', 'running', 'done')),
    attempts    smallint NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    lease       uuid,                                 -- token of the worker whose result will be taken
    lease_until timestamptz,
    due_at      timestamptz NOT NULL,
    outcome     text,
    reason      text,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    CHECK ((state = 'running') = (lease IS NOT NULL AND lease_until IS NOT NULL)),
    CHECK ((state = 'done') = (outcome IS NOT NULL))
);
CREATE INDEX derivation_job_unfinished ON derivation_job (due_at) WHERE state <> 'done';
