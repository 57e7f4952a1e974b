"""Examination: what a new sighting of a recorder tells after the sightings before it. Pure.

```
sightings before (oldest first) ─┐
other docks' presence ───────────┼─> examine ─> observations: code, weight, facts with names, numbers and seconds
the new sighting ────────────────┘
```

What is expected stays unsaid: files that are sealed may go, whether the station cleared them or the recorder did; new
files may come; numbers go on; pauses between recordings are the officer's. Everything else becomes an observation with
its innocent causes (`meanings`). Nothing here says that somebody did something.

It has to bear any input: a dock signs what a card pretends. Sizes are bounded by the statement's own limits, the time
taken grows with the number of files times its logarithm.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from uuid import UUID

from evidence.recorders.meanings import (
    FILE_REPLACED,
    FILE_VANISHED,
    INVENTORY_MISSING,
    INVENTORY_REPEATED,
    OTHER_DEVICE,
    TWO_DOCKS,
    Weight,
)
from evidence.recorders.numbering import counted
from evidence.recorders.numbers import examine_numbers
from evidence.recorders.observation import OBSERVATIONS_MAX, Observation, observed
from evidence.recorders.sighting import ListedFile, Presence, Sighting, by_name
from evidence.recorders.times import examine_times

NAMED_MAX = 20
"""Most files that one observation names; it always counts all of them."""

TOGETHER_MS = 2_000
"""Presence at two docks that clocks explain, beside what they are known to be uncertain by."""

_ORDER = {Weight.HIGH: 0, Weight.NOTICE: 1, Weight.INFO: 2}


def examine(
    now: Sighting, *, earlier: Sequence[Sighting] = (), elsewhere: Sequence[Presence] = ()
) -> tuple[Observation, ...]:
    """Return what a sighting tells, the heaviest first, at most `OBSERVATIONS_MAX`.

    Args:
        now: The sighting to examine.
        earlier: Sightings of the same recorder before it, by whichever dock, oldest first.
        elsewhere: When other docks had the recorder, as far as it may overlap.
    """
    before = earlier[-1] if earlier else None
    found: list[Observation] = []
    if before is not None:
        found += _vanished(now, before)
        found += _replaced(now, before)
        found += _other_device(now, earlier)
    found += examine_numbers(now, earlier)
    found += examine_times(now, earlier)
    found += _out_of_turn(now, earlier)
    found += _two_docks(now, elsewhere)
    return tuple(sorted(found, key=lambda one: _ORDER[one.weight])[:OBSERVATIONS_MAX])


def _vanished(now: Sighting, before: Sighting) -> Iterator[Observation]:
    if now.is_partial:
        return
    present = by_name(now.files)
    run: list[ListedFile] = []
    left: ListedFile | None = None
    for file in before.files:
        if (file.path, file.raw) not in present and not file.is_sealed and file.size > 0:
            run.append(file)
            continue
        if run:
            yield _gone(run, before=left, after=file, seen=before)
            run = []
        left = file
    if run:
        following = next((file for file in now.files if (file.path, file.raw) not in by_name(before.files)), None)
        yield _gone(run, before=left, after=following, seen=before)


def _gone(
    run: Sequence[ListedFile], *, before: ListedFile | None, after: ListedFile | None, seen: Sighting
) -> Observation:
    return observed(
        FILE_VANISHED,
        files=[file.as_json() for file in run[:NAMED_MAX]],
        count=len(run),
        bytes=sum(file.size for file in run),
        before=before and before.as_json(),
        after=after and after.as_json(),
        seen_at=seen.at,
        seen_by=seen.presence.dock,
        inventory=seen.presence.inventory,
    )


def _replaced(now: Sighting, before: Sighting) -> Iterator[Observation]:
    """Other content under a known name, unless the counter began anew and brought the name with it."""
    present = by_name(now.files)
    kept = [file for file in before.files if (other := present.get((file.path, file.raw))) and file.is_same(other)]
    reached = max((count.number for file in kept if (count := counted(file.path))), default=-1)
    changed = [
        (file, other)
        for file in before.files
        if (other := present.get((file.path, file.raw))) is not None and not file.is_same(other) and file.size > 0
    ]
    for old, new in changed:
        count = counted(old.path)
        is_anew = count is not None and new.modified_at > old.modified_at and reached < count.number
        if not is_anew:
            was = {**old.as_json(), "modified_at": old.modified_at}
            yield observed(
                FILE_REPLACED, file={**new.as_json(), "modified_at": new.modified_at}, was=was, was_sealed=old.is_sealed
            )
        elif not old.is_sealed:
            yield _gone([old], before=None, after=None, seen=before)


def _other_device(now: Sighting, earlier: Sequence[Sighting]) -> Iterator[Observation]:
    told = next((sighting.device for sighting in reversed(earlier) if sighting.device), {})
    differing = {
        name: {"was": told[name], "is": value} for name, value in now.device.items() if told.get(name, value) != value
    }
    if differing:
        yield observed(OTHER_DEVICE, differing=differing)


def _out_of_turn(now: Sighting, earlier: Sequence[Sighting]) -> Iterator[Observation]:
    own = [sighting for sighting in earlier if sighting.presence.dock == now.presence.dock]
    if now.number is None or (own and own[-1].number is None):
        return
    last = own[-1].number if own and own[-1].number is not None else 0
    facts = {"dock": now.presence.dock, "number": now.number, "last_number": last}
    if now.number > last + 1:
        yield observed(INVENTORY_MISSING, **facts, count=now.number - last - 1)
    elif now.number <= last or (own and now.previous != own[-1].presence.inventory):
        yield observed(INVENTORY_REPEATED, **facts)


def _two_docks(now: Sighting, elsewhere: Sequence[Presence]) -> Iterator[Observation]:
    here = now.presence
    longest: dict[UUID, tuple[timedelta, Presence]] = {}
    for other in elsewhere:
        together = min(here.until, other.until) - max(here.since, other.since)
        if other.dock != here.dock and (other.dock not in longest or together > longest[other.dock][0]):
            longest[other.dock] = (together, other)
    for together, other in longest.values():
        if together > timedelta(milliseconds=here.uncertainty_ms + other.uncertainty_ms + TOGETHER_MS):
            yield observed(
                TWO_DOCKS,
                here={"dock": here.dock, "since": here.since, "until": here.until},
                there={"dock": other.dock, "since": other.since, "until": other.until},
                seconds=together.total_seconds(),
            )
