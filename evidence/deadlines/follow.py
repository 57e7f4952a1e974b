"""Following the log: clocks are brought up to what is on record, and somebody is told of last days.

Each step is one transaction under one lock: a stretch of the log is read, the facts in it are kept, every case, period
and recording it touches has its clocks derived anew, the cursor moves. Another calendar or another table of rules lets
the log be read again from its beginning, with what stands there staying until it is overwritten.

    crash before the commit    nothing was read; the step is taken again
    crash after it             the cursor stands behind what was read
    two programs at once       one waits for the other's lock, and finds less to do

A warning is an entry of its own, `deadline.warned`, written by whoever finds the clock untold once the log was read to
its end; the row that it becomes is unique by clock, last day and mark. So however often a program restarts, there is
one entry, and the outbox tells that once. A last day that moves (a pause, an extension, an announced holiday) is
another last day, of which is warned again.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from evidence.calendar.loading import calendar_in_force
from evidence.calendar.workdays import WorkCalendar, day_of
from evidence.cases.items_store import find_list
from evidence.core.clock import Clock as WallClock
from evidence.core.clock import Entropy, format_time
from evidence.custody.record import record
from evidence.db.locks import lock_subject
from evidence.db.pool import Connection, Pool
from evidence.deadlines import clock_store as clocks
from evidence.deadlines.clock_store import ClockRow, Cursor, SeenFile, StoredClip
from evidence.deadlines.clocks import Clock, Fulfilment
from evidence.deadlines.derive import (
    FACT_TYPES,
    CaseView,
    Derived,
    Fact,
    Said,
    clocks_of_case,
    clocks_of_periods,
)
from evidence.deadlines.rules import RuleBook
from evidence.deadlines.store import rule_book, said_of_case, said_of_clocks
from evidence.deadlines.written import read_clock, row_of
from ledger.pausing import happens

STRETCH = 1_000
"""Places of the log that one step reads."""

WARNINGS = 100
"""Most warnings of one step."""

PAUSE_SECONDS = 5.0

SETTLE_SECONDS = 60.0
"""How long after its start a program tells of nothing: what waited on docks while it was down comes in first."""

FORM = 2
"""Form of the derived rows; another one lets them be made anew."""

_SAID_TYPES = tuple(
    f"deadline.{verb}" for verb in ("started", "paused", "resumed", "extended", "fulfilled", "voided", "explained")
)
_CLIP_TYPES = ("clip.sealed", "clip.derived", "clip.attributed", "clip.attribution_resolved")


@dataclass(frozen=True, slots=True)
class _Basis:
    book: RuleBook
    calendar: WorkCalendar
    today: date

    @property
    def name(self) -> str:
        """Name what clocks are counted by; another name lets them be made anew."""
        return f"{FORM}; {self.book.name}; {self.calendar.version}"


async def run_deadlines(stop: asyncio.Event, *, pool: Pool, clock: WallClock, entropy: Entropy) -> None:
    """Follow the log and tell of last days, until `stop`."""
    settled_at = time.monotonic() + SETTLE_SECONDS
    while not stop.is_set():
        if not await step(pool, clock=clock, entropy=entropy, tells=time.monotonic() >= settled_at):
            await happens(stop, PAUSE_SECONDS)


async def catch_up(pool: Pool, *, clock: WallClock, entropy: Entropy) -> None:
    """Follow the log to its end."""
    while await step(pool, clock=clock, entropy=entropy):
        pass


async def step(pool: Pool, *, clock: WallClock, entropy: Entropy, tells: bool = True) -> bool:
    """Read a stretch of the log, or at its end tell of some last days; False when there is nothing left to do.

    Args:
        tells: Whether to tell of last days at all.
    """
    async with pool.acquire() as conn, conn.transaction():
        await lock_subject(conn, "deadlines")
        basis = await _basis(conn, clock)
        cursor = await _cursor(conn, basis)
        size = await clocks.tree_size(conn)
        end = min(cursor.next_index + STRETCH, size)
        if end > cursor.next_index:
            await _read(conn, basis, start=cursor.next_index, end=end)
        await clocks.move_cursor(conn, Cursor(next_index=end, counted_by=basis.name, counted_on=basis.today))
        if end < size:
            return True
        return tells and await _warn(conn, today=basis.today, clock=clock, entropy=entropy)


async def derive_case(conn: Connection, case: UUID, *, clock: WallClock) -> list[Derived]:
    """Return the clocks of a case: from facts as far as the log was read, and from all that was said so far."""
    return await _derive_case(conn, case, await _basis(conn, clock))


async def refresh_case(conn: Connection, case: UUID, *, clock: WallClock) -> None:
    """Bring the rows of a case's clocks up to what was said."""
    await _refresh_case(conn, case, await _basis(conn, clock))


