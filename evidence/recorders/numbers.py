"""Examination of numbers: which of a recorder's own numbers no dock has seen. Pure; `numbering` says what a number is.

The first sighting of a series is where it begins: what came before is nobody's promise. From then on each new number
follows the one before it, or a finding names the numbers between, with their neighbours and the seconds there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from evidence.recorders.meanings import CLOCK_SET_BACK, NUMBERS_ANEW, NUMBERS_JUMP, NUMBERS_MISSING
from evidence.recorders.numbering import by_series, counted, narrow_series
from evidence.recorders.observation import Observation, observed
from evidence.recorders.sighting import ListedFile, Sighting

JUMP_MIN = 1000
"""From how many numbers on nobody believes in lost files."""

SET_BACK_SECONDS = 60
"""How much earlier a later number may be dated."""

Numbers = Mapping[int, ListedFile]


def examine_numbers(now: Sighting, earlier: Sequence[Sighting]) -> Iterator[Observation]:
    """Yield what the numbers of a sighting tell, after everything that was seen before, oldest first."""
    narrow = narrow_series([sighting.files for sighting in (*earlier, now)])
    known: dict[str, dict[int, ListedFile]] = {}
    for sighting in earlier:
        for series, numbers in by_series(sighting.files, narrow=narrow).items():
            before = known.get(series, {})
            fresh = _fresh(numbers, before)
            known[series] = {**(fresh if _began_anew(fresh, before) else before), **numbers}
    every = {number for numbers in known.values() for number in numbers}
    present = by_series(now.files, narrow=narrow)
    # One counter may name footage and stills by other letters: what any of them has is not missing.
    every |= {number for series, numbers in present.items() if series.startswith("camera ") for number in numbers}
    for series, numbers in sorted(present.items()):
        elsewhere = every if series.startswith("camera ") else set()
        yield from _examine_series(series, numbers, known.get(series, {}), elsewhere=elsewhere)


def _examine_series(series: str, numbers: Numbers, before: Numbers, *, elsewhere: set[int]) -> Iterator[Observation]:
    fresh = _fresh(numbers, before)
    chain = dict(before)
    if before and _began_anew(fresh, before):
        low = {number: file for number, file in fresh.items() if number <= max(before)}
        if not _is_at_its_end(before):
            last = max(before)
            facts = {"series": series, "last_number": last, "last": before[last].as_json(), "first_number": min(low)}
            yield observed(NUMBERS_ANEW, **facts, first=low[min(low)].as_json())
        yield from _holes(series, low, set(low), elsewhere=set())
        fresh = {number: file for number, file in fresh.items() if number not in low}
    yield from _holes(series, {**chain, **fresh}, set(fresh), elsewhere=elsewhere)


def _holes(series: str, chain: Numbers, fresh: set[int], *, elsewhere: set[int]) -> Iterator[Observation]:
    ordered = sorted(chain)
    for left, right in pairwise(ordered):
        if right not in fresh:
            continue
        before, after = chain[left], chain[right]
        missing = (
            [number for number in range(left + 1, right) if number not in elsewhere] if right - left <= JUMP_MIN else []
        )
        facts = {
            "series": series,
            "before": before.as_json(),
            "after": after.as_json(),
            "seconds": _seconds(before, after),
        }
        if right - left > JUMP_MIN:
            yield observed(NUMBERS_JUMP, **facts, first_missing=left + 1, last_missing=right - 1)
        elif missing:
            yield observed(
                NUMBERS_MISSING, **facts, first_missing=missing[0], last_missing=missing[-1], count=len(missing)
            )
        elif _is_set_back(before, after):
            yield observed(CLOCK_SET_BACK, **facts)


def _fresh(numbers: Numbers, before: Numbers) -> dict[int, ListedFile]:
    return {
        number: file for number, file in numbers.items() if number not in before or not file.is_same(before[number])
    }


def _began_anew(fresh: Numbers, before: Numbers) -> bool:
    """Tell whether new files bear numbers that were passed before, and were made later than all that was seen."""
    low = [file for number, file in fresh.items() if before and number <= max(before)]
    return bool(low) and min(file.modified_at for file in low) > max(file.modified_at for file in before.values())


def _is_at_its_end(before: Numbers) -> bool:
    last = max(before)
    count = counted(before[last].path)
    return count is not None and last >= 10**count.digits - 2


def _is_set_back(before: ListedFile, after: ListedFile) -> bool:
    if before.recorded_at is None or after.recorded_at is None:
        return False
    return (before.recorded_at - after.recorded_at).total_seconds() > SET_BACK_SECONDS


def _seconds(before: ListedFile, after: ListedFile) -> int | None:
    """Return how much time lies between two neighbours, None where times run backwards."""
    start, end = after.recorded_at, before.ended_at
    # Without a start in the name both file times are ends, and the later recording lies within what is said.
    apart = (start - end) if start and end else after.modified_at - before.modified_at
    return max(0, int(apart.total_seconds())) if apart.total_seconds() > -SET_BACK_SECONDS else None
