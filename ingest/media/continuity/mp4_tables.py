"""Where the index of an MP4 or QuickTime file says that media lie, as ranges of bytes (ISO/IEC 14496-12, 8.6 and 8.7).

A range is a chunk: a run of samples of one track. A table that does not fit its own counts raises `Malformed`.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from ingest.media.continuity.mp4 import Box, Track
from ingest.media.continuity.source import Malformed, Source

ROWS_MAX = 4_000_000
# Sample descriptions of sound that is not compressed: old tables count single samples, not bytes.
_PCM = frozenset(
    ["sowt", "twos", "raw", "", "NONE", "lpcm", "in24", "in32", "fl32", "fl64", "ulaw", "alaw", "ipcm", "fpcm"]
)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A run of samples: its bytes, the track, and which description of its coding it uses (from 1)."""

    start: int
    end: int
    track: int
    entry: int


def chunks_of(source: Source, track: Track) -> list[Chunk]:
    """Return the chunks of a track in the order of its index; empty if it has none here or elsewhere.

    Raises:
        Malformed: The tables contradict themselves, or are too large.
    """
    offsets_box = track.tables.get(b"stco") or track.tables.get(b"co64")
    runs_box, sizes_box = track.tables.get(b"stsc"), track.tables.get(b"stsz")
    if offsets_box is None or runs_box is None or sizes_box is None or not track.self_contained:
        return []
    offsets = _column(source, offsets_box, wide=offsets_box.kind == b"co64")
    if not offsets:
        return []
    runs = _runs(source, runs_box)
    sizes = _Sizes(source, sizes_box, track)
    chunks, sample = [], 0
    for (first, per_chunk, entry), until in _spans(runs, len(offsets)):
        for number in range(first - 1, until):
            after = sample + per_chunk
            start = offsets[number]
            chunks.append(Chunk(start, start + sizes.between(sample, after), track.number, entry))
            sample = after
    if sample != sizes.count:
        raise Malformed("the index counts samples that it does not place")
    return chunks


class _Sizes:
    """Sizes of samples: one for all, or a running sum."""

    def __init__(self, source: Source, box: Box, track: Track) -> None:
        self.each = source.number(box.body + 4, 4)
        self.count = source.number(box.body + 8, 4)
        self._sums: list[int] = []
        if self.each:
            self.each = _pcm_bytes(track, self.each)
        else:
            rows = _rows(source, box.body + 12, self.count, box.end)
            self._sums = [0, *accumulate(rows)]

    def between(self, first: int, end: int) -> int:
        """Return the bytes of the samples from `first` to before `end`."""
        if end > self.count:
            raise Malformed("the index places samples that it does not count")
        return (end - first) * self.each if self.each else self._sums[end] - self._sums[first]


def _pcm_bytes(track: Track, stated: int) -> int:
    """Return the bytes of one sample of all channels; QuickTime's tables state 1 for uncompressed sound."""
    if track.handler != "soun" or not track.sample_entries:
        return stated
    kind, fields = track.sample_entries[0]
    if kind not in _PCM or len(fields) < 20:
        if stated == 1:
            raise Malformed("sound whose samples' sizes are not in the index")
        return stated
    version, channels, bits = struct.unpack(">H6xHH", fields[8:20])
    if version == 1 and len(fields) >= 44:
        (frame_bytes,) = struct.unpack(">I", fields[36:40])
        return max(stated, int(frame_bytes))
    return max(stated, int(channels) * int(bits) // 8)


def _runs(source: Source, box: Box) -> list[tuple[int, int, int]]:
    count = source.number(box.body + 4, 4)
    if count > ROWS_MAX or box.body + 8 + 12 * count > box.end:
        raise Malformed("a table is longer than its box")
    return list(struct.iter_unpack(">III", source.exactly(box.body + 8, 12 * count)))


def _spans(runs: list[tuple[int, int, int]], chunks: int) -> Iterator[tuple[tuple[int, int, int], int]]:
    """Yield each run with the number of the last chunk it is for."""
    expected = 1
    for number, run in enumerate(runs):
        until = runs[number + 1][0] - 1 if number + 1 < len(runs) else chunks
        if run[0] != expected or not run[0] <= until <= chunks:
            raise Malformed("the runs of the index are out of order")
        expected = until + 1
        yield run, until


def _column(source: Source, box: Box, *, wide: bool) -> array[int]:
    return _rows(source, box.body + 8, source.number(box.body + 4, 4), box.end, code="Q" if wide else "I")


def _rows(source: Source, start: int, count: int, end: int, *, code: str = "I") -> array[int]:
    rows = array(code)
    if count > ROWS_MAX or start + count * rows.itemsize > end:
        raise Malformed("a table is longer than its box")
    rows.frombytes(source.exactly(start, count * rows.itemsize))
    if sys.byteorder == "little":
        rows.byteswap()
    return rows
