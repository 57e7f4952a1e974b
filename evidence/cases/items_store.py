"""SQL of recording-item lists, and their projection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from asyncpg import Record

from evidence.cases.item_list import ItemList
from evidence.cases.numbers import number_key
from evidence.custody.case_payloads import ItemsPublished
from evidence.custody.recorded import RecordedEvent
from evidence.db.paging import LAST_ID
from evidence.db.pool import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemListRow:
    """One version of an agency's list."""

    items: UUID
    agency: str
    version: int
    effective_from: date
    content: ItemList
    published_by: str
    published_at: datetime
    entry_id: UUID


_LISTS = "SELECT items, agency, version, effective_from, content, published_by, published_at, entry_id FROM item_list"


async def project_items_published(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `items.published`."""
    published = ItemsPublished.model_validate(event.payload)
    await conn.execute(
        """INSERT INTO item_list
               (items, agency, agency_key, version, effective_from, content, published_by, published_at, entry_id)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)""",
        published.items,
        published.agency,
        number_key(published.agency),
        published.version,
        published.effective_from,
        event.payload["list"],
        event.actor,
        event.at,
        event.entry_id,
    )


async def find_list(conn: Connection, items: UUID) -> ItemListRow | None:
    """Return a version by its id."""
    row = await conn.fetchrow(f"{_LISTS} WHERE items = $1", items)
    return None if row is None else _list(row)


async def newest_version(conn: Connection, *, agency: str) -> ItemListRow | None:
    """Return the last version an agency published, in force or not yet."""
    row = await conn.fetchrow(f"{_LISTS} WHERE agency_key = $1 ORDER BY version DESC LIMIT 1", number_key(agency))
    return None if row is None else _list(row)


async def lists_in_force(conn: Connection, day: date) -> Sequence[ItemListRow]:
    """Return the version each agency has in force on a day, in order of their agencies."""
    rows = await conn.fetch(
        _LISTS.replace("SELECT", "SELECT DISTINCT ON (agency_key)", 1)
        + " WHERE effective_from <= $1 ORDER BY agency_key, version DESC",
        day,
    )
    return [_list(row) for row in rows]


async def lists_before(conn: Connection, *, before: UUID | None, limit: int) -> Sequence[ItemListRow]:
    """Return versions of all agencies, the one published last first, published before `before`."""
    rows = await conn.fetch(f"{_LISTS} WHERE items < $1 ORDER BY items DESC LIMIT $2", before or LAST_ID, limit)
    return [_list(row) for row in rows]


def _list(row: Record) -> ItemListRow:
    # In the non-strict mode a JSON list in the row is what it was in the payload.
    return ItemListRow(**{**dict(row), "content": ItemList.model_validate(row["content"])})
