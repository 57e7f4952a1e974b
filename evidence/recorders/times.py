"""Examination of times: segments that do not follow each other, and the recorder's clock against the dock's. Pure.

A recorder that cuts long recordings into segments of one length shows that length by itself: neighbours that follow at
once, as long as each other. Where a segment of that length is followed by a hole in which whole segments fit exactly,
they are missing. Any other pause is an officer's, and says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from evidence.recorders.meanings import CLOCK_AHEAD, CLOCK_JUMPED, CLOCK_OFF, TIME_MISSING, TIMES_OVERLAP
from evidence.recorders.numbering import counted
from evidence.recorders.observation import Observation, observed
from evidence.recorders.sighting import ListedFile, Sighting, fresh_files

FOLLOWS_SECONDS = 3
"""How far apart a recorder puts the end of a segment and the beginning of the next."""

OVERLAP_SECONDS = 60
"""Overlap that pre-recording explains by itself."""

SEGMENTS_MISSING_MAX = 48
"""Most whole segments that a hole is taken to have held; longer ones are somebody's break."""

SEGMENT_SECONDS_MIN = 30
"""Shortest length at which a recorder cuts its recordings."""

CLOCK_OFF_SECONDS = 120
JUMP_SECONDS = 60
DRIFT_SECONDS_A_DAY = 5

_FOOTAGE = re.compile(r".*\.(?:mp4|m4v|mov|avi|mkv|mts|m2ts|ts|3gp|264|265|360)", re.IGNORECASE | re.DOTALL)
_DIGITS = re.compile(r"[0-9]+")

Span = tuple[datetime, datetime, ListedFile]


def examine_times(now: Sighting, earlier: Sequence[Sighting]) -> Iterator[Observation]:
    """Yield what the times of a sighting tell, after everything that was seen before, oldest first."""
    before = earlier[-1] if earlier else None
    fresh = fresh_files(now, before)
    new = {(file.path, file.raw) for file in fresh}
    gone = [] if before is None else [file for file in before.files if (file.path, file.raw) not in new]
    lines: dict[str, list[Span]] = {}
    for file in {(file.path, file.raw): file for file in (*gone, *now.files)}.values():
        if file.recorded_at and (end := file.ended_at) and _FOOTAGE.fullmatch(file.path):
            lines.setdefault(_line(file.path), []).append((file.recorded_at, end, file))
    for _, spans in sorted(lines.items()):
        yield from _examine_line(sorted(spans, key=lambda span: (span[0], span[2].path)), new)
    yield from _examine_clock(now, earlier)
    slack = timedelta(seconds=CLOCK_OFF_SECONDS, milliseconds=now.presence.uncertainty_ms)
    dated = [(file.recorded_at - now.at, file) for file in fresh if file.recorded_at]
    late = [(ahead, file) for ahead, file in dated if ahead > slack]
    if late:
        ahead, file = max(late, key=lambda item: (item[0], item[1].path))
        yield observed(CLOCK_AHEAD, file=file.as_json(), seen_at=now.at, seconds=ahead.total_seconds(), count=len(late))


def _line(path: str) -> str:
    """Return what names of one lens have in common: folder, letters and ending."""
    return _DIGITS.sub("#", path.rpartition("/")[2].replace("_IMP", ""))


def _examine_line(spans: Sequence[Span], new: set[tuple[str, bool]]) -> Iterator[Observation]:
    length = _segment_seconds(spans)
    for (start, end, left), (next_start, _, right) in pairwise(spans):
        if (right.path, right.raw) not in new:
            continue
        hole = (next_start - end).total_seconds()
        facts = {"before": left.as_json(), "after": right.as_json()}
        if hole < -OVERLAP_SECONDS and (next_start - start).total_seconds() > OVERLAP_SECONDS:
            yield observed(TIMES_OVERLAP, **facts, seconds=-hole)
        elif length and _is_near((end - start).total_seconds(), length) and not _is_numbered(left, right):
            missing = round(hole / length)
            if 1 <= missing <= SEGMENTS_MISSING_MAX and abs(hole - missing * length) <= FOLLOWS_SECONDS + missing:
                yield observed(TIME_MISSING, **facts, seconds=hole, count=missing, segment_seconds=length)


def _segment_seconds(spans: Sequence[Span]) -> float | None:
    """Return the length at which the recorder cuts: that of most segments whose neighbour follows at once."""
    lengths = [
        (end - start).total_seconds()
        for (start, end, _), (next_start, _, _) in pairwise(spans)
        if abs((next_start - end).total_seconds()) <= FOLLOWS_SECONDS
    ]
    cut = [length for length in lengths if length >= SEGMENT_SECONDS_MIN]
    if len(cut) < 2:
        return None
    middle = sorted(cut)[len(cut) // 2]
    return middle if sum(_is_near(length, middle) for length in cut) * 2 > len(cut) else None


def _is_near(seconds: float, other: float) -> bool:
    return abs(seconds - other) <= FOLLOWS_SECONDS


def _is_numbered(left: ListedFile, right: ListedFile) -> bool:
    """Tell whether the recorder's own numbers say more than its times."""
    return counted(left.path) is not None and counted(right.path) is not None


def _examine_clock(now: Sighting, earlier: Sequence[Sighting]) -> Iterator[Observation]:
    offset = now.recorder_offset_ms
    if offset is None:
        return
    slack_ms = now.presence.uncertainty_ms
    if abs(offset) > CLOCK_OFF_SECONDS * 1000 + slack_ms:
        yield observed(CLOCK_OFF, offset_ms=offset, uncertainty_ms=slack_ms)
    read = [sighting for sighting in earlier if sighting.recorder_offset_ms is not None]
    if not read:
        return
    last, last_offset = read[-1], read[-1].recorder_offset_ms or 0
    days = max(0.0, (now.at - last.at).total_seconds() / 86400)
    allowed_ms = (JUMP_SECONDS + DRIFT_SECONDS_A_DAY * days) * 1000 + slack_ms + last.presence.uncertainty_ms
    if abs(offset - last_offset) > allowed_ms:
        yield observed(CLOCK_JUMPED, offset_ms=offset, before_offset_ms=last_offset, before_at=last.at, at=now.at)
