-- What audits named of clips, so that the search can ask for it (evidence/audit/clip_store.py). Not evidence: it is what
-- the newest audit said, and the next one says it again. `resolved_at` is when an audit did not name it any more.
CREATE TABLE clip_finding (
    clip        uuid NOT NULL,
    code        text NOT NULL,
    subject     text NOT NULL,
    severity    text NOT NULL CHECK (severity IN ('warning', 'error')),
    message     text NOT NULL,
    first_at    timestamptz NOT NULL,
    last_at     timestamptz NOT NULL,
    resolved_at timestamptz,
    PRIMARY KEY (clip, code, subject)
);
CREATE INDEX clip_finding_open ON clip_finding (code, clip) WHERE resolved_at IS NULL;
