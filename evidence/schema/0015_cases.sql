-- Recording-item lists (音像记录事项清单) and what a case is opened with.
--
-- Evidential like the tables of 0001: projections of payloads, insert-only. `content` is the list as it was published;
-- versions are counted by agency, compared as numbers of cases are.
CREATE TABLE item_list (
    items          uuid PRIMARY KEY,
    agency         text NOT NULL,
    agency_key     text NOT NULL,
    version        integer NOT NULL CHECK (version > 0),
    effective_from date NOT NULL,
    content        jsonb NOT NULL,
    published_by   text NOT NULL,
    published_at   timestamptz NOT NULL,
    entry_id       uuid NOT NULL UNIQUE,
    UNIQUE (agency_key, version)
);

CREATE TRIGGER forbid_change BEFORE UPDATE OR DELETE OR TRUNCATE ON item_list
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();

-- Cases opened before this revision have none of these: their payloads state none.
ALTER TABLE case_file
    ADD COLUMN kind text,
    ADD COLUMN unit uuid,
    ADD COLUMN items uuid,
    ADD COLUMN handlers text[] NOT NULL DEFAULT '{}',
    ADD COLUMN facts jsonb NOT NULL DEFAULT '{}';
CREATE INDEX case_file_by_kind ON case_file (kind, case_id);
CREATE INDEX case_file_by_unit ON case_file (unit, case_id);
