"""What the places of the media in an MP4 or QuickTime file give occasion to note.

The index may point outside the media data, or twice at the same bytes, or leave bytes that nobody refers to; fragments
may not follow one another.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from ingest.media.continuity.mp4 import Box, Movie
from ingest.media.continuity.mp4_fragments import FRAGMENTS_MAX, Fragment, fragments_of
from ingest.media.continuity.mp4_tables import Chunk, chunks_of
from ingest.media.continuity.observation import Notebook, Place
from ingest.media.continuity.source import Malformed, Source

LEFTOVER_BYTES_MIN = 64
_STRETCHES_READ_MAX = 64


def note_places(source: Source, movie: Movie, notebook: Notebook) -> None:
    """Write down what is worth it; never raises for what is in the file."""
    chunks, whole = _all_chunks(source, movie, notebook)
    _note_chunks(source, movie, chunks, notebook, whole=whole)


def _all_chunks(source: Source, movie: Movie, notebook: Notebook) -> tuple[list[Chunk], bool]:
    """Return the chunks of all tracks, and whether none is missing."""
    chunks: list[Chunk] = []
    whole = not movie.limited and bool(movie.tracks)
    for track in movie.tracks:
        try:
            found = chunks_of(source, track)
        except Malformed as error:
            notebook.note("container.malformed", Place(track=track.number), why=str(error))
            whole = False
            continue
        whole = whole and track.self_contained
        entries = {chunk.entry for chunk in found}
        if len(entries) > 1:
            first = next(chunk for chunk in found if chunk.entry != found[0].entry)
            place = Place(track=track.number, first_byte=first.start, end_byte=first.end)
            notebook.note("container.sample_entries", place, descriptions=len(entries))
        chunks += found
    if movie.of_kind(b"moof"):
        try:
            fragments = list(fragments_of(source, movie))
        except Malformed as error:
            notebook.note("container.malformed", why=str(error))
            return chunks, False
        _note_fragments(fragments, notebook)
        whole = whole and len(fragments) < FRAGMENTS_MAX
        chunks += [chunk for fragment in fragments for piece in fragment.pieces for chunk in piece.chunks]
    return sorted(chunks, key=lambda chunk: (chunk.start, chunk.end)), whole


def _note_chunks(source: Source, movie: Movie, chunks: Sequence[Chunk], notebook: Notebook, *, whole: bool) -> None:
    media = movie.of_kind(b"mdat", b"imda")
    starts = [box.body for box in media]
    outside = 0
    for chunk in chunks:
        box = media[bisect_right(starts, chunk.start) - 1] if media and chunk.start >= starts[0] else None
        if chunk.end > chunk.start and (box is None or chunk.end > box.end):
            outside += 1
            if outside == 1:
                place = Place(track=chunk.track, first_byte=chunk.start, end_byte=chunk.end)
                notebook.note("container.samples_outside", place)
    end = 0
    for chunk in chunks:
        if chunk.start < end and chunk.end > chunk.start:
            place = Place(track=chunk.track, first_byte=chunk.start, end_byte=min(end, chunk.end))
            notebook.note("container.samples_overlap", place)
        end = max(end, chunk.end)
    if whole and chunks:
        _note_leftovers(source, media, chunks, notebook)


def _note_leftovers(source: Source, media: Iterable[Box], chunks: Sequence[Chunk], notebook: Notebook) -> None:
    """Note stretches of media data that no chunk covers; empty ones are no more than padding."""
    read, position = 0, 0
    for box in media:
        end = box.body
        stretches = []
        while position < len(chunks) and chunks[position].start < box.end:
            chunk = chunks[position]
            if chunk.start > end:
                stretches.append((end, chunk.start))
            end, position = max(end, chunk.end), position + 1
        stretches.append((end, min(box.end, source.size)))
        for start, stop in stretches:
            if stop - start < LEFTOVER_BYTES_MIN:
                continue
            read += 1
            if read > _STRETCHES_READ_MAX or not source.is_zero(start, stop):
                place = Place(first_byte=start, end_byte=stop)
                notebook.note("container.unreferenced_bytes", place, bytes=stop - start)


def _note_fragments(fragments: Sequence[Fragment], notebook: Notebook) -> None:
    number: int | None = None
    ends: dict[int, int] = {}
    for fragment in fragments:
        if number is not None and fragment.number != number + 1:
            place = Place(first_byte=fragment.start)
            notebook.note("container.fragment_gap", place, number=fragment.number, expected=number + 1)
        number = fragment.number
        for piece in fragment.pieces:
            expected = ends.get(piece.ident)
            # A last sample may be given a length that the next fragment corrects; a whole lost fragment is far more.
            slack = max(piece.duration // 2, 1)
            if piece.time is not None and expected is not None and abs(piece.time - expected) > slack:
                place = Place(first_byte=fragment.start)
                notebook.note("container.fragment_gap", place, units=piece.time - expected, ident=piece.ident)
            if piece.time is not None:
                ends[piece.ident] = piece.time + piece.duration
