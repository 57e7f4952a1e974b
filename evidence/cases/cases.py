"""Cases, minimal and real: a case is opened under a number, clips become its exhibits.

Exhibit numbers run from 1 without a gap or a duplicate, however many people link at once: whoever links holds the
case's lock from reading the last number until the commit, and a transaction that fails gives its number back with all
else. A number, once given, never moves.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from evidence.access.scope import WHOLE, Scope
from evidence.cases.errors import CaseIsArchived, CaseKindUnknown, ExhibitUnknown
from evidence.cases.facts import UNKNOWN, CaseFacts
from evidence.cases.items import row_in_force
from evidence.cases.numbers import number_key
from evidence.cases.statement_store import archived_by
from evidence.cases.store import (
    CaseLink,
    CaseRow,
    cases_before,
    exhibits_after,
    find_case,
    find_case_by_number,
    find_link,
    next_exhibit,
)
from evidence.clips.store import clip_row
from evidence.core.clock import Clock, Entropy
from evidence.core.ids import uuid7
from evidence.custody.record import record
from evidence.db.locks import lock_subject
from evidence.db.pool import Connection
from evidence.errors import CaseInvalid, CaseNumberTaken, CaseUnknown, ClipUnknown
from evidence.registers.attribution import require_usable
from evidence.registers.units import get_unit
from evidence.retention.tombstones import keep_meanwhile

NUMBER_CHARS_MAX = 100
TITLE_CHARS_MAX = 400
REASON_CHARS_MAX = 400
HANDLERS_MAX = 20

_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedCase:
    """A case on record."""

    case_id: UUID
    entry_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What may be said of a case beyond number and title when it is opened.

    Attributes:
        kind: Action type, a key of the recording-item list in force.
        unit: Whose case it is.
        agency: Whose list counts, where several agencies have one in force.
        handlers: Who handles it, in words.
        facts: What legal review will ask for.
    """

    kind: str | None = None
    unit: UUID | None = None
    agency: str | None = None
    handlers: Sequence[str] = ()
    facts: CaseFacts = UNKNOWN


NOTHING_MORE = Opening()


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedClip:
    """A clip as an exhibit; `repeated` when it was one before, under the same number."""

    exhibit: int
    entry_id: UUID
    repeated: bool


async def open_case(
    conn: Connection,
    *,
    number: str,
    title: str,
    actor: str,
    clock: Clock,
    entropy: Entropy,
    more: Opening = NOTHING_MORE,
) -> OpenedCase:
    """Open a case, in the caller's transaction. It keeps the recording-item list that is in force now (R1).

    Raises:
        CaseInvalid: Number, title or a handler's name is empty, too long or holds control characters.
        CaseNumberTaken: Another case has this number; `details["case"]` names it.
        CaseKindUnknown: The list in force has no such action type, or there is no list (R11).
        ItemListUnknown, ItemListAmbiguous: See `evidence.cases.items.row_in_force`.
        UnitUnknown: The register has no such unit.
    """
    check_words(number, what="number", chars_max=NUMBER_CHARS_MAX)
    check_words(title, what="title", chars_max=TITLE_CHARS_MAX)
    _check_handlers(more.handlers)
    if more.unit is not None:
        await get_unit(conn, more.unit)
    items = await row_in_force(conn, clock(), agency=more.agency)
    if more.kind is not None and (items is None or items.content.action(more.kind) is None):
        known = [] if items is None else [action.key for action in items.content.action_types]
        raise CaseKindUnknown(f"the list in force knows no action type {more.kind}", known=known)
    await lock_subject(conn, f"case-number:{number_key(number)}")
    other = await find_case_by_number(conn, number)
    if other is not None:
        raise CaseNumberTaken(f"the number is taken by case {other.number}", case=str(other.case_id))
    case_id = uuid7(clock=clock, entropy=entropy)
    recorded = await record(
        conn,
        type="case.opened",
        actor=actor,
        subject=f"case:{case_id}",
        payload={
            "case": str(case_id),
            "number": number,
            "title": title,
            "kind": more.kind,
            "unit": None if more.unit is None else str(more.unit),
            "items": None if items is None else str(items.items),
            "handlers": list(more.handlers),
            "facts": more.facts.as_json(),
        },
        clock=clock,
        entropy=entropy,
    )
    return OpenedCase(case_id=case_id, entry_id=recorded.entry_id)


