"""What people say about clocks: start one by hand, stop it, let it go on, make it longer, say it is done or why not.

Each is one ledger entry in the caller's transaction, under the lock of its case, judged by the clock as it stands then;
the row of the clock follows in the same transaction. A crash before the commit leaves nothing said.

An extension is granted by somebody who did nothing for the case, handles it neither by account nor by name, did not ask
for it and, where the term is the review's, does not review it (R31), before the last day is over, and within what the
rule allows. Nothing is ever taken back: a clock that should not count is voided.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from evidence.calendar.loading import calendar_in_force
from evidence.calendar.workdays import day_of
from evidence.cases.cases import get_case
from evidence.cases.file import open_file
from evidence.cases.numbers import number_key
from evidence.core.clock import Clock as WallClock
from evidence.core.clock import Entropy, format_time
from evidence.core.ids import uuid7
from evidence.custody.record import Recorded, record
from evidence.db.locks import lock_subject
from evidence.db.pool import Connection
from evidence.deadlines.clock_store import find_clock
from evidence.deadlines.clocks import OPEN_STATES, Standing, standing
from evidence.deadlines.derive import Derived
from evidence.deadlines.errors import ClockConflict, ClockStatementInvalid, ClockUnknown, ExtensionRefused
from evidence.deadlines.follow import derive_case, refresh_case
from evidence.deadlines.rules import KINDS, PERIODIC
from evidence.deadlines.store import names_of_actor, rule_book
from evidence.deadlines.written import read_clock
from evidence.review.store import reviewers_of, workers_of
from ledger.canonical import JsonValue

STARTED_BY_HAND = tuple(kind for kind in KINDS if kind not in (*PERIODIC, "storing", "archive", "case"))
"""Kinds of clocks that may begin by hand; the others always follow from what is on record."""


async def start(
    conn: Connection,
    *,
    case: UUID,
    kind: str,
    started_at: datetime,
    note: str,
    actor: str,
    clock: WallClock,
    entropy: Entropy,
) -> tuple[str, Recorded]:
    """Begin a clock that nothing else on record begins; return its name and its entry.

    Args:
        started_at: When it began; not after now.

    Raises:
        CaseUnknown: There is no such case.
        ClockStatementInvalid: Clocks of this kind begin by themselves, no rule is in force for it, or it begins later.
    """
    await get_case(conn, case)
    await lock_subject(conn, f"case:{case}")
    if kind not in STARTED_BY_HAND:
        raise ClockStatementInvalid(f"no clock of kind {kind[:40]!r} begins by hand", kinds=list(STARTED_BY_HAND))
    if started_at > clock():
        raise ClockStatementInvalid("a clock does not begin in the future")
    calendar = await calendar_in_force(conn)
    head = await open_file(conn, case)
    rule = (await rule_book(conn)).rule(kind, on=day_of(started_at, calendar), action=head.case.kind)
    if rule is None:
        raise ClockStatementInvalid(f"no rule of {kind} is in force; publish one first", kind=kind)
    key = f"{kind}/{uuid7(clock=clock, entropy=entropy)}"
    payload: dict[str, JsonValue] = {
        "clock": key,
        "kind": kind,
        "case": str(case),
        "started_at": format_time(started_at),
        "note": note,
    }
    return key, await _say(conn, "started", payload, actor=actor, clock=clock, entropy=entropy)


async def pause(
    conn: Connection, *, key: str, case: UUID, reason: str, actor: str, clock: WallClock, entropy: Entropy
) -> Recorded:
    """Stop a clock from today on.

    Raises:
        ClockUnknown: The case has no such clock.
        ClockConflict: It stands still already, or is over.
    """
    _, now = await _open(conn, key, case, clock=clock)
    if now.state != "running":
        raise ClockConflict(f"a clock that is {now.state} cannot be stopped", state=now.state)
    payload: dict[str, JsonValue] = {"clock": key, "case": str(case), "reason": reason}
    return await _say(conn, "paused", payload, actor=actor, clock=clock, entropy=entropy)


async def resume(
    conn: Connection, *, key: str, case: UUID, reason: str, actor: str, clock: WallClock, entropy: Entropy
) -> Recorded:
    """Let a clock go on from today on.

    Raises:
        ClockUnknown: The case has no such clock.
        ClockConflict: It does not stand still.
    """
    _, now = await _open(conn, key, case, clock=clock)
    if now.state != "paused":
        raise ClockConflict(f"a clock that is {now.state} does not stand still", state=now.state)
    payload: dict[str, JsonValue] = {"clock": key, "case": str(case), "reason": reason}
    return await _say(conn, "resumed", payload, actor=actor, clock=clock, entropy=entropy)


async def extend(
    conn: Connection,
    *,
    key: str,
    case: UUID,
    days: int,
    reason: str,
    asked_by: str | None,
    actor: str,
    clock: WallClock,
    entropy: Entropy,
) -> Recorded:
    """Add days of the rule's own unit to a term.

    Args:
        asked_by: Who asked for it, in words.
        actor: Who grants it.

    Raises:
        ClockUnknown: The case has no such clock.
        ExtensionRefused: Whoever grants it worked on the case or reviews it, or the rule does not allow so many days.
        ClockConflict: The last day is over.
    """
    one, now = await _open(conn, key, case, clock=clock)
    await _require_other(conn, case, one.clock.rule.kind, actor=actor, asked_by=asked_by)
    allowed = one.clock.rule.extension_days_max - sum(given.days for given in one.clock.extensions)
    if days > allowed:
        raise ExtensionRefused(f"the rule allows {max(allowed, 0)} more days, not {days}", allowed=max(allowed, 0))
    if now.state not in ("running", "paused"):
        raise ClockConflict(f"a clock that is {now.state} is not made longer", state=now.state)
    payload: dict[str, JsonValue] = {"clock": key, "case": str(case), "days": days, "reason": reason}
    if asked_by is not None:
        payload["asked_by"] = asked_by
    return await _say(conn, "extended", payload, actor=actor, clock=clock, entropy=entropy)


async def fulfil(
    conn: Connection,
    *,
    key: str,
    case: UUID,
    done_at: datetime,
    reference: str,
    actor: str,
    clock: WallClock,
    entropy: Entropy,
) -> Recorded:
    """Say that what was due was done where this house does not see it.

    Args:
        reference: Where that is written.

    Raises:
        ClockUnknown: The case has no such clock.
        ClockConflict: It is over already.
        ClockStatementInvalid: It would have been done in the future, or before the clock began.
    """
    one, now = await _open(conn, key, case, clock=clock)
    if now.state not in OPEN_STATES:
        raise ClockConflict(f"a clock that is {now.state} does not end again", state=now.state)
    if not one.clock.started_at <= done_at <= clock():
        raise ClockStatementInvalid("it is done between the beginning of the clock and now")
    payload: dict[str, JsonValue] = {
        "clock": key,
        "case": str(case),
        "done_at": format_time(done_at),
        "reference": reference,
    }
    return await _say(conn, "fulfilled", payload, actor=actor, clock=clock, entropy=entropy)


async def void(
    conn: Connection, *, key: str, case: UUID, reason: str, actor: str, clock: WallClock, entropy: Entropy
) -> Recorded:
    """Say that a clock does not count, and why.

    Raises:
        ClockUnknown: The case has no such clock.
        ClockConflict: It is over already.
    """
    _, now = await _open(conn, key, case, clock=clock)
    if now.state not in OPEN_STATES:
        raise ClockConflict(f"a clock that is {now.state} is not voided", state=now.state)
    payload: dict[str, JsonValue] = {"clock": key, "case": str(case), "reason": reason}
    return await _say(conn, "voided", payload, actor=actor, clock=clock, entropy=entropy)


async def explain(
    conn: Connection, *, key: str, case: UUID | None, reason: str, actor: str, clock: WallClock, entropy: Entropy
) -> Recorded:
    """Say why something came late or is overdue; the newest reason counts.

    Args:
        case: The clock's case; None for recordings and periods.

    Raises:
        ClockUnknown: There is no such clock.
        ClockConflict: It is not late.
    """
    if case is not None:
        _, now = await _open(conn, key, case, clock=clock)
    else:
        row = await find_clock(conn, key)
        if row is None or row.case_id is not None:
            raise ClockUnknown(f"there is no clock {key} without a case")
        calendar = await calendar_in_force(conn)
        now = standing(read_clock(key, row.content), today=day_of(clock(), calendar), calendar=calendar)
    if now.state not in ("late", "overdue"):
        raise ClockConflict("only what is late has a reason for it")
    payload: dict[str, JsonValue] = {"clock": key, "case": None if case is None else str(case), "reason": reason}
    return await _say(conn, "explained", payload, actor=actor, clock=clock, entropy=entropy)


async def clocks_of(conn: Connection, case: UUID, *, clock: WallClock) -> Sequence[tuple[Derived, Standing]]:
    """Return the clocks of a case and where they stand now."""
    calendar = await calendar_in_force(conn)
    today: date = day_of(clock(), calendar)
    found = await derive_case(conn, case, clock=clock)
    return [(one, standing(one.clock, today=today, calendar=calendar)) for one in found]


async def _open(conn: Connection, key: str, case: UUID, *, clock: WallClock) -> tuple[Derived, Standing]:
    await lock_subject(conn, f"case:{case}")
    for one, now in await clocks_of(conn, case, clock=clock):
        if one.clock.key == key:
            return one, now
    raise ClockUnknown(f"the case has no clock {key[:100]}", clock=key[:100])


async def _say(
    conn: Connection, verb: str, payload: dict[str, JsonValue], *, actor: str, clock: WallClock, entropy: Entropy
) -> Recorded:
    recorded = await record(
        conn,
        type=f"deadline.{verb}",
        actor=actor,
        subject=f"clock:{payload['clock']}",
        payload=payload,
        clock=clock,
        entropy=entropy,
    )
    if payload["case"] is not None:
        await refresh_case(conn, UUID(str(payload["case"])), clock=clock)
    return recorded


async def _require_other(conn: Connection, case: UUID, kind: str, *, actor: str, asked_by: str | None) -> None:
    """See that whoever grants days did nothing for the case, is none of its handlers by name, and not its reviewer."""
    file = await open_file(conn, case)
    handlers = {number_key(one) for one in (*file.dossier.handlers, *([asked_by] if asked_by else []))}
    names = {number_key(name) for name in await names_of_actor(conn, actor)}
    if names & handlers or actor in await workers_of(conn, case):
        raise ExtensionRefused("an extension is granted by somebody who does not handle the case")
    if kind == "review" and actor in await reviewers_of(conn, case):
        raise ExtensionRefused("whoever reviews a case does not grant themselves more days for it")