async def _basis(conn: Connection, clock: WallClock) -> _Basis:
    calendar = await calendar_in_force(conn)
    return _Basis(await rule_book(conn), calendar, day_of(clock(), calendar))


async def _cursor(conn: Connection, basis: _Basis) -> Cursor:
    """Return from where to read; on another day, what moves from day to day is counted anew."""
    cursor = await clocks.read_cursor(conn)
    if cursor is None or cursor.counted_by != basis.name:
        return Cursor(next_index=0, counted_by=basis.name, counted_on=basis.today)
    if cursor.counted_on != basis.today:
        for case in await clocks.paused_cases(conn):
            await _refresh_case(conn, case, basis)
        await _refresh_periods(conn, basis)
    return cursor


async def _read(conn: Connection, basis: _Basis, *, start: int, end: int) -> None:
    types = (*FACT_TYPES, *_SAID_TYPES, *_CLIP_TYPES, "dock.inventory")
    found = await clocks.facts_between(conn, start=start, end=end, types=types)
    kept = [(fact, await _case_of(conn, fact, found)) for fact in found if fact.type in FACT_TYPES]
    await clocks.keep_facts(conn, kept)
    said = [fact for fact in found if fact.type in _SAID_TYPES]
    cases = {case for _, case in kept if case is not None}
    cases |= {UUID(one.payload["case"]) for one in said if one.payload["case"] is not None}
    for case in sorted(cases):
        await _refresh_case(conn, case, basis)
    loose = [one.payload["clock"] for one in said if one.payload["case"] is None]
    sealed = {UUID(one.payload["clip"]) for one in found if one.type in _CLIP_TYPES}
    await _refresh_clips(conn, sealed | await _clips_of(conn, loose), basis)
    await _refresh_files(conn, [UUID(one.payload["inventory"]) for one in found if one.type == "dock.inventory"], basis)
    await _explain_files(conn, loose, basis)
    await _refresh_periods(conn, basis)


async def _case_of(conn: Connection, fact: Fact, batch: Sequence[Fact]) -> UUID | None:
    named = fact.payload.get("case")
    if named is None and (publication := fact.payload.get("publication")) is not None:
        told = (one for one in batch if one.type == "publication.published")
        named = next((one.payload.get("case") for one in told if one.payload["publication"] == publication), None)
        if named is None:
            return await clocks.case_of_publication(conn, publication)
    return None if named is None else UUID(named)


async def _derive_case(conn: Connection, case: UUID, basis: _Basis) -> list[Derived]:
    head = await clocks.case_head(conn, case)
    if head is None:
        return []
    items = None if head.items is None else await find_list(conn, head.items)
    view = CaseView(
        case=case,
        number=head.number,
        action=head.kind,
        unit=head.unit,
        items=None if items is None else items.content,
        facts=await clocks.facts_of_case(conn, case),
    )
    return clocks_of_case(view, await said_of_case(conn, case), book=basis.book, calendar=basis.calendar)


async def _refresh_case(conn: Connection, case: UUID, basis: _Basis) -> None:
    found = await _derive_case(conn, case, basis)
    await clocks.keep_only(conn, case, [one.clock.key for one in found])
    await _put(conn, found, basis)


async def _refresh_periods(conn: Connection, basis: _Basis) -> None:
    begun = await clocks.first_day(conn)
    if begun is None:
        return
    facts = await clocks.facts_of_type(conn, "publicity.reported")
    since = day_of(begun, basis.calendar)
    bare = clocks_of_periods(facts, (), since=since, today=basis.today, book=basis.book, calendar=basis.calendar)
    said = await said_of_clocks(conn, [one.clock.key for one in bare])
    found = clocks_of_periods(facts, said, since=since, today=basis.today, book=basis.book, calendar=basis.calendar)
    await _put(conn, found, basis)


