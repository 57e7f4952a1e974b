"""Walk a Matroska or WebM file (RFC 9559 over EBML, RFC 8794): lengths, clusters, and whether the cues point at them.

Bounded by `ELEMENTS_MAX`; elements of unknown size (written live) are ended by the first element of a level above.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ingest.media.continuity.observation import Notebook, Place
from ingest.media.continuity.software import note_software
from ingest.media.continuity.source import Malformed, Source
from ingest.media.continuity.tail import note_tail

ELEMENTS_MAX = 2_000_000
CUES_MAX = 20_000
TEXT_BYTES_MAX = 4096
MAGIC = b"\x1a\x45\xdf\xa3"

_EBML, _SEGMENT = 0x1A45DFA3, 0x18538067
_SEEK_HEAD, _INFO, _TRACKS, _CLUSTER, _CUES = 0x114D9B74, 0x1549A966, 0x1654AE6B, 0x1F43B675, 0x1C53BB6B
_CHAPTERS, _TAGS, _ATTACHMENTS = 0x1043A770, 0x1254C367, 0x1941A469
_TOP = frozenset((_SEEK_HEAD, _INFO, _TRACKS, _CLUSTER, _CUES, _CHAPTERS, _TAGS, _ATTACHMENTS))
_VOID, _CRC = 0xEC, 0xBF
_MUXER, _WRITER = 0x4D80, 0x5741
_CUE_POINT, _CUE_PLACES, _CUE_CLUSTER = 0xBB, 0xB7, 0xF1
_TIMESTAMP, _PREVIOUS_SIZE = 0xE7, 0xAB


@dataclass(frozen=True, slots=True)
class _Element:
    ident: int
    start: int
    body: int
    end: int | None


@dataclass(slots=True)
class _Walk:
    source: Source
    notebook: Notebook
    budget: int = ELEMENTS_MAX
    clusters: list[int] = field(default_factory=list)
    cues: set[int] = field(default_factory=set)
    texts: dict[str, str] = field(default_factory=dict)
    last_time: int | None = None

    def children(self, start: int, end: int) -> Iterator[_Element]:
        """Yield the elements between two bytes, as long as the budget of all elements lasts."""
        while start < end:
            self.budget -= 1
            if self.budget < 0:
                self.notebook.note("container.limit", Place(first_byte=start))
                return
            element = _element(self.source, start)
            yield element
            if element.end is None:
                return
            start = element.end


def note_matroska(source: Source, notebook: Notebook) -> None:
    """Walk a file and write down what is worth it; never raises for what is in the file."""
    walk = _Walk(source, notebook)
    end = 0
    try:
        for element in walk.children(0, source.size):
            if element.ident not in (_EBML, _SEGMENT, _VOID):
                break
            end = source.size if element.end is None else element.end
            if end > source.size:
                place = Place(first_byte=element.start, end_byte=source.size)
                notebook.note("container.truncated", place, missing=end - source.size)
            if element.ident == _SEGMENT:
                end = _note_segment(walk, element, min(end, source.size))
    except Malformed:
        # Behind the last element anything may follow; it is told as what it is.
        if not end:
            notebook.note("container.malformed", Place(first_byte=0))
    note_tail(source, end, notebook)
    note_software(notebook, walk.texts)


def _note_segment(walk: _Walk, segment: _Element, end: int) -> int:
    """Walk the segment and return where it ends; a live one ends with its last element."""
    start = segment.body
    previous: tuple[int, int] | None = None
    while start < end:
        walk.budget -= 1
        try:
            element = _element(walk.source, start) if walk.budget >= 0 else None
        except Malformed:
            element = None
        if element is None or element.ident not in _TOP | {_VOID, _CRC}:
            code = "container.limit" if walk.budget < 0 else "container.malformed"
            if segment.end is not None or walk.budget < 0:
                walk.notebook.note(code, Place(first_byte=start, end_byte=end))
                start = end
            break
        stop = _live_end(walk, element, end) if element.end is None else element.end
        if stop > end:
            place = Place(first_byte=element.start, end_byte=end)
            walk.notebook.note("container.truncated", place, missing=stop - end)
            stop = end
        _note_part(walk, element, stop, segment.body, previous)
        if element.ident == _CLUSTER:
            previous = (element.start, stop - element.start)
        start = stop
    known = set(walk.clusters)
    lost = sorted(place for place in walk.cues if place not in known)
    if lost and known:
        place = Place(first_byte=min(lost[0], walk.source.size))
        walk.notebook.note("container.index_disagrees", place, wrong=len(lost), cues=len(walk.cues))
    return start


def _note_part(walk: _Walk, element: _Element, end: int, base: int, previous: tuple[int, int] | None) -> None:
    try:
        if element.ident == _CLUSTER:
            walk.clusters.append(element.start)
            _note_cluster(walk, element, end, previous)
        elif element.ident == _INFO:
            for child in walk.children(element.body, end):
                if child.ident in (_MUXER, _WRITER) and child.end is not None:
                    text = walk.source.read(child.body, min(child.end - child.body, TEXT_BYTES_MAX))
                    walk.texts[f"{child.ident:x}"] = text.decode("utf-8", "replace")
        elif element.ident == _CUES:
            _read_cues(walk, element, end, base)
        elif element.ident == _VOID and not walk.source.is_zero(element.body, end):
            place = Place(first_byte=element.start, end_byte=end)
            walk.notebook.note("container.padding_filled", place, bytes=end - element.body)
    except Malformed:
        walk.notebook.note("container.malformed", Place(first_byte=element.start, end_byte=end))


def _note_cluster(walk: _Walk, cluster: _Element, end: int, previous: tuple[int, int] | None) -> None:
    """Look at the head of a cluster: its time, and the size it remembers of the one before."""
    for count, child in enumerate(walk.children(cluster.body, end)):
        if child.end is None or count > 4:
            return
        size = child.end - child.body
        if child.ident == _TIMESTAMP and size <= 8:
            time = walk.source.number(child.body, size)
            if walk.last_time is not None and time < walk.last_time:
                place = Place(first_byte=cluster.start)
                walk.notebook.note("timeline.backwards", place, units=walk.last_time - time)
            walk.last_time = time
        elif child.ident == _PREVIOUS_SIZE and size <= 8 and previous is not None:
            stated = walk.source.number(child.body, size)
            if stated != previous[1]:
                place = Place(first_byte=cluster.start)
                walk.notebook.note("container.index_disagrees", place, stated=stated, found=previous[1])


def _read_cues(walk: _Walk, cues: _Element, end: int, base: int) -> None:
    for point in walk.children(cues.body, end):
        if point.ident != _CUE_POINT or point.end is None or len(walk.cues) >= CUES_MAX:
            continue
        for places in walk.children(point.body, point.end):
            if places.ident != _CUE_PLACES or places.end is None:
                continue
            for child in walk.children(places.body, places.end):
                if child.ident == _CUE_CLUSTER and child.end is not None and child.end - child.body <= 8:
                    walk.cues.add(base + walk.source.number(child.body, child.end - child.body))


def _live_end(walk: _Walk, element: _Element, end: int) -> int:
    """Return where an element of unknown size ends: before the next one that cannot be inside it."""
    start = element.body
    while start < end:
        walk.budget -= 1
        child = _element(walk.source, start)
        if child.ident in _TOP or child.end is None or walk.budget < 0:
            return start
        start = child.end
    return start


def _element(source: Source, start: int) -> _Element:
    head = source.read(start, 12)
    ident_bytes = _length(head[:1], 4)
    size_bytes = _length(head[ident_bytes : ident_bytes + 1], 8)
    body = start + ident_bytes + size_bytes
    if len(head) < ident_bytes + size_bytes:
        raise Malformed("the file ends inside the head of an element")
    ident = int.from_bytes(head[:ident_bytes])
    size = int.from_bytes(head[ident_bytes : ident_bytes + size_bytes]) & ((1 << 7 * size_bytes) - 1)
    return _Element(ident, start, body, None if size == (1 << 7 * size_bytes) - 1 else body + size)


def _length(first: bytes, length_max: int) -> int:
    length = 9 - first[0].bit_length() if first else 9
    if length > length_max:
        raise Malformed("a number is longer than numbers are")
    return length
