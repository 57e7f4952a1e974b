-- Statements about the log's own keys, from `log.key_rotated` and `log.key_retired`: the signed notes, whole.
-- Their order is (number, a succession before its retirement); what they make of the log's first key, which stands in
-- log_identity, is judged by whoever reads them.

CREATE TABLE log_key_statement (
    number     integer NOT NULL CHECK (number > 0),
    kind       text NOT NULL CHECK (kind IN ('rotated', 'retired')),
    vkey       text NOT NULL,
    size       bigint NOT NULL CHECK (size >= 0),
    statement  text NOT NULL,
    at         timestamptz NOT NULL,
    entry_id   uuid NOT NULL UNIQUE,
    PRIMARY KEY (number, kind)
);

CREATE TRIGGER forbid_change BEFORE UPDATE OR DELETE OR TRUNCATE ON log_key_statement
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();