async def _refresh_clips(conn: Connection, clips: Iterable[UUID], basis: _Basis) -> None:
    stored = await clocks.stored_clips(conn, clips)
    said = await said_of_clocks(conn, [f"storing/{one.clip}" for one in stored])
    await clocks.drop_clocks(
        conn,
        [
            _file_key(one.recorder, one.path, format_time(one.recorded_at))
            for one in stored
            if one.recorder and one.recorded_at
        ],
    )
    await _put(conn, [_storing(one, said, basis) for one in stored], basis)


async def _refresh_files(conn: Connection, inventories: Sequence[UUID], basis: _Basis) -> None:
    seen = await clocks.files_not_come(conn, inventories) if inventories else ()
    said = await said_of_clocks(conn, [_key_of(one) for one in seen])
    await _put(conn, [_waiting(one, said, basis) for one in seen], basis)


async def _explain_files(conn: Connection, keys: Iterable[str], basis: _Basis) -> None:
    for key in keys:
        row = await clocks.find_clock(conn, key)
        if row is not None and row.kind == "storing" and row.clip is None:
            said = await said_of_clocks(conn, [key])
            clock = read_clock(key, row.content)
            one = Derived(clock=clock, kind=row.kind, name=row.name, explained=_explained(key, said))
            await _put(conn, [one], basis)


async def _clips_of(conn: Connection, keys: Iterable[str]) -> set[UUID]:
    rows = [await clocks.find_clock(conn, key) for key in keys]
    return {row.clip for row in rows if row is not None and row.clip is not None}


def _storing(one: StoredClip, said: Sequence[Said], basis: _Basis) -> Derived:
    key = f"storing/{one.clip}"
    return Derived(
        clock=Clock(
            key=key,
            rule=basis.book.stated("storing", on=day_of(one.ended_at, basis.calendar)),
            started_at=one.ended_at,
            fulfilment=Fulfilment(at=one.received_at, entry_id=one.entry_id, index=one.index),
        ),
        kind="storing",
        name=one.name,
        clip=one.clip,
        unit=one.unit,
        explained=_explained(key, said),
    )


def _waiting(one: SeenFile, said: Sequence[Said], basis: _Basis) -> Derived:
    key = _key_of(one)
    rule = basis.book.stated("storing", on=day_of(one.recorded_at, basis.calendar))
    clock = Clock(key=key, rule=rule, started_at=one.recorded_at)
    return Derived(clock=clock, kind="storing", name=f"{one.recorder} {one.path}", explained=_explained(key, said))


def _explained(key: str, said: Sequence[Said]) -> str | None:
    reasons = [one.content["reason"] for one in said if one.clock == key and one.verb == "explained"]
    return reasons[-1] if reasons else None


def _key_of(one: SeenFile) -> str:
    return _file_key(one.recorder, one.path, format_time(one.recorded_at))


def _file_key(recorder: str, path: str, recorded_at: str) -> str:
    """Name a file on a recorder that has no clip yet."""
    return "storing/" + hashlib.sha256("\0".join((recorder, path, recorded_at)).encode()).hexdigest()


async def _put(conn: Connection, found: Iterable[Derived], basis: _Basis) -> None:
    await clocks.put_clocks(conn, [row_of(one, today=basis.today, calendar=basis.calendar) for one in found])


async def _warn(conn: Connection, *, today: date, clock: WallClock, entropy: Entropy) -> bool:
    told = 0
    for mark in ("ahead", "overdue"):
        for row in await clocks.to_warn(conn, today=today, mark=mark, limit=WARNINGS):
            await _tell(conn, row, mark=mark, clock=clock, entropy=entropy)
            told += 1
    return told > 0


async def _tell(conn: Connection, row: ClockRow, *, mark: str, clock: WallClock, entropy: Entropy) -> None:
    await record(
        conn,
        type="deadline.warned",
        actor="service",
        subject=f"clock:{row.clock}",
        payload={
            "clock": row.clock,
            "kind": row.kind,
            "case": None if row.case_id is None else str(row.case_id),
            "due_on": row.due_on.isoformat(),
            "mark": mark,
            "provisional": row.provisional,
        },
        clock=clock,
        entropy=entropy,
    )