async def link_clip(
    conn: Connection, *, case_id: UUID, clip: UUID, actor: str, clock: Clock, entropy: Entropy
) -> LinkedClip:
    """Make a clip the next exhibit of a case, in the caller's transaction; asked again, the same exhibit.

    A clip that was unlinked becomes an exhibit under a new number: its old one stays used.

    Raises:
        CaseUnknown: There is no such case.
        CaseIsArchived: Nothing joins it any more.
        ClipUnknown: There is no such clip.
        ClipBlocked: Whose the clip is, is not settled.
        ClipDisposed: There is not any more.
    """
    await get_case(conn, case_id)
    if await clip_row(conn, clip) is None:
        raise ClipUnknown(f"there is no clip {clip}", clip=str(clip))
    await keep_meanwhile(conn, clip)
    await lock_subject(conn, f"case:{case_id}")
    known = await find_link(conn, case_id=case_id, clip=clip)
    if known is not None:
        return LinkedClip(exhibit=known.exhibit, entry_id=known.entry_id, repeated=True)
    await require_open(conn, case_id)
    await require_usable(conn, clip)
    exhibit = await next_exhibit(conn, case_id)
    recorded = await record(
        conn,
        type="case.clip_linked",
        actor=actor,
        subject=f"case:{case_id}",
        payload={"case": str(case_id), "clip": str(clip), "exhibit": exhibit},
        clock=clock,
        entropy=entropy,
    )
    return LinkedClip(exhibit=exhibit, entry_id=recorded.entry_id, repeated=False)


async def unlink_clip(
    conn: Connection, *, case_id: UUID, exhibit: int, reason: str, actor: str, clock: Clock, entropy: Entropy
) -> UUID:
    """Take a clip out of a case, in the caller's transaction; return the entry's id. The number stays used.

    Raises:
        CaseUnknown, ExhibitUnknown: There is no such case, or no such exhibit any more.
        CaseInvalid: The reason is empty or too long.
        CaseIsArchived: Nothing leaves it any more.
    """
    await get_case(conn, case_id)
    check_words(reason, what="reason", chars_max=REASON_CHARS_MAX)
    await lock_subject(conn, f"case:{case_id}")
    await require_open(conn, case_id)
    link = next(iter(await exhibits_after(conn, case_id, after=exhibit - 1, limit=1)), None)
    if link is None or link.exhibit != exhibit:
        raise ExhibitUnknown(f"the case has no exhibit {exhibit}", exhibit=exhibit)
    recorded = await record(
        conn,
        type="case.clip_unlinked",
        actor=actor,
        subject=f"case:{case_id}",
        payload={"case": str(case_id), "clip": str(link.clip), "exhibit": exhibit, "reason": reason},
        clock=clock,
        entropy=entropy,
    )
    return recorded.entry_id


async def require_open(conn: Connection, case_id: UUID) -> None:
    """Refuse a case that is archived; for whoever holds the case's lock.

    Raises:
        CaseIsArchived: It is.
    """
    entry = await archived_by(conn, case_id)
    if entry is not None:
        raise CaseIsArchived("the case is archived; what became known since is an addendum", entry=str(entry))


async def get_case(conn: Connection, case_id: UUID) -> CaseRow:
    """Return a case.

    Raises:
        CaseUnknown: There is none with this id.
    """
    case = await find_case(conn, case_id)
    if case is None:
        raise CaseUnknown(f"there is no case {case_id}", case=str(case_id))
    return case


async def list_cases(
    conn: Connection, *, before: UUID | None = None, limit: int = 50, scope: Scope = WHOLE
) -> Sequence[CaseRow]:
    """Return cases that whoever asks may know of, the one opened last first, opened before the case `before`."""
    return await cases_before(conn, before=before, limit=limit, scope=scope)


async def list_exhibits(conn: Connection, case_id: UUID, *, after: int = 0, limit: int = 50) -> Sequence[CaseLink]:
    """Return the exhibits of a case in order of their numbers, behind number `after`.

    Raises:
        CaseUnknown: There is no such case.
    """
    await get_case(conn, case_id)
    return await exhibits_after(conn, case_id, after=after, limit=limit)


def check_words(text: str, *, what: str, chars_max: int) -> None:
    """Refuse words that are none.

    Raises:
        CaseInvalid: They are empty, too long, or hold control characters.
    """
    if not number_key(text):
        raise CaseInvalid(f"the {what} is empty")
    if len(text) > chars_max:
        raise CaseInvalid(f"the {what} has {len(text)} characters, at most {chars_max} are allowed")
    if _CONTROL.search(text):
        raise CaseInvalid(f"the {what} holds control characters")


def _check_handlers(handlers: Sequence[str]) -> None:
    if len(handlers) > HANDLERS_MAX:
        raise CaseInvalid(f"{len(handlers)} people handle the case, at most {HANDLERS_MAX} can be named")
    for handler in handlers:
        check_words(handler, what="handler's name", chars_max=TITLE_CHARS_MAX)
