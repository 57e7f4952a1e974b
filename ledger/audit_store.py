"""SQL of the audit. All reads are short and leave no snapshot open, so that an audit of hours does not burden the log.

That is sound because everything below a size the log has reached is final; what moves is read in single statements.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ledger.store import Connection, Head
from ledger.tiles import TILE_HEIGHT, TILE_WIDTH, Tile

_PAGE_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class AuditedLeaf:
    """A leaf row with whatever entry row it names."""

    index: int
    leaf_hash: bytes
    entry_id: UUID
    entry: bytes | None
    appended_at: datetime | None


async def read_leaf_rows(conn: Connection, *, start: int, end: int) -> dict[int, AuditedLeaf]:
    """Read the leaf rows [start, end) by index."""
    rows = await conn.fetch(
        """SELECT index, leaf_hash, entry_id, entry, appended_at
           FROM ledger_leaf LEFT JOIN ledger_entry USING (entry_id)
           WHERE index >= $1 AND index < $2""",
        start,
        end,
    )
    return {row["index"]: AuditedLeaf(*row) for row in rows}


async def read_tile_root(conn: Connection, *, level: int, index: int) -> bytes | None:
    """Return the root on record for a full tile."""
    root: bytes | None = await conn.fetchval(
        "SELECT root FROM ledger_tile_root WHERE level = $1 AND index = $2", level, index
    )
    return root


async def read_tile(conn: Connection, tile: Tile) -> bytes:
    """Make a tile of rows; it is too short where rows are missing."""
    start, end = tile.index * TILE_WIDTH, tile.index * TILE_WIDTH + tile.width
    if tile.level == 0:
        query = "SELECT leaf_hash FROM ledger_leaf WHERE index >= $1 AND index < $2 ORDER BY index"
        rows = await conn.fetch(query, start, end)
    else:
        query = "SELECT root FROM ledger_tile_root WHERE level = $3 AND index >= $1 AND index < $2 ORDER BY index"
        rows = await conn.fetch(query, start, end, tile.level - 1)
    return b"".join(row[0] for row in rows)


async def unknown_tile_roots(conn: Connection, size: int) -> list[tuple[int, int]]:
    """Return (level, index) of roots of tiles that were not full at any time up to now, `size` or later."""
    rows = await conn.fetch(
        """SELECT level, index FROM ledger_tile_root, ledger_head
           WHERE (index + 1) > (greatest(size, $1) >> (8 * (level + 1))) ORDER BY level, index LIMIT 1000""",
        size,
    )
    return [(row["level"], row["index"]) for row in rows]


@dataclass(frozen=True, slots=True)
class SignedSize:
    """All rows about one signed size; None where a row is missing."""

    size: int
    is_signed: bool
    previous_size: int | None
    root: bytes | None
    note: bytes | None
    published_note: bytes | None
    signed_at: datetime | None
    published_at: datetime | None
    previous_published: int | None


async def read_signed_sizes(conn: Connection, *, above: int, up_to: int) -> list[SignedSize]:
    """Read signed checkpoints and publications of the sizes (above, up_to], in order."""
    rows = await conn.fetch(
        """SELECT size, c.size IS NOT NULL, c.previous_size, c.root, c.note, p.note,
                  c.signed_at, p.published_at, p.previous_size
           FROM ledger_checkpoint c FULL JOIN ledger_publication p USING (size)
           WHERE size > $1 AND size <= $2 ORDER BY size""",
        above,
        up_to,
    )
    return [SignedSize(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far the log has come, in one look.

    Attributes:
        head: The head row, None when it is missing.
        leaves: One more than the largest index of a leaf row.
        signed_size: Size of the newest signed checkpoint, None before the first.
        published_size: Size of the newest publication, None before the first.
        published_note: Its note.
    """

    head: Head | None
    leaves: int
    signed_size: int | None
    published_size: int | None
    published_note: bytes | None


async def read_bounds(conn: Connection) -> Bounds:
    """Read how far the log has come."""
    row = await conn.fetchrow(
        """SELECT h.size, h.root, (SELECT coalesce(max(index) + 1, 0) FROM ledger_leaf) AS leaves,
                  (SELECT max(size) FROM ledger_checkpoint) AS signed, p.size AS published, p.note
           FROM (VALUES (1)) AS one
           LEFT JOIN ledger_head h ON true
           LEFT JOIN (SELECT size, note FROM ledger_publication ORDER BY size DESC LIMIT 1) p ON true"""
    )
    assert row is not None  # noqa: S101  # one row by construction
    head = Head(row["size"], row["root"]) if row["root"] is not None else None
    return Bounds(head, row["leaves"], row["signed"], row["published"], row["note"])


async def has_tile(conn: Connection, tile: Tile) -> bool:
    """Tell whether the log has or had a size that calls for this tile: now for a full one, ever for a partial one."""
    span = 1 << TILE_HEIGHT * tile.level
    low = (tile.index * TILE_WIDTH + tile.width) * span
    # A head that is not signed yet counts: its files come before its signature.
    found: bool = await conn.fetchval(
        """SELECT EXISTS (SELECT FROM ledger_head WHERE size >= $1 AND ($3 OR size < $2))
               OR EXISTS (SELECT FROM ledger_checkpoint WHERE size >= $1 AND ($3 OR size < $2))""",
        *(low, low + span, tile.width == TILE_WIDTH),
    )
    return found


async def unsequenced_entries(conn: Connection) -> AsyncIterator[tuple[UUID, bytes]]:
    """Iterate over entries that neither have a leaf nor wait for one, page by page."""
    last = None
    while True:
        end = await conn.fetchval(
            """SELECT entry_id FROM ledger_entry WHERE $1::uuid IS NULL OR entry_id > $1
               ORDER BY entry_id OFFSET $2 LIMIT 1""",
            last,
            _PAGE_ROWS - 1,
        )
        # One statement, one snapshot: an entry that is moved from the queue to the tree is in one of both.
        rows = await conn.fetch(
            """SELECT entry_id, entry FROM ledger_entry e
               WHERE ($1::uuid IS NULL OR entry_id > $1) AND ($2::uuid IS NULL OR entry_id <= $2)
               AND NOT EXISTS (SELECT FROM ledger_leaf l WHERE l.entry_id = e.entry_id)
               AND NOT EXISTS (SELECT FROM ledger_pending p WHERE p.entry_id = e.entry_id)""",
            last,
            end,
        )
        for row in rows:
            yield row["entry_id"], row["entry"]
        if end is None:
            return
        last = end


async def stale_pending(conn: Connection) -> list[UUID]:
    """Return entries whose queue rows are in the wrong: sequenced already, or not there."""
    rows = await conn.fetch(
        """SELECT DISTINCT entry_id FROM ledger_pending p
           WHERE EXISTS (SELECT FROM ledger_leaf l WHERE l.entry_id = p.entry_id)
           OR NOT EXISTS (SELECT FROM ledger_entry e WHERE e.entry_id = p.entry_id) LIMIT 1000"""
    )
    return [row["entry_id"] for row in rows]
