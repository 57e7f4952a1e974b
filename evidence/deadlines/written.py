"""Clocks as JSON, as rows and answers hold them: writing and reading back are inverse. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from evidence.calendar.workdays import WorkCalendar
from evidence.core.clock import format_time, parse_time
from evidence.deadlines.clock_store import NewRow
from evidence.deadlines.clocks import Clock, Extension, Fulfilment, Pause, standing, warn_on
from evidence.deadlines.derive import Derived
from evidence.deadlines.rules import Rule


def written(clock: Clock, *, explained: str | None = None) -> dict[str, Any]:
    """Return a clock as JSON values."""
    done = clock.fulfilment
    return {
        "rule": clock.rule.as_json(),
        "started_at": format_time(clock.started_at),
        "pauses": [
            {
                "since": format_time(one.since),
                "until": None if one.until is None else format_time(one.until),
                "reason": one.reason,
            }
            for one in clock.pauses
        ],
        "extensions": [
            {"days": one.days, "at": format_time(one.at), "approver": one.approver, "reason": one.reason}
            for one in clock.extensions
        ],
        "fulfilment": None
        if done is None
        else {"at": format_time(done.at), "entry": str(done.entry_id), "index": done.index},
        "period_ends_on": None if clock.period_ends_on is None else clock.period_ends_on.isoformat(),
        "void_because": clock.void_because,
        "explained": explained,
    }


def read_clock(key: str, content: Mapping[str, Any]) -> Clock:
    """Return the clock that was written."""
    done, ends = content["fulfilment"], content["period_ends_on"]
    return Clock(
        key=key,
        rule=Rule.model_validate(content["rule"]),
        started_at=parse_time(content["started_at"]),
        pauses=[
            Pause(
                since=parse_time(one["since"]),
                until=None if one["until"] is None else parse_time(one["until"]),
                reason=one["reason"],
            )
            for one in content["pauses"]
        ],
        extensions=[
            Extension(days=one["days"], at=parse_time(one["at"]), approver=one["approver"], reason=one["reason"])
            for one in content["extensions"]
        ],
        fulfilment=None
        if done is None
        else Fulfilment(at=parse_time(done["at"]), entry_id=UUID(done["entry"]), index=done["index"]),
        period_ends_on=None if ends is None else date.fromisoformat(ends),
        void_because=content["void_because"],
    )


def row_of(one: Derived, *, today: date, calendar: WorkCalendar) -> NewRow:
    """Return the row of a clock as it stands on a day."""
    now = standing(one.clock, today=today, calendar=calendar)
    status = {"paused": "paused", "in_time": "done", "late": "done", "void": "void"}.get(now.state, "open")
    return NewRow(
        clock=one.clock.key,
        kind=one.kind,
        case_id=one.case,
        clip=one.clip,
        unit=one.unit,
        name=one.name,
        content=written(one.clock, explained=one.explained),
        due_on=now.due_on,
        warn_on=warn_on(now.due_on, one.clock.rule),
        provisional=now.provisional,
        status=status,
        late=now.state == "late",
        explained=one.explained is not None,
    )
