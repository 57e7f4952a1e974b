"""Times of pictures and sound, kept as they came as far as they can be true: pure arithmetic.

A review copy keeps variable frame rates: a picture is shown when the original says, to the tick. But a damaged or odd
file states times that run backwards, are missing, or jump by years. A muxer refuses the first two and a player would
show the last as an empty afternoon. So `Timeline` hands out strictly rising times and counts what it had to change:

- *repairs*: a missing time is the last one plus a step; a small step backwards becomes the next tick;
- *breaks*: a jump back by more than a second, or forward beyond what the file's own length allows, is closed. From
  there on times are shifted, so sound and picture may part at that place; the count says that it happened.
"""

from __future__ import annotations

from fractions import Fraction

STEP_SECONDS_MAX = 1
UNSTATED_REACH_SECONDS = 3600
# A broken header may state centuries, and every second of a hole in the sound has to be filled.
STATED_SECONDS_MAX = 24 * 3600
REACH_SLACK_SECONDS = 60


class Timeline:
    """Turns one track's times into rising ticks from a common origin.

    Args:
        unit: Seconds per tick, of the times that come and of those that are handed out.
        origin: Time in seconds that becomes zero.
        step: Seconds between neighbours where nothing better is known.
        length: Seconds the file states for itself, None if it does not; no jump may reach beyond it, nor beyond a day.
    """

    def __init__(self, *, unit: Fraction, origin: Fraction, step: Fraction, length: Fraction | None) -> None:
        self.unit = unit
        self.repairs = 0
        self.breaks = 0
        self._shift = -round(origin / unit)
        self._step = max(1, round(step / unit))
        self._second = int(STEP_SECONDS_MAX / unit)
        reach = (
            UNSTATED_REACH_SECONDS
            if length is None
            else min(length, Fraction(STATED_SECONDS_MAX)) + REACH_SLACK_SECONDS
        )
        self._stated = length is not None
        self._reach = int(reach / unit)
        self._timed = False
        self._last: int | None = None

    def place(self, ticks: int | None, *, duration: int = 0) -> int:
        """Return the rising tick for a time as it came; `duration` in ticks, 0 if unknown, spaces what has no time."""
        expected = 0 if self._last is None else self._last + self._step
        if ticks is None:
            # Bare streams carry no times at all; that is their nature and not damage.
            self.repairs += self._timed
            placed = expected
        else:
            self._timed = True
            placed = self._bounded(ticks + self._shift, ticks, expected)
        if self._last is not None and placed <= self._last:
            self.repairs += 1
            placed = self._last + 1
        self._last = placed
        if duration > 0 and duration * self.unit <= STEP_SECONDS_MAX:
            self._step = duration
        return placed

    @property
    def step(self) -> int:
        """Ticks from the last time to the next where nothing better is known."""
        return self._step

    def _bounded(self, placed: int, ticks: int, expected: int) -> int:
        last = self._last
        if last is None:
            too_early, too_late = placed < 0, placed > self._reach
        else:
            too_early = placed < last - self._second
            # Against a stated length the place counts, else the size of the jump. Running steadily past a length that
            # was stated too short is no jump: a recorder may have died before it wrote the true one.
            jump = placed - last
            too_late = jump > self._second and (placed if self._stated else jump) > self._reach
        if not (too_early or too_late):
            return placed
        if last is None and placed >= -self._second:
            # A little before the common start: priming, or a start time that was only estimated.
            return 0
        self.breaks += 1
        self._shift = expected - ticks
        return expected
