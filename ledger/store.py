"""All SQL of the ledger but the audit's: appending in the caller's transaction, and the sequencer's reads and writes.

Every function takes a connection and leaves the transaction to its caller unless it says otherwise. The tables and what
guards them stand in `schema/0001_ledger.sql`.

Reads and writes of the sequencer use one connection, the one that holds the advisory lock of leadership. Whoever loses
the lock loses that connection with it, and so cannot write any more: the lock and the fence are the same thing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from ledger.canonical import Entry, encode_entry
from ledger.edge import Growth, HashEdge, RightEdge, edge_widths
from ledger.errors import CheckpointConflict, DuplicateEntry, HeadMoved, TreeMismatch
from ledger.tiles import TILE_WIDTH

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"
"""A connection, taken from a pool or made alone."""

DATABASE_ERRORS = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""How a database that is away shows itself. The last one is what the driver says when a statement and the end of the
connection cross each other; all that is known then is that the connection is gone."""

PENDING_CHANNEL = "ledger_pending"
"""Rung when an entry is committed while the sequencer dozes; no payload."""

PUBLISHED_CHANNEL = "ledger_published"
"""Rung after each publication; the payload is the new size in decimal."""

LEADER_KEY = int.from_bytes(b"shilu.ld")
"""Advisory lock of the one sequencer that leads, held for its session."""

KEYS_KEY = int.from_bytes(b"shilu.ks")
"""Advisory lock between whoever signs a checkpoint (shared) and whoever changes the log's keys (alone), for one
transaction each."""

DOZE_KEY = int.from_bytes(b"shilu.dz")
"""Advisory lock between a dozing sequencer and the transactions that append; the schema holds the same number."""

LEADER_SESSION = """
    SET tcp_keepalives_idle = 2; SET tcp_keepalives_interval = 1; SET tcp_keepalives_count = 2;
    SET tcp_user_timeout = 4000;
    SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
"""
"""A leader whose host vanished is noticed within 5 s, so that another can take over. Its statements are look-ups by
key, whatever the planner thinks of a queue that is empty when it is analysed."""


# Appending


async def append(conn: Connection, entry: Entry) -> None:
    """Append an entry within the caller's transaction; once that commits, the entry will be in the log.

    Raises:
        DuplicateEntry: An entry with this id is there; the caller's transaction stays usable.
        EntryMalformed: A field is not of its form.
    """
    status = await conn.execute(
        "INSERT INTO ledger_entry (entry_id, entry) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        entry.id,
        encode_entry(entry),
    )
    if status != "INSERT 0 1":
        raise DuplicateEntry(f"entry {entry.id} is in the ledger already", entry=str(entry.id))


async def append_many(conn: Connection, entries: Iterable[Entry]) -> None:
    """Append entries in bulk within the caller's transaction, in the given order.

    Raises:
        DuplicateEntry: One of the ids is there or given twice; the caller's transaction is lost.
        EntryMalformed: A field is not of its form.
    """
    records = [(entry.id, encode_entry(entry)) for entry in entries]
    try:
        await conn.copy_records_to_table("ledger_entry", records=records, columns=("entry_id", "entry"))
    except asyncpg.UniqueViolationError as error:
        raise DuplicateEntry(f"an entry is in the ledger already: {error.detail}") from error


# Looking up


async def leaf_index(conn: Connection, entry_id: UUID) -> int | None:
    """Return the place of an entry in the tree, published or not; None while it is pending or when it is unknown."""
    index: int | None = await conn.fetchval("SELECT index FROM ledger_leaf WHERE entry_id = $1", entry_id)
    return index


async def published_size(conn: Connection) -> int:
    """Return the size of the newest published checkpoint, 0 before the first."""
    size: int = await conn.fetchval("SELECT coalesce(max(size), 0) FROM ledger_publication")
    return size


async def published_indices(conn: Connection, entry_ids: Iterable[UUID]) -> dict[UUID, int]:
    """Return the places of those of the given entries that are covered by a published checkpoint."""
    rows = await conn.fetch(
        """SELECT entry_id, index FROM ledger_leaf WHERE entry_id = ANY ($1::uuid[])
           AND index < (SELECT coalesce(max(size), 0) FROM ledger_publication)""",
        list(entry_ids),
    )
    return {row["entry_id"]: row["index"] for row in rows}


# Leading


async def try_to_lead(conn: Connection) -> bool:
    """Take the leadership for the life of this connection, unless another one has it."""
    leads: bool = await conn.fetchval("SELECT pg_try_advisory_lock($1)", LEADER_KEY)
    return leads


