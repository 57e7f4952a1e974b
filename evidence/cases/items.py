"""Publishing recording-item lists, and which one is in force when.

Each version of an agency's list is one ledger entry, `items.published`. It is in force from its day on (Beijing time)
until the next version's. No version begins before the one it follows: what was in force on a past day can be told for
ever. A case names the list that was in force when it was opened and keeps it (R1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from evidence.cases.errors import ItemListAmbiguous, ItemListBackdated, ItemListUnknown
from evidence.cases.item_list import ItemList
from evidence.cases.items_store import ItemListRow, find_list, lists_in_force, newest_version
from evidence.cases.numbers import number_key
from evidence.clips.query_fields import BEIJING
from evidence.core.clock import Clock, Entropy
from evidence.core.ids import uuid7
from evidence.custody.record import record
from evidence.db.locks import lock_subject
from evidence.db.pool import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedList:
    """A version on record."""

    items: UUID
    version: int
    entry_id: UUID


async def publish_list(
    conn: Connection, *, content: ItemList, effective_from: date, actor: str, clock: Clock, entropy: Entropy
) -> PublishedList:
    """Put the next version of an agency's list on record, in the caller's transaction.

    Raises:
        ItemListBackdated: It would be in force before the version that it follows.
    """
    await lock_subject(conn, f"items:{number_key(content.agency)}")
    before = await newest_version(conn, agency=content.agency)
    if before is not None and effective_from < before.effective_from:
        raise ItemListBackdated(
            f"version {before.version} is in force from {before.effective_from}, not later than {effective_from}",
            version=before.version,
            effective_from=before.effective_from.isoformat(),
        )
    version = before.version + 1 if before else 1
    items = uuid7(clock=clock, entropy=entropy)
    recorded = await record(
        conn,
        type="items.published",
        actor=actor,
        subject=f"items:{items}",
        payload={
            "items": str(items),
            "agency": content.agency,
            "version": version,
            "effective_from": effective_from.isoformat(),
            "list": content.as_json(),
        },
        clock=clock,
        entropy=entropy,
    )
    return PublishedList(items=items, version=version, entry_id=recorded.entry_id)


async def rows_in_force(conn: Connection, at: datetime | date) -> Sequence[ItemListRow]:
    """Return what is in force at a moment, one version an agency."""
    return await lists_in_force(conn, day_of(at))


async def row_in_force(conn: Connection, at: datetime | date, *, agency: str | None = None) -> ItemListRow | None:
    """Return the version in force at a moment; None when there is none.

    Args:
        at: A day, or a moment, which falls on a day in Beijing.
        agency: Whose; may be left out where only one agency has a list.

    Raises:
        ItemListAmbiguous: Several agencies have one, and none is named.
        ItemListUnknown: The named one has none.
    """
    rows = await rows_in_force(conn, at)
    if agency is not None:
        found = [row for row in rows if number_key(row.agency) == number_key(agency)]
        if not found:
            raise ItemListUnknown(f"{agency} has no list in force on {day_of(at)}", agency=agency)
        return found[0]
    if len(rows) > 1:
        raise ItemListAmbiguous("several agencies have a list in force", agencies=[row.agency for row in rows])
    return rows[0] if rows else None


async def list_in_force(conn: Connection, at: datetime | date, *, agency: str | None = None) -> ItemList | None:
    """Return the list in force at a moment, see `row_in_force`."""
    row = await row_in_force(conn, at, agency=agency)
    return None if row is None else row.content


async def get_list(conn: Connection, items: UUID) -> ItemListRow:
    """Return a version.

    Raises:
        ItemListUnknown: There is none with this id.
    """
    row = await find_list(conn, items)
    if row is None:
        raise ItemListUnknown(f"there is no list {items}", items=str(items))
    return row


def day_of(at: datetime | date) -> date:
    """Return the day a moment falls on in Beijing."""
    return at.astimezone(BEIJING).date() if isinstance(at, datetime) else at
