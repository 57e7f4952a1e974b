-- Keys of docks after the one they were enrolled with, one row per `dock.key_rotated`. The newest one counts; the signed
-- change is kept whole, so that the chain of keys can be checked from the rows alone.
--
-- Evidential, insert-only, a projection of one payload each, as everything in 0002_parties.sql above its line.

CREATE TABLE dock_key (
    dock       uuid NOT NULL,
    sequence   integer NOT NULL CHECK (sequence > 0),
    vkey       text NOT NULL UNIQUE,
    note       text NOT NULL,
    rotated_at timestamptz NOT NULL,
    entry_id   uuid NOT NULL UNIQUE,
    PRIMARY KEY (dock, sequence)
);
CREATE TRIGGER forbid_change BEFORE UPDATE OR DELETE OR TRUNCATE ON dock_key
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();

-- A dock that signs a list anew, because its key changed before the first answer came, must find it again.
CREATE INDEX dock_cleared_by_recorder ON dock_cleared (dock, recorder, cleared_at);
