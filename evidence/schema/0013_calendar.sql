-- Working days that the agency knows beyond what the program brings along. Evidential, insert-only, a projection of one
-- payload each, as everything in 0002_parties.sql above its line. The newest row counts.
CREATE TABLE work_calendar (
    calendar  uuid PRIMARY KEY,
    content   jsonb NOT NULL,
    loaded_at timestamptz NOT NULL,
    loaded_by text NOT NULL,
    entry_id  uuid NOT NULL UNIQUE
);
CREATE TRIGGER forbid_change BEFORE UPDATE OR DELETE OR TRUNCATE ON work_calendar
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();
