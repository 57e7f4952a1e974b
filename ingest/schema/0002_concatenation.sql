-- tus concatenation: parts that are sent side by side, and the file that they become.

ALTER TABLE upload
    ADD COLUMN partial boolean NOT NULL DEFAULT false,     -- a part: never a clip by itself
    ADD COLUMN parts uuid[] CHECK (cardinality(parts) > 0), -- of a final upload: its parts in their order
    ADD COLUMN final uuid REFERENCES upload (id),          -- of a part: the upload that takes its bytes
    ADD CHECK (NOT partial OR (parts IS NULL AND state <> 'sealed')),
    ADD CHECK (final IS NULL OR partial);
CREATE INDEX upload_final ON upload (final) WHERE final IS NOT NULL;
