"""Stretches of time: joined, and cut out of each other. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, order=True)
class Stretch:
    """From a moment to a later one."""

    start: datetime
    end: datetime

    @property
    def seconds(self) -> float:
        """Its length."""
        return (self.end - self.start).total_seconds()

    def holds(self, other: Stretch) -> bool:
        """Tell whether another lies within it."""
        return self.start <= other.start and other.end <= self.end


def union(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Join what overlaps or touches, in order.

    >>> from datetime import UTC
    >>> at = lambda minute: datetime(2026, 1, 1, 9, minute, tzinfo=UTC)
    >>> [one.seconds for one in union([Stretch(at(5), at(9)), Stretch(at(0), at(5)), Stretch(at(20), at(21))])]
    [540.0, 60.0]
    """
    joined: list[Stretch] = []
    for one in sorted(stretches):
        if joined and one.start <= joined[-1].end:
            joined[-1] = Stretch(joined[-1].start, max(joined[-1].end, one.end))
        else:
            joined.append(one)
    return joined


def left_out(whole: Stretch, covered: Iterable[Stretch], *, at_least: timedelta) -> list[Stretch]:
    """Return what of a stretch nothing covers; holes shorter than `at_least` are none."""
    holes, reached = list[Stretch](), whole.start
    for one in union(covered):
        if one.start > reached:
            holes.append(Stretch(reached, min(one.start, whole.end)))
        reached = max(reached, one.end)
        if reached >= whole.end:
            break
    if reached < whole.end:
        holes.append(Stretch(reached, whole.end))
    return [hole for hole in holes if hole.start < hole.end and hole.end - hole.start >= at_least]
