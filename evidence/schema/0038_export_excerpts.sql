-- Exhibits of a package that are handed over as excerpts: which clips, the seconds asked for and shown, and the chunks
-- that hold them (`evidence.export.parts`). Found out once, when it is asked for, so every attempt encloses the same.
ALTER TABLE export_job ADD COLUMN excerpts jsonb NOT NULL DEFAULT '[]';
