"""Whose a clip is, judged from what the registers and the clip's dock say. Pure.

1. When: what the recorder's name for the file says, else the file's time; put right by how much the recorder's clock
   was off when its dock read it. A time before 2000 or after the clip arrived is a dead battery, and no time.
2. Who held the recorder then. A fixed camera is held by nobody, and its unit's.
3. Whether the officer's certificate was in force that day.
4. Whether the officer number in the file's name or the manifest says the same. It is never the only word: whoever
   wears a recorder types it in.

Flags are facts, each in `FLAGS`. Those in `BLOCKING` keep a clip from use until a named person resolves them, unless
the clip was sealed before the agency had set up its register: `register_empty` is shown, and blocks nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Literal
from uuid import UUID

from evidence.recorders.register import EARLIEST
from evidence.recorders.sighting import put_right
from evidence.registers.officer_store import Officer
from evidence.registers.validity import counting, day_of

Basis = Literal["name", "file_time"]

FLAGS: Mapping[str, str] = MappingProxyType(
    {
        "officer_unknown": "the file names an officer whom nobody registered",
        "officer_expired": "the officer's certificate was not in force on the day of the recording",
        "recorder_unassigned": "the recorder was nobody's at the time of the recording",
        "officers_disagree": "the file names another officer than the one who held the recorder",
        "time_unknown": "nobody can say when it was recorded: the officer is who held the recorder when it arrived",
        "register_empty": "the clip was sealed before any officer was registered or any recorder assigned",
        "no_recorder": "a person sent it; no recorder is known",
    }
)
"""Every flag and what it tells."""

BLOCKING = frozenset({"officer_unknown", "officer_expired", "recorder_unassigned", "officers_disagree", "time_unknown"})
"""Flags that keep a clip from use, each by itself."""

_AHEAD_MAX = timedelta(days=1)
"""How far a recorder's clock may be ahead of the clip's arrival: zones are taken for one another in the field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a clip came from.

    Attributes:
        recorder: The number of its recorder; None when a person sent it.
        stated: The officer number in the file's name or the manifest.
        named_at: When it began, as its name says, by the recorder's clock.
        modified_at: The file's time, by the recorder's clock.
        offset_ms: The recorder's clock minus the service's; 0 where nobody could read it.
        received_at: When it arrived.
        before_register: Whether it was sealed before the agency had set up its register.
    """

    recorder: str | None
    stated: str | None
    named_at: datetime | None
    modified_at: datetime | None
    offset_ms: int
    received_at: datetime
    before_register: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the registers say about a recorder at a time.

    Attributes:
        is_fixed: Whether it is a fixed camera.
        unit: The recorder's unit, else its dock's.
        holder: Every version of the officer who held it, oldest first; empty for nobody.
        named: The same of the officer whom the file names.
    """

    is_fixed: bool = False
    unit: UUID | None = None
    holder: Sequence[Officer] = ()
    named: Sequence[Officer] = ()


@dataclass(frozen=True, slots=True)
class RecordTime:
    """When a clip was recorded, and what that was read from."""

    at: datetime | None
    basis: Basis | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whose a clip is, as far as the registers tell."""

    officer: UUID | None
    unit: UUID | None
    flags: tuple[str, ...]

    @property
    def blocked(self) -> bool:
        """Whether a person has to resolve it before the clip is used."""
        return is_blocking(self.flags)


def is_blocking(flags: Sequence[str]) -> bool:
    """Tell whether flags keep a clip from use."""
    return "register_empty" not in flags and not BLOCKING.isdisjoint(flags)


def record_time(origin: Origin) -> RecordTime:
    """Say when a clip was recorded, by the service's clock."""
    stated: tuple[tuple[datetime | None, Basis], ...] = (
        (origin.named_at, "name"),
        (origin.modified_at, "file_time"),
    )
    for shown, basis in stated:
        if shown is not None:
            at = put_right(shown, offset_ms=origin.offset_ms)
            if EARLIEST <= at <= origin.received_at + _AHEAD_MAX:
                return RecordTime(at, basis)
    return RecordTime(None, None)


def judge(origin: Origin, known: Known, at: datetime | None) -> Verdict:
    """Say whose a clip is.

    Args:
        at: When it was recorded, of `record_time`.
    """
    shown = ("register_empty",) if origin.before_register else ()
    if origin.recorder is None:
        return Verdict(None, known.unit, (*shown, "no_recorder"))
    if known.is_fixed:
        return Verdict(None, known.unit, shown)
    day = day_of(at or origin.received_at)
    stated = None if origin.stated is None or not origin.stated.strip("0 ") else origin.stated
    versions = known.holder or known.named
    officer = counting(versions, day) or (versions[0] if versions else None)
    flags = [*shown]
    if at is None:
        flags.append("time_unknown")
    if not known.holder:
        flags.append("recorder_unassigned")
    if stated is not None and not known.named:
        flags.append("officer_unknown")
    elif stated is not None and known.holder and known.named[0].officer != known.holder[0].officer:
        flags.append("officers_disagree")
    if officer is not None and not officer.validity.holds(day):
        flags.append("officer_expired")
    if officer is None:
        return Verdict(None, known.unit, tuple(flags))
    return Verdict(officer.officer, officer.unit_id or known.unit, tuple(flags))
