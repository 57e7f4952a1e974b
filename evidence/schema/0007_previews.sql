-- First stills, shown while a clip is still being derived. Not evidence: nothing vouches for them but the worker that made
-- them, the derivation on record replaces them, and they may be deleted at any time. A row explains its object to the audit.
CREATE TABLE clip_preview (
    clip       uuid NOT NULL,
    sha256     bytea NOT NULL CHECK (octet_length(sha256) = 32),
    size       bigint NOT NULL CHECK (size > 0),
    media_type text NOT NULL,
    made_at    timestamptz NOT NULL,
    PRIMARY KEY (clip, sha256)
);
CREATE INDEX clip_preview_by_sha256 ON clip_preview (sha256);
