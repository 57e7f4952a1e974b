-- The station's journal, version 2: files may be copied into the station's spool before they are sent.
-- SQLite changes no CHECK in place: the table is made anew and takes over every row, with its number.

DROP TRIGGER file_forward_only;
DROP TRIGGER file_is_kept;
DROP INDEX file_live;
DROP INDEX file_path;
DROP INDEX file_state;
DROP INDEX file_present;
ALTER TABLE file RENAME TO file_1;

CREATE TABLE file (
    id            INTEGER PRIMARY KEY,
    dock          TEXT    NOT NULL,              -- the identity under which it was seen
    recorder      TEXT    NOT NULL,
    path          TEXT    NOT NULL,              -- as statements write it
    raw           INTEGER NOT NULL,
    name          BLOB    NOT NULL,              -- bytes of the file system
    size          INTEGER NOT NULL,
    modified_ns   INTEGER NOT NULL,
    device        TEXT    NOT NULL,              -- where it lay when it was last seen; decimal, as some file systems
    inode         TEXT    NOT NULL,              -- use all 64 bits
    order_no      INTEGER NOT NULL,
    officer       TEXT,
    recorded_at   TEXT,
    key_mark      INTEGER NOT NULL,
    present       INTEGER NOT NULL DEFAULT 0,    -- listed in the newest inventory of its recorder
    state         TEXT    NOT NULL DEFAULT 'seen',
    inventory     TEXT,                          -- the inventory that first listed it
    upload        TEXT,                          -- path of the upload at the service
    offset_bytes  INTEGER NOT NULL DEFAULT 0,    -- acknowledged by the service
    prefix_chunks INTEGER NOT NULL DEFAULT 0,    -- of what was sent, or copied so far; see intake.Prefix
    prefix_digest BLOB,
    read_device   TEXT,                          -- identity of the file whose bytes were hashed
    read_inode    TEXT,
    root          BLOB,
    sha256        BLOB,
    clip          TEXT,
    entry         TEXT,                          -- of the verified receipt; names the file in receipts/
    trouble       TEXT,                          -- code and message of what stands in the way now
    seen_at       TEXT    NOT NULL,
    changed_at    TEXT    NOT NULL,
    verified_at   TEXT,
    clearing_root TEXT,                          -- removal was begun on the card mounted here; see cleanup.py
    cleared_note  TEXT,                          -- the signed list that states the removal
    spool         TEXT,                          -- name in the spool: of a part while there is no root, of the whole with it
    CHECK (state IN ('seen', 'inventoried', 'copied', 'uploading', 'uploaded', 'sealed', 'receipt_verified', 'clearable',
                     'cleared', 'refused', 'abandoned')),
    CHECK (state IN ('seen', 'refused', 'abandoned') OR inventory IS NOT NULL),
    CHECK (state NOT IN ('uploading', 'uploaded', 'sealed') OR upload IS NOT NULL),
    CHECK (state NOT IN ('copied', 'uploaded', 'sealed', 'receipt_verified', 'clearable', 'cleared')
           OR (root IS NOT NULL AND length(root) = 32 AND sha256 IS NOT NULL AND length(sha256) = 32)),
    CHECK (state <> 'copied' OR spool IS NOT NULL),
    CHECK (state NOT IN ('receipt_verified', 'clearable', 'cleared')
           OR (entry IS NOT NULL AND clip IS NOT NULL AND verified_at IS NOT NULL)),
    CHECK (state NOT IN ('clearable', 'cleared') OR key_mark = 0)
) STRICT;

INSERT INTO file SELECT *, NULL FROM file_1;
DROP TABLE file_1;

-- A file that was cleared or given up may come again; otherwise name, size and time make it the same.
CREATE UNIQUE INDEX file_live ON file (recorder, path, raw, size, modified_ns) WHERE state NOT IN ('cleared', 'abandoned');
CREATE INDEX file_path ON file (recorder, path);
CREATE INDEX file_state ON file (state);
CREATE INDEX file_present ON file (recorder) WHERE present = 1;
CREATE UNIQUE INDEX file_spool ON file (spool) WHERE spool IS NOT NULL;

DELETE FROM state_rank;
INSERT INTO state_rank VALUES
    ('seen', 0), ('inventoried', 1), ('copied', 2), ('uploading', 3), ('uploaded', 4), ('sealed', 5),
    ('receipt_verified', 6), ('clearable', 7), ('cleared', 8), ('refused', 9), ('abandoned', 10);

CREATE TRIGGER file_forward_only BEFORE UPDATE OF state ON file
WHEN (SELECT rank FROM state_rank WHERE state = NEW.state) <= (SELECT rank FROM state_rank WHERE state = OLD.state)
  OR (OLD.state IN ('receipt_verified', 'clearable') AND NEW.state IN ('refused', 'abandoned'))
  OR OLD.state IN ('cleared', 'abandoned')
  OR (NEW.state = 'receipt_verified' AND OLD.state <> 'sealed')
  OR (NEW.state = 'clearable' AND OLD.state <> 'receipt_verified')
  OR (NEW.state = 'cleared' AND OLD.state <> 'clearable')
BEGIN SELECT RAISE(ABORT, 'forward only'); END;

CREATE TRIGGER file_is_kept BEFORE DELETE ON file
BEGIN SELECT RAISE(ABORT, 'the journal forgets nothing'); END;

PRAGMA user_version = 2;
