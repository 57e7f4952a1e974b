-- Time stamps of strangers over published checkpoints, from `log.timestamped`: one row per stamp.
--
-- Evidential like the tables of 0001: a projection of the payload, insert-only. `checkpoint` is the published note, byte
-- for byte, `response` the authority's answer (RFC 3161) in DER, so a stamp can be checked from its row alone.
CREATE TABLE log_timestamp (
    entry_id    uuid PRIMARY KEY,
    authority   text NOT NULL,
    size        bigint NOT NULL CHECK (size > 0),
    root        bytea NOT NULL CHECK (octet_length(root) = 32),
    stamped_at  timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    checkpoint  bytea NOT NULL,
    response    bytea NOT NULL
);
CREATE INDEX log_timestamp_by_authority ON log_timestamp (authority, size);
CREATE INDEX log_timestamp_by_size ON log_timestamp (size);

CREATE TRIGGER forbid_change BEFORE UPDATE OR DELETE OR TRUNCATE ON log_timestamp
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();
