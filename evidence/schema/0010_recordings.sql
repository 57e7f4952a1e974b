-- Controllers of body worn systems, and recordings as they deliver them: several originals and what belongs to them.
--
-- Evidential, insert-only, a projection of one payload each, as everything in 0002_parties.sql above its line.

CREATE TABLE controller (
    controller   uuid PRIMARY KEY,
    name         text NOT NULL,
    key_sha256   bytea NOT NULL UNIQUE CHECK (octet_length(key_sha256) = 32),
    connected_at timestamptz NOT NULL,
    connected_by text NOT NULL,
    entry_id     uuid NOT NULL UNIQUE
);
CREATE TRIGGER forbid_change BEFORE UPDATE OR DELETE OR TRUNCATE ON controller
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();

CREATE TABLE controller_revocation (
    controller uuid PRIMARY KEY,
    reason     text NOT NULL,
    revoked_at timestamptz NOT NULL,
    revoked_by text NOT NULL,
    entry_id   uuid NOT NULL UNIQUE
);
CREATE TRIGGER forbid_change BEFORE UPDATE OR DELETE OR TRUNCATE ON controller_revocation
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();

CREATE TABLE recording (
    recording    uuid PRIMARY KEY,
    controller   uuid NOT NULL,
    container    text NOT NULL,
    recorder     text,
    wearer       text,
    officer      text,
    officer_name text,
    started_at   timestamptz,
    stopped_at   timestamptz,
    metadata     jsonb NOT NULL,
    sealed_at    timestamptz NOT NULL,
    entry_id     uuid NOT NULL UNIQUE,
    UNIQUE (controller, container)
);
CREATE TRIGGER forbid_change BEFORE UPDATE OR DELETE OR TRUNCATE ON recording
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();

CREATE TABLE recording_clip (
    recording  uuid NOT NULL,
    name       text NOT NULL,
    clip       uuid NOT NULL,
    sha256     bytea NOT NULL CHECK (octet_length(sha256) = 32),
    size       bigint NOT NULL CHECK (size > 0),
    started_at timestamptz,
    stopped_at timestamptz,
    metadata   jsonb NOT NULL,
    entry_id   uuid NOT NULL,
    PRIMARY KEY (recording, name)
);
CREATE INDEX recording_clip_by_clip ON recording_clip (clip);
CREATE TRIGGER forbid_change BEFORE UPDATE OR DELETE OR TRUNCATE ON recording_clip
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();

-- What came beside the originals: bookmarks, trails, keys, checksums. A bookmark may have no bytes at all.
CREATE TABLE recording_companion (
    recording uuid NOT NULL,
    name      text NOT NULL,
    kind      text NOT NULL,
    clip      uuid NOT NULL,
    sha256    bytea CHECK (octet_length(sha256) = 32),
    size      bigint NOT NULL CHECK (size >= 0),
    metadata  jsonb NOT NULL,
    entry_id  uuid NOT NULL,
    PRIMARY KEY (recording, name),
    CHECK ((sha256 IS NULL) = (size = 0))
);
CREATE INDEX recording_companion_by_clip ON recording_companion (clip);
CREATE INDEX recording_companion_by_sha256 ON recording_companion (sha256);
CREATE TRIGGER forbid_change BEFORE UPDATE OR DELETE OR TRUNCATE ON recording_companion
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();

-- Passing state: the short-lived tokens that a controller works with.
CREATE TABLE controller_session (
    session      uuid PRIMARY KEY,
    controller   uuid NOT NULL,
    token_sha256 bytea NOT NULL CHECK (octet_length(token_sha256) = 32),
    expires_at   timestamptz NOT NULL
);
CREATE INDEX controller_session_of ON controller_session (controller, expires_at);