async def try_to_doze(conn: Connection) -> bool:
    """Begin to doze: from now on appending transactions ring. Refused while one is open that would not."""
    dozes: bool = await conn.fetchval("SELECT pg_try_advisory_lock($1)", DOZE_KEY)
    return dozes


async def wake(conn: Connection) -> None:
    """End dozing: appending transactions need not ring any more."""
    await conn.execute("SELECT pg_advisory_unlock($1)", DOZE_KEY)


@dataclass(frozen=True, slots=True)
class Pending:
    """A batch from the queue, in the order in which it goes into the tree.

    Attributes:
        keys: (transaction id, ordinal) of each queue row.
        entry_ids, entries: The entries.
        floor: Transaction id below which no queue row can be or appear, once this batch is gone.
    """

    keys: list[tuple[int, int]]
    entry_ids: list[UUID]
    entries: list[bytes]
    floor: int


async def read_pending(conn: Connection, *, floor: int, entries_max: int) -> Pending:
    """Read the next batch of waiting entries.

    Raises:
        TreeMismatch: An entry is queued and not there.
    """
    rows = await conn.fetch(
        """SELECT p.xid, p.ordinal, p.entry_id, e.entry, pg_snapshot_xmin(pg_current_snapshot()) AS ended
           FROM (SELECT * FROM ledger_pending WHERE xid >= $1 ORDER BY xid, ordinal LIMIT $2) p
           LEFT JOIN ledger_entry e USING (entry_id) ORDER BY p.xid, p.ordinal""",
        floor,
        entries_max,
    )
    for row in rows:
        if row["entry"] is None:
            raise TreeMismatch(f"entry {row['entry_id']} waits for its place and is gone", entry=str(row["entry_id"]))
    if rows:
        # All transactions below `ended` are over and their rows in sight, but a full batch may not have reached them.
        floor = min(rows[0]["ended"], rows[-1]["xid"]) if len(rows) == entries_max else rows[0]["ended"]
    return Pending(
        keys=[(row["xid"], row["ordinal"]) for row in rows],
        entry_ids=[row["entry_id"] for row in rows],
        entries=[row["entry"] for row in rows],
        floor=floor,
    )


async def is_pending(conn: Connection, *, floor: int) -> bool:
    """Tell whether an entry waits."""
    found: bool = await conn.fetchval("SELECT EXISTS (SELECT FROM ledger_pending WHERE xid >= $1)", floor)
    return found


@dataclass(frozen=True, slots=True)
class Head:
    """Size and root of the tree."""

    size: int
    root: bytes


async def read_head(conn: Connection) -> Head:
    """Read size and root of the tree as committed."""
    row = await conn.fetchrow("SELECT size, root FROM ledger_head")
    if row is None:
        raise TreeMismatch("the ledger has no head row")
    return Head(row["size"], row["root"])


async def integrate(conn: Connection, *, pending: Pending, growth: Growth, old: Head, new: Head) -> None:
    """Commit a batch: leaves, roots of full tiles, head and emptied queue, in one transaction of its own.

    Raises:
        HeadMoved: The head is not `old`; nothing was done.
        TreeMismatch: An entry has a place already, or a place an entry; nothing was done.
    """
    leaves = zip(range(old.size, new.size), pending.entry_ids, growth.leaf_hashes, strict=True)
    try:
        async with conn.transaction():
            status = await conn.execute(
                "UPDATE ledger_head SET size = $3, root = $4 WHERE size = $1 AND root = $2",
                *(old.size, old.root, new.size, new.root),
            )
            if status != "UPDATE 1":
                raise HeadMoved(f"the tree does not have {old.size} entries any more", size=old.size)
            await conn.copy_records_to_table("ledger_leaf", records=leaves, columns=("index", "entry_id", "leaf_hash"))
            if growth.tiles:
                roots = [(tile.level, tile.index, tile.root) for tile in growth.tiles]
                await conn.copy_records_to_table("ledger_tile_root", records=roots, columns=("level", "index", "root"))
            await conn.execute(
                """DELETE FROM ledger_pending p USING unnest($1::xid8[], $2::bigint[]) AS done (xid, ordinal)
                   WHERE p.xid = done.xid AND p.ordinal = done.ordinal""",
                [xid for xid, _ in pending.keys],
                [ordinal for _, ordinal in pending.keys],
            )
    except asyncpg.UniqueViolationError as error:
        raise TreeMismatch(f"a row of this batch is there already: {error.detail}", size=old.size) from error


# Starting from rows


