"""Read the structure of an MP4 or QuickTime file (ISO/IEC 14496-12) into values; nothing is judged here.

What is read: the outermost boxes, the times and lengths of film, tracks and media, edit lists, descriptions of coding,
and where the index says that media lie (`mp4_tables`), fragments included (`mp4_fragments`).

Bounded: `BOXES_MAX` boxes, `TRACKS_MAX` tracks, tables of at most 64 MiB. A box that makes no sense ends the reading of
its parent; its offset is kept in `Movie.malformed`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from ingest.media.continuity.source import Malformed, Source

BOXES_MAX = 100_000
TRACKS_MAX = 32
EDITS_MAX = 1000
TEXT_BYTES_MAX = 4096
LEVELS_MAX = 6

_SELF_CONTAINED = 1  # flag of a data reference, 8.7.2


@dataclass(frozen=True, slots=True)
class Box:
    """A box: its kind, where it begins, where its body begins, where it states to end."""

    kind: bytes
    start: int
    body: int
    end: int

    @property
    def name(self) -> str:
        """Its kind as text."""
        return self.kind.decode("latin-1")


@dataclass(frozen=True, slots=True)
class Header:
    """Times in seconds since 1904 (0: not stated), `duration` in units of 1/`timescale` s (0: not stated)."""

    created: int
    modified: int
    timescale: int
    duration: int

    @property
    def duration_ms(self) -> int:
        """Length in milliseconds, 0 if it states none."""
        return self.duration * 1000 // self.timescale if self.timescale else 0


@dataclass(frozen=True, slots=True)
class Edit:
    """A stretch of a track: `duration` in the film's units, `media_time` in the media's, -1 for emptiness."""

    duration: int
    media_time: int


@dataclass(slots=True)
class Track:
    """What a track says of itself; `track_header.timescale` is the film's."""

    number: int
    ident: int = 0
    handler: str = ""
    track_header: Header | None = None
    media_header: Header | None = None
    edits: list[Edit] = field(default_factory=list)
    sample_entries: list[tuple[str, bytes]] = field(default_factory=list)
    self_contained: bool = True
    tables: dict[bytes, Box] = field(default_factory=dict)


@dataclass(slots=True)
class Movie:
    """A file of this family, as far as it can be read."""

    boxes: list[Box] = field(default_factory=list)
    header: Header | None = None
    tracks: list[Track] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    malformed: list[int] = field(default_factory=list)
    limited: bool = False
    end: int = 0
    """Where the last outermost box states to end."""
    rest: int | None = None
    """Where the outermost boxes stop making sense."""

    def of_kind(self, *kinds: bytes) -> list[Box]:
        """Return the outermost boxes of some kinds."""
        return [box for box in self.boxes if box.kind in kinds]


class _Reader:
    def __init__(self, source: Source, movie: Movie) -> None:
        self.source = source
        self.movie = movie
        self.budget = BOXES_MAX

    def boxes(self, start: int, end: int) -> Iterator[Box]:
        """Yield the boxes of a stretch; stops at the first that makes no sense and at the budget."""
        while start + 8 <= end:
            self.budget -= 1
            if self.budget < 0:
                self.movie.limited = True
                return
            box = box_at(self.source, start, end)
            if box is None:
                self.movie.malformed.append(start)
                return
            yield box
            start = box.end


def box_at(source: Source, start: int, end: int) -> Box | None:
    """Return the box at an offset of a parent that ends at `end`; None if it makes no sense there."""
    head = source.read(start, 16)
    if len(head) < 8:
        return None
    length, kind = struct.unpack_from(">I4s", head)
    body = start + 8
    if length == 1:
        if len(head) < 16:
            return None
        (length,) = struct.unpack_from(">Q", head, 8)
        body = start + 16
    elif length == 0:
        length = end - start
    if start + length < body or start + length > end or not all(0x20 <= byte < 0x7F or byte == 0xA9 for byte in kind):
        return None
    return Box(kind, start, body, start + length)


def read_movie(source: Source) -> Movie:
    """Read a file that begins like one of the family."""
    movie = Movie()
    reader = _Reader(source, movie)
    offset = 0
    while offset < source.size:
        reader.budget -= 1
        # An outermost box may state to end behind the file: that is a finding, not nonsense.
        box = box_at(source, offset, 2**62) if reader.budget >= 0 else None
        if box is not None and source.number(offset, 4) == 0:
            box = Box(box.kind, box.start, box.body, source.size)
        if box is None or (movie.boxes and not _plausible(box, source.size)):
            movie.rest = offset
            movie.limited |= reader.budget < 0
            break
        movie.boxes.append(box)
        offset = movie.end = box.end
    for box in movie.of_kind(b"moov")[:1]:
        _read_moov(reader, box)
    return movie


_OUTERMOST = frozenset(
    (
        *(b"ftyp", b"moov", b"mdat", b"moof", b"free", b"skip", b"wide", b"pnot", b"udta", b"uuid", b"sidx", b"mfra"),
        *(b"styp", b"meta", b"emsg", b"prft", b"ssix", b"PICT", b"pdin", b"junk", b"imda", b"gps ", b"thum"),
    )
)


