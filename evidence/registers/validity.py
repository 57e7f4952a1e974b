"""Days on which something is in force, and which of several versions counts on a day. Pure.

A day is a day of China's time zone, whatever the machine's. Both ends are inside: a certificate that expires today is
valid today. Of several versions the newest on record that had begun by a day counts for it, and for no other reason:
one that begins later leaves the days before it to what was said earlier, one that reaches further back replaces it
there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Protocol, TypeVar

from evidence.registers.errors import ValidityInvalid

CHINA = timezone(timedelta(hours=8))
"""The zone in which certificates begin and end; China has one, without summer time since 1991."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """Days from `first` to `last`, both inside; None has no such end."""

    first: date | None = None
    last: date | None = None

    def __post_init__(self) -> None:
        if self.first is not None and self.last is not None and self.last < self.first:
            raise ValidityInvalid(f"it would end on {self.last}, before it begins on {self.first}")

    def has_begun(self, day: date) -> bool:
        """Tell whether the first day is not to come."""
        return self.first is None or self.first <= day

    def holds(self, day: date) -> bool:
        """Tell whether a day is inside."""
        return self.has_begun(day) and (self.last is None or day <= self.last)


ALWAYS = Validity()


class Versioned(Protocol):
    """What has a validity."""

    @property
    def validity(self) -> Validity:
        """When it is in force."""
        ...


V = TypeVar("V", bound=Versioned)


def day_of(instant: datetime) -> date:
    """Return the day of an instant in China."""
    return instant.astimezone(CHINA).date()


def counting(versions: Sequence[V], day: date) -> V | None:
    """Return the version that counts for a day, in force or not; versions in the order they were put on record."""
    return next((one for one in reversed(versions) if one.validity.has_begun(day)), None)


def parse_day(text: str | None) -> date | None:
    """Read `2026-11-22`; None stays None.

    Raises:
        ValidityInvalid: Another spelling, or no such day.
    """
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise ValidityInvalid(f"no such day: {text[:40]!r}") from error
    if day.isoformat() != text:
        raise ValidityInvalid(f"a day is written YYYY-MM-DD, not {text[:40]!r}")
    return day


def format_day(day: date | None) -> str | None:
    """Write what `parse_day` reads."""
    return None if day is None else day.isoformat()
