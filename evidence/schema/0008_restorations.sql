-- Objects that were gone or damaged and were put back from the other store, from `object.restored`. What lay there
-- instead is kept, under the name that `kept_as` gives.
--
-- Evidential like the tables of 0001: a projection of the payload, insert-only.
CREATE TABLE object_restoration (
    entry_id    uuid PRIMARY KEY,
    restoration uuid NOT NULL,
    sha256      bytea NOT NULL CHECK (octet_length(sha256) = 32),
    clip        uuid NOT NULL,
    size        bigint NOT NULL CHECK (size > 0),
    store       text NOT NULL,
    source      text NOT NULL,
    reason      text NOT NULL,
    kept_as     text,
    held        bytea CHECK (octet_length(held) = 32),
    held_size   bigint,
    restored_at timestamptz NOT NULL
);

CREATE INDEX object_restoration_restoration ON object_restoration (restoration);

CREATE TRIGGER forbid_change BEFORE UPDATE OR DELETE OR TRUNCATE ON object_restoration
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();

-- Redacted copies are found by what their payloads name: to be copied, to be restored, to be called named.
CREATE INDEX custody_payload_redacted ON custody_payload (entry_id) WHERE type = 'clip.redacted';