def is_known(box: Box) -> bool:
    """Tell whether an outermost box is of a kind that is expected there."""
    return box.kind in _OUTERMOST


def _plausible(box: Box, size: int) -> bool:
    """Tell a box that is cut off or foreign from bytes that merely look like one."""
    return is_known(box) or (box.end <= size and box.kind.replace(b"\xa9", b"").isalnum())


def _read_moov(reader: _Reader, moov: Box) -> None:
    movie = reader.movie
    for box in reader.boxes(moov.body, min(moov.end, reader.source.size)):
        try:
            if box.kind == b"mvhd":
                movie.header = _header(reader.source, box, track=False)
            elif box.kind == b"trak" and len(movie.tracks) < TRACKS_MAX:
                track = Track(number=len(movie.tracks))
                movie.tracks.append(track)
                _read_trak(reader, box, track, levels=LEVELS_MAX)
            elif box.kind == b"udta":
                _read_udta(reader, box)
        except Malformed:
            movie.malformed.append(box.start)


def _read_trak(reader: _Reader, parent: Box, track: Track, *, levels: int) -> None:
    """Read a track, its media and its tables: each of the boxes that matter stands in one place only."""
    source = reader.source
    for box in reader.boxes(parent.body, parent.end):
        match box.kind:
            case b"edts" | b"mdia" | b"minf" | b"dinf" | b"stbl" if levels:
                _read_trak(reader, box, track, levels=levels - 1)
            case b"tkhd":
                track.track_header = _header(source, box, track=True)
                wide = source.number(box.body, 1) == 1
                track.ident = source.number(box.body + (20 if wide else 12), 4)
            case b"mdhd":
                track.media_header = _header(source, box, track=False)
            case b"hdlr" if parent.kind == b"mdia":
                track.handler = source.exactly(box.body + 8, 4).decode("latin-1")
            case b"elst":
                track.edits = _edits(source, box)
            case b"stsd":
                track.sample_entries = _sample_entries(source, box)
            case b"dref":
                track.self_contained = _self_contained(source, box)
            case b"stsz" | b"stz2" | b"stco" | b"co64" | b"stsc" | b"stts":
                track.tables.setdefault(box.kind, box)


def _header(source: Source, box: Box, *, track: bool) -> Header:
    """Read `mvhd`, `mdhd` or `tkhd`; the latter has its number where the others have their unit (8.2.2, 8.3.2)."""
    if source.number(box.body, 1) == 1:
        created, modified, unit = struct.unpack(">QQI", source.exactly(box.body + 4, 20))
        duration = source.number(box.body + (28 if track else 24), 8)
        unknown = 2**64 - 1
    else:
        created, modified, unit = struct.unpack(">III", source.exactly(box.body + 4, 12))
        duration = source.number(box.body + (20 if track else 16), 4)
        unknown = 2**32 - 1
    return Header(created, modified, 0 if track else unit, 0 if duration == unknown else duration)


def _edits(source: Source, box: Box) -> list[Edit]:
    wide = source.number(box.body, 1) == 1
    count = min(source.number(box.body + 4, 4), EDITS_MAX)
    form = ">QqI" if wide else ">IiI"
    data = source.exactly(box.body + 8, count * struct.calcsize(form))
    return [Edit(duration, media_time) for duration, media_time, _rate in struct.iter_unpack(form, data)]


def _sample_entries(source: Source, box: Box) -> list[tuple[str, bytes]]:
    """Return kind and first bytes of each description (8.5.2); its fields tell how long PCM samples are."""
    entries = []
    start = box.body + 8
    for _ in range(min(source.number(box.body + 4, 4), 64)):
        entry = box_at(source, start, box.end)
        if entry is None:
            break
        entries.append((entry.name, source.read(entry.body, min(64, entry.end - entry.body))))
        start = entry.end
    return entries


def _self_contained(source: Source, box: Box) -> bool:
    entry = box_at(source, box.body + 8, box.end)
    return entry is None or bool(source.number(entry.body + 3, 1) & _SELF_CONTAINED)


def _read_udta(reader: _Reader, udta: Box) -> None:
    """Keep short texts: QuickTime's own (`©` and three letters) and those of iTunes' list below `meta`."""
    for box in reader.boxes(udta.body, udta.end):
        if box.kind[:1] == b"\xa9" and box.end - box.body > 4:
            text = reader.source.read(box.body + 4, min(box.end - box.body - 4, TEXT_BYTES_MAX))
            reader.movie.texts.setdefault(box.name, text.decode("utf-8", "replace"))
        elif box.kind == b"meta":
            _read_list(reader, box)


def _read_list(reader: _Reader, meta: Box) -> None:
    for box in reader.boxes(meta.body + 4, meta.end):
        if box.kind != b"ilst":
            continue
        for item in reader.boxes(box.body, box.end):
            for data in reader.boxes(item.body, item.end):
                if data.kind == b"data" and data.end - data.body > 8:
                    text = reader.source.read(data.body + 8, min(data.end - data.body - 8, TEXT_BYTES_MAX))
                    reader.movie.texts.setdefault(item.name, text.decode("utf-8", "replace"))
