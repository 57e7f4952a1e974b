-- Who may write down what is said in a clip, for how long, how often it was tried, how it ended; not evidence. `derivation`
-- is the entry whose review copy and segments are listened to.
CREATE TABLE transcription_job (
    clip        uuid PRIMARY KEY,
    derivation  uuid NOT NULL,
    state       text NOT NULL CHECK (state IN ('waiting', 'running', 'done')),
    attempts    smallint NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    lease       uuid,
    lease_until timestamptz,
    due_at      timestamptz NOT NULL,
    outcome     text CHECK (outcome IN ('transcribed', 'silent', 'failed')),
    reason      text,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    CHECK ((state = 'running') = (lease IS NOT NULL AND lease_until IS NOT NULL)),
    CHECK ((state = 'done') = (outcome IS NOT NULL))
);
CREATE INDEX transcription_job_unfinished ON transcription_job (due_at) WHERE state <> 'done';
