"""Walk an AVI file (RIFF, OpenDML): lengths, what follows behind, and whether the old index fits the media.

Bounded by `CHUNKS_MAX`; only the heads of chunks are read.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from ingest.media.continuity.observation import Notebook, Place
from ingest.media.continuity.software import note_software
from ingest.media.continuity.source import Malformed, Source
from ingest.media.continuity.tail import note_tail

CHUNKS_MAX = 2_000_000
INDEX_ROWS_MAX = 1_000_000
JUNK_BYTES_MIN = 8192  # common muxers leave what they reserved for larger indexes unclean
_LISTS = (b"hdrl", b"strl", b"INFO", b"rec ", b"movi", b"odml")


@dataclass(frozen=True, slots=True)
class _Chunk:
    kind: bytes
    start: int
    body: int
    end: int


@dataclass(slots=True)
class _Walk:
    source: Source
    notebook: Notebook
    budget: int = CHUNKS_MAX
    media: dict[int, tuple[bytes, int]] = field(default_factory=dict)
    media_from: int | None = None
    index: _Chunk | None = None
    texts: dict[str, str] = field(default_factory=dict)
    stated: int | None = None


def note_avi(source: Source, notebook: Notebook) -> None:
    """Walk a file and write down what is worth it; never raises for what is in the file."""
    walk = _Walk(source, notebook)
    offset = 0
    while offset + 12 <= source.size and source.read(offset, 4) == b"RIFF":
        kind = source.read(offset + 8, 4)
        if kind not in (b"AVI ", b"AVIX"):
            break
        end = offset + 8 + source.number(offset + 4, 4, little=True)
        if end > source.size:
            place = Place(first_byte=offset, end_byte=source.size)
            notebook.note("container.truncated", place, missing=end - source.size)
        try:
            _walk_list(walk, offset + 12, min(end, source.size), levels=4)
        except Malformed:
            notebook.note("container.malformed", Place(first_byte=offset))
        if kind == b"AVI ":
            _note_index(walk)
        offset = min(end + end % 2, source.size)
    note_tail(source, offset, notebook)
    if walk.budget < 0:
        notebook.note("container.limit")
    note_software(notebook, walk.texts)


def _chunks(walk: _Walk, start: int, end: int) -> Iterator[_Chunk]:
    while start + 8 <= end:
        walk.budget -= 1
        if walk.budget < 0:
            return
        kind, size = struct.unpack("<4sI", walk.source.exactly(start, 8))
        chunk = _Chunk(kind, start, start + 8, start + 8 + size)
        if chunk.end > end:
            place = Place(first_byte=start, end_byte=end)
            walk.notebook.note("container.malformed", place, missing=chunk.end - end)
            return
        yield chunk
        start = chunk.end + size % 2


def _walk_list(walk: _Walk, start: int, end: int, *, levels: int, media: bool = False) -> None:
    for chunk in _chunks(walk, start, end):
        kind = walk.source.read(chunk.body, 4) if chunk.kind == b"LIST" else b""
        if kind in _LISTS and levels > 0:
            inside = media or kind == b"movi"
            if kind == b"movi" and walk.media_from is None:
                walk.media_from = chunk.body
            _walk_list(walk, chunk.body + 4, chunk.end, levels=levels - 1, media=inside)
        elif media and walk.index is None:
            walk.media[chunk.start] = (chunk.kind, chunk.end - chunk.body)
        elif chunk.kind == b"idx1":
            walk.index = chunk
        elif chunk.kind == b"avih":
            walk.stated = walk.source.number(chunk.body + 16, 4, little=True)
        elif chunk.kind == b"ISFT":
            text = walk.source.read(chunk.body, min(chunk.end - chunk.body, 256))
            walk.texts["software"] = text.decode("utf-8", "replace").rstrip("\0 ")
        elif chunk.kind == b"JUNK" and not media and not walk.source.is_zero(chunk.body, chunk.end):
            place = Place(first_byte=chunk.start, end_byte=chunk.end)
            if chunk.end - chunk.body >= JUNK_BYTES_MIN:
                walk.notebook.note("container.padding_filled", place, bytes=chunk.end - chunk.body)


def _note_index(walk: _Walk) -> None:
    """Compare the index with the chunks it points at; its offsets count from the list or from the file's beginning."""
    if walk.index is None or walk.media_from is None:
        if walk.media:
            walk.notebook.note("container.index_missing", Place(first_byte=0, end_byte=walk.source.size))
        return
    count = min((walk.index.end - walk.index.body) // 16, INDEX_ROWS_MAX)
    data = walk.source.exactly(walk.index.body, 16 * count)
    rows = [(kind, offset, size) for kind, _flags, offset, size in struct.iter_unpack("<4sIII", data)]
    media = {start: known for start, known in walk.media.items() if known[0][2:4] in (b"dc", b"db", b"wb", b"pc")}
    bases = (walk.media_from, 0)
    base = next((base for base in bases if rows and base + rows[0][1] in walk.media), walk.media_from)
    wrong = [base + offset for kind, offset, size in rows if walk.media.get(base + offset) != (kind, size)]
    indexed = {base + offset for _kind, offset, _size in rows}
    missing = [start for start, (_kind, size) in media.items() if size and start not in indexed]
    if wrong:
        place = Place(first_byte=min(wrong[0], walk.source.size))
        walk.notebook.note("container.index_disagrees", place, wrong=len(wrong), rows=count)
    if missing and count < INDEX_ROWS_MAX:
        total = sum(media[start][1] for start in missing)
        place = Place(first_byte=missing[0])
        walk.notebook.note("container.unreferenced_bytes", place, chunks=len(missing), bytes=total)
