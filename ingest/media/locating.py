"""Which bytes of an original hold some seconds, found by reading the original itself from end to end.

For clips without a frame index (derived by an older version, or not derived yet), and for containers whose units do not
lie in one piece each. Where every unit has a place of its own, `ingest.wanted` says which bytes; where units are cut
into packets (transport and program streams), it is **all bytes from the first packet needed to behind the last**, of
all tracks and programmes, and with them the tables that are repeated in between. That is more than is shown, and
never less; besides, the beginning and the end of the file go along, where players look for tracks and length.

Runs in a child process, see `ingest.media.piece_child`.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

from av.container import InputContainer

from evidence.verify.excerpt_statement import Span
from ingest.media.errors import NothingBetween, RangesUnknown
from ingest.media.facts import Damage
from ingest.media.frames import FrameIndex, numbers, units_needed
from ingest.media.indexing import indexing
from ingest.media.opening import opened
from ingest.media.policy import decide
from ingest.media.probe import probe
from ingest.media.proxy import clock_of
from ingest.media.reading import packets
from ingest.wanted import MARGIN_BYTES, bytes_needed, seconds_shown

UNKNOWN: Final = -1


@dataclass(frozen=True, slots=True)
class Located:
    """Where some seconds lie: bytes as (start, stop), what they show, and the time that is zero for the players."""

    runs: list[tuple[int, int]]
    shown: Span
    origin: Fraction


def locate(
    source: Path,
    *,
    spans: Sequence[tuple[Fraction, Fraction]],
    origin: Fraction | None,
    report: Callable[[int], None],
) -> list[Located]:
    """Find the bytes of several spans, in one reading.

    Args:
        source: The original.
        spans: From and to in seconds on the players' clock.
        origin: Time of the original that is zero there; None if nobody has found out yet.
        report: Called often with the bytes read so far.

    Raises:
        NothingBetween: No picture and no sound lies in one of them.
        RangesUnknown: The container states no times, or not where its units lie.
        FFmpegError, OSError: It cannot be read.
    """
    with opened(source) as container:
        if origin is None:
            facts = probe(source)
            origin = clock_of(container, decide(facts), facts).origin
        index, positions = _read(source, container, origin, report)
    return [_located(index, positions, origin, *span) for span in spans]


def _located(
    index: FrameIndex, positions: Mapping[int, array[int]], origin: Fraction, from_s: Fraction, to_s: Fraction
) -> Located:
    try:
        runs = bytes_needed(index, from_s=from_s, to_s=to_s)
    except RangesUnknown:
        runs = _covering(index, positions, from_s, to_s)
    shown = seconds_shown(index, from_s=from_s, to_s=to_s)
    if shown is None:
        raise NothingBetween("no picture and no sound lies between these times")
    return Located(runs, shown, origin)


def _read(
    source: Path, container: InputContainer, origin: Fraction, report: Callable[[int], None]
) -> tuple[FrameIndex, Mapping[int, array[int]]]:
    """Return the index, and for every unit of every track the position that the demuxer states for it."""
    positions: dict[int, array[int]] = {stream.index: numbers() for stream in container.streams}
    with indexing(source, container) as notes:
        for packet in packets(container, list(container.streams), Damage()):
            notes.note(packet)
            position = UNKNOWN if packet.pos is None else packet.pos
            positions.setdefault(packet.stream_index, numbers()).append(position)
            report(max(0, position))
        index = notes.index(origin=origin)
    if index is None:
        raise RangesUnknown("the file has more units, or other times, than can be looked up")
    return index, positions


def _covering(
    index: FrameIndex, positions: Mapping[int, array[int]], from_s: Fraction, to_s: Fraction
) -> list[tuple[int, int]]:
    places = []
    for track in index.tracks:
        stated = positions[track.index]
        if track.timed and any(position >= 0 for position in stated):
            first, stop = units_needed(track, origin=index.origin, from_s=from_s, to_s=to_s)
            if first < stop:
                places.append(_around(stated, first, stop, index.size))
        elif track.kind in {"video", "audio"} and len(track):
            raise RangesUnknown(f"the container states no times or places of track {track.index}")
    if not places:
        raise NothingBetween("no picture and no sound lies between these times")
    run = (min(start for start, _ in places) - MARGIN_BYTES, max(stop for _, stop in places) + MARGIN_BYTES)
    return [(0, 1), run, (index.size - 1, index.size)]


def _around(stated: array[int], first: int, stop: int, size: int) -> tuple[int, int]:
    """Return where some units of a track must lie, from what is stated of them and their neighbours.

    Several units may share a packet, whose position only the first of them has; the last may end in the packet behind
    its own. So it is looked for from the last position before them to the second behind them.
    """
    before = [position for position in stated[: first + 1] if position >= 0]
    last = max((position for position in stated[:stop] if position >= 0), default=0)
    behind = sorted({position for position in stated[stop:] if position > last})
    end = behind[1] if len(behind) > 1 else size
    # Times and positions do not always rise together: what lies earliest counts.
    inside = [position for position in stated[first:stop] if position >= 0]
    return min([*before[-1:], *inside], default=0), end
