-- What is said about cases beyond their exhibits: documents, activities, exemptions, conclusions, the archive.
--
-- Evidential: one row an entry, a projection of its payload, insert-only; `content` is that payload whole.
CREATE TABLE case_statement (
    entry_id  uuid PRIMARY KEY,
    case_id   uuid NOT NULL,
    kind      text NOT NULL,
    content   jsonb NOT NULL,
    stated_by text NOT NULL,
    stated_at timestamptz NOT NULL
);
CREATE INDEX case_statement_by_case ON case_statement (case_id, entry_id);
-- A case is archived once, whatever happens at once.
CREATE UNIQUE INDEX case_statement_archived ON case_statement (case_id) WHERE kind = 'archived';

CREATE TRIGGER forbid_change BEFORE UPDATE OR DELETE OR TRUNCATE ON case_statement
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();

-- A clip that was unlinked may come back, under another number.
ALTER TABLE case_clip DROP CONSTRAINT case_clip_case_id_clip_key;
CREATE INDEX case_clip_in_case ON case_clip (case_id, clip);
CREATE UNIQUE INDEX case_statement_unlinked ON case_statement (case_id, ((content ->> 'exhibit')::integer))
    WHERE kind = 'unlinked';

-- Exhibits that still are some; `case_clip` has every number that was ever given.
CREATE VIEW case_exhibit AS
    SELECT l.* FROM case_clip l
    WHERE NOT EXISTS (SELECT FROM case_statement s
                      WHERE s.case_id = l.case_id AND s.kind = 'unlinked'
                        AND (s.content ->> 'exhibit')::integer = l.exhibit);

-- Cases as they are titled now.
CREATE VIEW case_now AS
    SELECT c.*, coalesce((SELECT s.content ->> 'title' FROM case_statement s
                          WHERE s.case_id = c.case_id AND s.kind = 'amended' AND s.content ->> 'title' IS NOT NULL
                          ORDER BY s.entry_id DESC LIMIT 1), c.title) AS title_now
    FROM case_file c;
