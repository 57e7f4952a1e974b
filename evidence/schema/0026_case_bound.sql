-- What cases have bound: every clip that was ever an exhibit, and every sealed file that was ever filed as a document.
-- Retention keeps it, also where it left the case since: the entries that name it stay.
CREATE INDEX case_statement_document ON case_statement (((content #>> '{statement,document}')::uuid))
    WHERE kind = 'document';

CREATE VIEW case_bound AS
    SELECT case_id, clip, entry_id FROM case_clip
    UNION ALL
    SELECT case_id, (content #>> '{statement,document}')::uuid, entry_id FROM case_statement WHERE kind = 'document';
