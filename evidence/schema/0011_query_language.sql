-- What the query language asks for besides facets and words, and which form a document has: those of an older form are
-- written again in the background (evidence/clips/search_store.py).
ALTER TABLE search_document
    ADD COLUMN size bigint,
    ADD COLUMN duration_ms bigint,
    ADD COLUMN form smallint NOT NULL DEFAULT 0;
CREATE INDEX search_document_by_duration ON search_document (duration_ms);
