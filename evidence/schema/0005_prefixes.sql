-- Beginnings of files that were still being written, from `clip.prefix`: one row per sealed prefix.
--
-- Evidential like the tables of 0001: a projection of the payload, insert-only. A later file continues the prefix when its
-- first `chunks` leaves come to `root`.
CREATE TABLE clip_prefix (
    entry_id   uuid PRIMARY KEY,
    upload     uuid NOT NULL,
    size       bigint NOT NULL CHECK (size > 0),
    chunk_size integer NOT NULL CHECK (chunk_size > 0),
    chunks     bigint NOT NULL CHECK (chunks > 0 AND chunks * chunk_size = size),
    root       bytea NOT NULL CHECK (octet_length(root) = 32),
    sealed_at  timestamptz NOT NULL,
    UNIQUE (upload, chunks)
);

CREATE TRIGGER forbid_change BEFORE UPDATE OR DELETE OR TRUNCATE ON clip_prefix
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();
