-- Redacted copies that were asked for: who may make one, for how long, how often it was tried, how it ended.
CREATE TABLE redaction_job (
    redaction   uuid PRIMARY KEY,
    clip        uuid NOT NULL,
    actor       text NOT NULL,
    content     text,                                 -- what is to be changed and why, as JSON; gone when it is done with
    state       text NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'refused')),
    attempts    smallint NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    lease       uuid,                                 -- token of the worker whose result will be taken
    lease_until timestamptz,
    due_at      timestamptz NOT NULL,
    code        text,                                 -- why it was refused
    reason      text,                                 -- why it was refused, or why the last attempt failed
    entry_id    uuid,
    sha256      bytea CHECK (octet_length(sha256) = 32),
    size        bigint CHECK (size > 0),
    media_type  text,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    CHECK ((state = 'running') = (lease IS NOT NULL AND lease_until IS NOT NULL)),
    CHECK ((state IN ('waiting', 'running')) = (content IS NOT NULL)),
    CHECK ((state = 'refused') = (code IS NOT NULL)),
    CHECK ((state = 'done') = (entry_id IS NOT NULL AND sha256 IS NOT NULL AND size IS NOT NULL
                               AND media_type IS NOT NULL))
);
CREATE INDEX redaction_job_unfinished ON redaction_job (due_at) WHERE state IN ('waiting', 'running');
