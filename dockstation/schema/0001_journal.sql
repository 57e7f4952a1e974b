-- The station's journal, version 1 (PRAGMA user_version). One row per file as it lay on a recorder at one time.
-- The rules stand here as well as in journal.py, so that no program can step back or clear what has no receipt.

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
    prefix_chunks INTEGER NOT NULL DEFAULT 0,    -- see intake.Prefix
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
    CHECK (state IN ('seen', 'inventoried', 'uploading', 'uploaded', 'sealed', 'receipt_verified', 'clearable', 'cleared',
                     'refused', 'abandoned')),
    CHECK (state IN ('seen', 'refused', 'abandoned') OR inventory IS NOT NULL),
    CHECK (state NOT IN ('uploading', 'uploaded', 'sealed') OR upload IS NOT NULL),
    CHECK (state NOT IN ('uploaded', 'sealed', 'receipt_verified', 'clearable', 'cleared')
           OR (root IS NOT NULL AND length(root) = 32 AND sha256 IS NOT NULL AND length(sha256) = 32)),
    CHECK (state NOT IN ('receipt_verified', 'clearable', 'cleared')
           OR (entry IS NOT NULL AND clip IS NOT NULL AND verified_at IS NOT NULL)),
    CHECK (state NOT IN ('clearable', 'cleared') OR key_mark = 0)
) STRICT;

-- A file that was cleared or given up may come again; otherwise name, size and time make it the same.
CREATE UNIQUE INDEX file_live ON file (recorder, path, raw, size, modified_ns) WHERE state NOT IN ('cleared', 'abandoned');
CREATE INDEX file_path ON file (recorder, path);
CREATE INDEX file_state ON file (state);
CREATE INDEX file_present ON file (recorder) WHERE present = 1;

CREATE TABLE state_rank (state TEXT PRIMARY KEY, rank INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO state_rank VALUES
    ('seen', 0), ('inventoried', 1), ('uploading', 2), ('uploaded', 3), ('sealed', 4), ('receipt_verified', 5),
    ('clearable', 6), ('cleared', 7), ('refused', 8), ('abandoned', 9);

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

-- Signed statements on their way to the service, in the order in which they were made.
CREATE TABLE note (
    number    INTEGER PRIMARY KEY,
    id        TEXT NOT NULL UNIQUE,
    kind      TEXT NOT NULL CHECK (kind IN ('inventory', 'cleared')),
    dock      TEXT NOT NULL,
    recorder  TEXT NOT NULL,
    note      BLOB NOT NULL,
    made_at   TEXT NOT NULL,
    posted_at TEXT
) STRICT;
CREATE INDEX note_waiting ON note (number) WHERE posted_at IS NULL;

-- What the station shows of each slot; a picture of the present, not evidence.
CREATE TABLE slot (
    name     TEXT PRIMARY KEY,
    root     TEXT NOT NULL,
    recorder TEXT,
    phase    TEXT NOT NULL,
    safe     INTEGER NOT NULL,
    message  TEXT NOT NULL,
    remarks  TEXT NOT NULL,
    at       TEXT NOT NULL
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 1;
