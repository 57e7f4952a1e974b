"""Saved searches: a question under a name, shared with a unit if wanted, asked again with what is new since last time.

A saved search is a person's own tool and no evidence: it says what somebody looks for, and nothing of any clip. What is
found is filtered by the rights of whoever asks it, not of whoever saved it. "New" is what was received after the person
who asks had asked last; a clip that answers only since it was annotated is not new by that.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from evidence.access.grant_store import grants_of
from evidence.access.scope import WHOLE, Scope
from evidence.clips.count_store import Counted, count_facets
from evidence.clips.folding import fold
from evidence.clips.query import ClipQuery
from evidence.clips.saved_store import (
    SavedSearch,
    count_saved,
    delete_saved,
    find_saved,
    insert_saved,
    mark_run,
)
from evidence.core.clock import Clock, Entropy
from evidence.core.ids import uuid7
from evidence.db.locks import lock_subject
from evidence.db.pool import Connection
from evidence.errors import SearchInvalid, SearchNameTaken, SearchUnknown, TooManySearches

NAME_CHARS_MAX = 100
SAVED_MAX = 100
"""Most questions that one person keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A saved search that is asked again now.

    Attributes:
        since: When this person asked it last; None for never.
        new: How many clips answer it that were received since.
    """

    saved: SavedSearch
    since: datetime | None
    at: datetime
    new: Counted


async def save_search(
    conn: Connection, *, staff: UUID, name: str, question: str, unit: UUID | None, clock: Clock, entropy: Entropy
) -> SavedSearch:
    """Keep a question under a name, in the caller's transaction.

    Raises:
        SearchInvalid: The question cannot be understood, or the name is empty, too long or holds control characters.
        SearchNameTaken: The person keeps another one under this name.
        TooManySearches: The person keeps `SAVED_MAX` already.
    """
    ClipQuery(text=question).tree()
    key = fold(name)
    if not key or len(name) > NAME_CHARS_MAX or not name.isprintable():
        raise SearchInvalid(f"a name has 1 to {NAME_CHARS_MAX} characters that can be shown")
    await lock_subject(conn, f"searches:{staff}")
    if await count_saved(conn, staff) >= SAVED_MAX:
        raise TooManySearches(f"{SAVED_MAX} searches are kept already; forget one first", most=SAVED_MAX)
    now = clock()
    saved = SavedSearch(
        search=uuid7(clock=clock, entropy=entropy),
        staff=staff,
        name=name,
        question=question,
        unit=unit,
        saved_at=now,
        run_at=None,
    )
    if not await insert_saved(conn, saved, name_key=key):
        raise SearchNameTaken("another search is kept under this name", name=name)
    return saved


async def forget_search(conn: Connection, search: UUID, *, staff: UUID) -> None:
    """Forget a question of one's own.

    Raises:
        SearchUnknown: The person keeps no such question.
    """
    if not await delete_saved(conn, search, staff=staff):
        raise SearchUnknown("you keep no such search")


async def run_search(
    conn: Connection, search: UUID, *, staff: UUID, units: Collection[UUID] | None, clock: Clock, scope: Scope = WHOLE
) -> Run:
    """Ask a saved question again, in the caller's transaction, and remember when.

    Raises:
        SearchUnknown: The person keeps no such question, and none is shared with them.
    """
    saved = await find_saved(conn, search, staff=staff, units=units)
    if saved is None:
        raise SearchUnknown("there is no such search")
    now = clock()
    question = ClipQuery(text=saved.question, received_after=saved.run_at)
    new = await count_facets(conn, question.condition(None, scope), names=())
    await mark_run(conn, search, staff=staff, now=now)
    return Run(saved=saved, since=saved.run_at, at=now, new=new)


async def units_of(conn: Connection, staff: UUID, *, now: datetime) -> frozenset[UUID] | None:
    """Return the units whose shared searches a person sees: those granted to them; None for all units."""
    grants = [grant for grant in await grants_of(conn, staff) if grant.counts_at(now)]
    if any(grant.all_units for grant in grants):
        return None
    return frozenset[UUID]().union(*(grant.units for grant in grants))