async def load_edge(conn: Connection, size: int) -> RightEdge:
    """Load the right edge of the log as it was at a size, from the rows of its partial tiles alone.

    Raises:
        TreeMismatch: Rows are missing.
    """
    levels = []
    for level, width in enumerate(edge_widths(size)):
        end = size // TILE_WIDTH**level
        if level == 0:
            query = "SELECT leaf_hash FROM ledger_leaf WHERE index >= $1 AND index < $2 ORDER BY index"
            rows = await conn.fetch(query, end - width, end)
        else:
            query = "SELECT root FROM ledger_tile_root WHERE level = $3 AND index >= $1 AND index < $2 ORDER BY index"
            rows = await conn.fetch(query, end - width, end, level - 1)
        levels.append([row[0] for row in rows])
    entries = [leaf.entry for leaf in await read_leaves(conn, start=size - size % TILE_WIDTH, end=size)]
    try:
        return RightEdge(HashEdge(size, levels), entries)
    except ValueError as error:
        raise TreeMismatch(f"rows are missing at the edge of the log of {size} entries", size=size) from error


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf row with its entry."""

    index: int
    leaf_hash: bytes
    entry: bytes


async def read_leaves(conn: Connection, *, start: int, end: int) -> list[Leaf]:
    """Read the leaves [start, end) in order; rows that are missing are missing in the answer."""
    rows = await conn.fetch(
        """SELECT index, leaf_hash, entry FROM ledger_leaf JOIN ledger_entry USING (entry_id)
           WHERE index >= $1 AND index < $2 ORDER BY index""",
        start,
        end,
    )
    return [Leaf(row["index"], row["leaf_hash"], row["entry"]) for row in rows]


# Signing and publishing


async def hold_keys(conn: Connection) -> None:
    """Hold the log's keys as they are until the transaction ends: what is signed in it is signed by the right ones."""
    await conn.execute("SELECT pg_advisory_xact_lock_shared($1)", KEYS_KEY)


async def change_keys(conn: Connection) -> None:
    """Wait until nobody signs, and let nobody sign until the transaction ends."""
    await conn.execute("SELECT pg_advisory_xact_lock($1)", KEYS_KEY)


@dataclass(frozen=True, slots=True)
class SignedRow:
    """What the log signed for one size: the root and the note with its own signatures."""

    size: int
    root: bytes
    note: bytes


async def newest_checkpoint(conn: Connection) -> SignedRow | None:
    """Return what was signed last."""
    row = await conn.fetchrow("SELECT size, root, note FROM ledger_checkpoint ORDER BY size DESC LIMIT 1")
    return SignedRow(row["size"], row["root"], row["note"]) if row else None


async def signed_root(conn: Connection, size: int) -> bytes | None:
    """Return the root that was signed for a size."""
    root: bytes | None = await conn.fetchval("SELECT root FROM ledger_checkpoint WHERE size = $1", size)
    return root


async def insert_checkpoint(
    conn: Connection, signed: SignedRow, *, previous_size: int | None, signed_at: datetime
) -> None:
    """Commit a signed checkpoint as the successor of `previous_size` (None: as the first); compare-and-set.

    Raises:
        CheckpointConflict: It is not the next link of the chain.
    """
    try:
        await conn.execute(
            "INSERT INTO ledger_checkpoint (size, previous_size, root, note, signed_at) VALUES ($1, $2, $3, $4, $5)",
            *(signed.size, previous_size, signed.root, signed.note, signed_at),
        )
    except asyncpg.IntegrityConstraintViolationError as error:
        raise CheckpointConflict(
            f"a checkpoint of {signed.size} entries cannot follow that of {previous_size}: {error}", size=signed.size
        ) from error


async def published_note(conn: Connection, size: int) -> bytes | None:
    """Return the checkpoint of this size as it was published, cosignatures included."""
    note: bytes | None = await conn.fetchval("SELECT note FROM ledger_publication WHERE size = $1", size)
    return note


async def insert_publication(conn: Connection, *, size: int, note: bytes, published_at: datetime) -> None:
    """Record that a checkpoint was published and ring, in one commit.

    Raises:
        CheckpointConflict: It is on record already, or was never signed.
    """
    try:
        await conn.execute(
            """WITH done AS (
                   INSERT INTO ledger_publication (size, note, published_at, previous_size)
                   SELECT $2, $3, $4, (SELECT max(size) FROM ledger_publication) RETURNING size
               ) SELECT pg_notify($1, size::text) FROM done""",
            *(PUBLISHED_CHANNEL, size, note, published_at),
        )
    except asyncpg.IntegrityConstraintViolationError as error:
        raise CheckpointConflict(f"{size} entries cannot be recorded as published: {error}", size=size) from error
