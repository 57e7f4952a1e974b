-- A search of a million clips (evidence/clips/grams.py, evidence/clips/page_store.py; ADR 31 says why).
--
-- Grams become numbers, and what is long stands beside the row: a row that the index leads to is read by the hundred.
-- Statistics of both arrays go further than PostgreSQL's default, because how rare a word is decides the way to it.
-- What is waiting to be put into the index is read by every search, so little may wait.
DROP INDEX search_document_by_content;
ALTER TABLE search_document DROP COLUMN grams;
ALTER TABLE search_document ADD COLUMN grams integer[] NOT NULL DEFAULT '{}';
ALTER TABLE search_document
    SET (toast_tuple_target = 256),
    ALTER COLUMN facets SET STORAGE MAIN,
    ALTER COLUMN grams SET STORAGE EXTERNAL,
    ALTER COLUMN facets SET STATISTICS 500,
    ALTER COLUMN grams SET STATISTICS 1000;
CREATE INDEX search_document_by_content ON search_document USING gin (facets, grams) WITH (gin_pending_list_limit = 512);
