-- The ledger's rows. Life of an entry: appended (entry + pending) -> integrated (leaf, head) -> signed -> published.
--
-- What may change is exactly two tables: ledger_pending is a queue, ledger_head is one row that only grows. All others
-- are insert-only, and triggers refuse the rest; who can drop triggers is caught by the audit, not by this file.
-- There are no foreign keys from leaf and pending rows to entries: each check would lock and so rewrite the entry's row,
-- entries are never deleted, and the audit looks for holes anyway.

CREATE FUNCTION ledger_forbid_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'table % is insert-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;

-- The entries as they were handed in. The primary key is the deduplication.
CREATE TABLE ledger_entry (
    entry_id    uuid PRIMARY KEY,
    entry       bytea NOT NULL CHECK (octet_length(entry) BETWEEN 1 AND 65535),  -- u16 length in a bundle
    appended_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Entries that wait for a place in the tree. They are taken in the order (xid, ordinal). The writing transaction's id
-- comes first because it allows an exact lower bound for the next look: once every transaction below some id has ended,
-- no row below it can appear any more, however late a transaction commits. So the queue's dead rows are never walked
-- again, even while a backup's old snapshot keeps them from being vacuumed.
CREATE TABLE ledger_pending (
    xid      xid8 NOT NULL DEFAULT pg_current_xact_id(),
    ordinal  bigint GENERATED ALWAYS AS IDENTITY,
    entry_id uuid NOT NULL,
    PRIMARY KEY (xid, ordinal)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- The tree's leaves: SHA-256(0x00 || entry).
CREATE TABLE ledger_leaf (
    index     bigint PRIMARY KEY CHECK (index >= 0),
    entry_id  uuid NOT NULL UNIQUE,
    leaf_hash bytea NOT NULL CHECK (octet_length(leaf_hash) = 32)
);

-- Roots of full tiles: level 0 is the root over 256 leaves, level n over 256 roots of level n - 1. They are the hashes
-- in the tiles one level up, and let a sequencer start without reading the tree.
CREATE TABLE ledger_tile_root (
    level smallint NOT NULL CHECK (level BETWEEN 0 AND 7),
    index bigint   NOT NULL CHECK (index >= 0),
    root  bytea    NOT NULL CHECK (octet_length(root) = 32),
    PRIMARY KEY (level, index)
);

-- Size and root of the tree, moved by compare-and-set in the transaction that inserts the leaves.
CREATE TABLE ledger_head (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    size     bigint NOT NULL CHECK (size >= 0),
    root     bytea  NOT NULL CHECK (octet_length(root) = 32)
) WITH (fillfactor = 50);
INSERT INTO ledger_head (size, root) VALUES (0, sha256(''));

-- Everything this log ever signed. Each row names the one before it and no two name the same: the constraints alone
-- make the rows a chain of growing sizes, so that two leaders can neither sign two roots of one size nor go back.
CREATE TABLE ledger_checkpoint (
    size          bigint PRIMARY KEY CHECK (size >= 0),
    previous_size bigint UNIQUE NULLS NOT DISTINCT REFERENCES ledger_checkpoint (size) CHECK (previous_size < size),
    root          bytea NOT NULL CHECK (octet_length(root) = 32),
    note          bytea NOT NULL,
    signed_at     timestamptz NOT NULL
);

-- What was shown to the world: the signed note with the cosignatures it was published with.
CREATE TABLE ledger_publication (
    size         bigint PRIMARY KEY REFERENCES ledger_checkpoint (size),
    note         bytea NOT NULL,
    published_at timestamptz NOT NULL
);

-- Queue each new entry in the statement that inserts it, so that no committed entry is ever forgotten.
--
-- NOTIFY takes a lock on the whole database until the commit is on disk, and so makes concurrent commits queue up one by
-- one. An awake sequencer looks by itself; only one that dozes has to be rung. It dozes under the exclusive form of an
-- advisory lock, an entry's transaction takes the shared form until it ends. Whoever gets the shared form need not ring:
-- the sequencer cannot doze off before this transaction is visible. Key: see ledger/store.py, DOZE_KEY.
CREATE FUNCTION ledger_queue_entries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ledger_pending (entry_id) SELECT entry_id FROM fresh;
    IF NOT pg_try_advisory_xact_lock_shared(8316012626482979962) THEN
        NOTIFY ledger_pending;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER queue_entries AFTER INSERT ON ledger_entry
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION ledger_queue_entries();

CREATE FUNCTION ledger_head_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.size <= OLD.size THEN
        RAISE EXCEPTION 'the ledger does not shrink: % after %', NEW.size, OLD.size
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER head_grows BEFORE UPDATE ON ledger_head FOR EACH ROW EXECUTE FUNCTION ledger_head_grows();

CREATE TRIGGER forbid_change BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entry
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_forbid_change();
CREATE TRIGGER forbid_change BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_leaf
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_forbid_change();
CREATE TRIGGER forbid_change BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_tile_root
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_forbid_change();
CREATE TRIGGER forbid_change BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_forbid_change();
CREATE TRIGGER forbid_change BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_publication
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_forbid_change();
CREATE TRIGGER forbid_change BEFORE DELETE OR TRUNCATE ON ledger_head
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_forbid_change();
