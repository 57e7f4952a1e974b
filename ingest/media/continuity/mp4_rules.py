"""What the structure of an MP4 or QuickTime file gives occasion to note.

1. outermost boxes: order, truncation, what follows behind, free space that is not empty
2. times and lengths that contradict each other; edit lists that hide something
3. where the index says that media lie: outside, twice, or leaving bytes that nobody refers to
4. fragments that do not follow one another
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import islice

from ingest.media.continuity.mp4 import Box, Movie, Track, is_known, read_movie
from ingest.media.continuity.mp4_fragments import FRAGMENTS_MAX, Fragment, fragments_of
from ingest.media.continuity.mp4_tables import Chunk, chunks_of
from ingest.media.continuity.observation import Notebook, Place
from ingest.media.continuity.software import note_software
from ingest.media.continuity.source import Malformed, Source

TIME_TOLERANCE_S = 120
LENGTH_TOLERANCE_MS = 1500
HIDDEN_MS_MIN = 500
LEFTOVER_BYTES_MIN = 64
PADDING_BYTES_MIN = 1024
_STRETCHES_READ_MAX = 64


def note_mp4(source: Source, notebook: Notebook) -> None:
    """Walk a file and write down what is worth it; never raises for what is in the file."""
    movie = read_movie(source)
    _note_boxes(source, movie, notebook)
    _note_times(movie, notebook)
    for track in movie.tracks:
        _note_lengths(movie, track, notebook)
        _note_edits(movie, track, notebook)
    note_software(notebook, movie.texts)
    chunks, whole = _all_chunks(source, movie, notebook)
    _note_chunks(source, movie, chunks, notebook, whole=whole)
    for offset in movie.malformed:
        notebook.note("container.malformed", Place(first_byte=offset))
    if movie.limited:
        notebook.note("container.limit")


# 1. Outermost boxes


def _note_boxes(source: Source, movie: Movie, notebook: Notebook) -> None:
    boxes = movie.boxes
    if boxes and boxes[0].kind not in (b"ftyp", b"styp"):
        notebook.note("container.start_unusual", _place(boxes[0]), kind=boxes[0].name)
    for box in boxes:
        if not is_known(box):
            notebook.note("container.part_unknown", _place(box), kind=box.name, bytes=box.end - box.start)
    indexes, media = movie.of_kind(b"moov"), movie.of_kind(b"mdat")
    for box in indexes[1:]:
        notebook.note("container.index_repeated", _place(box))
    if indexes and media and indexes[0].start < media[0].start and not movie.of_kind(b"moof"):
        notebook.note("container.index_first", _place(indexes[0]))
    if not indexes and media:
        notebook.note("container.index_missing", Place(first_byte=0, end_byte=source.size))
    if movie.end > source.size:
        missing = movie.end - source.size
        notebook.note("container.truncated", Place(first_byte=boxes[-1].start, end_byte=source.size), missing=missing)
    if movie.rest is not None and boxes:
        note_tail(source, movie.rest, notebook)
    for box in islice(movie.of_kind(b"free", b"skip", b"wide", b"junk"), _STRETCHES_READ_MAX):
        end = min(box.end, source.size)
        if end - box.body >= PADDING_BYTES_MIN and not source.is_zero(box.body, end):
            notebook.note("container.padding_filled", _place(box), bytes=end - box.body)


def note_tail(source: Source, start: int, notebook: Notebook) -> None:
    """Note bytes from `start` to the end of the file that belong to no part."""
    if start < source.size:
        code = "container.trailing_zeros" if source.is_zero(start, source.size) else "container.trailing_bytes"
        notebook.note(code, Place(first_byte=start, end_byte=source.size), bytes=source.size - start)


def _place(box: Box) -> Place:
    return Place(first_byte=box.start, end_byte=box.end)


# 2. Times, lengths, edit lists


def _note_times(movie: Movie, notebook: Notebook) -> None:
    headers = [("film", movie.header)]
    for track in movie.tracks:
        headers += [(f"track {track.number}", track.track_header), (f"media {track.number}", track.media_header)]
    created = [(header.created, name) for name, header in headers if header is not None and header.created]
    if not created:
        return
    (first, earlier), (last, later) = min(created), max(created)
    length_s = (movie.header.duration_ms if movie.header else 0) // 1000
    if last - first > length_s + TIME_TOLERANCE_S:
        notebook.note("container.times_disagree", seconds=last - first, earlier=earlier, later=later)
    changed = max((header.modified for _name, header in headers if header is not None), default=0)
    if changed - last > length_s + TIME_TOLERANCE_S:
        notebook.note("container.modified_later", seconds=changed - last)


def _note_lengths(movie: Movie, track: Track, notebook: Notebook) -> None:
    film, head = movie.header, track.track_header
    if film is None or head is None or not film.timescale or not film.duration or track.handler not in ("vide", "soun"):
        return
    stated = head.duration * 1000 // film.timescale
    if stated > film.duration_ms + LENGTH_TOLERANCE_MS:
        notebook.note(
            "container.lengths_disagree", Place(track=track.number), film_ms=film.duration_ms, track_ms=stated
        )
    edited = sum(edit.duration for edit in track.edits) * 1000 // film.timescale
    if track.edits and edited and abs(edited - stated) > LENGTH_TOLERANCE_MS:
        notebook.note("container.lengths_disagree", Place(track=track.number), edits_ms=edited, track_ms=stated)


def _note_edits(movie: Movie, track: Track, notebook: Notebook) -> None:
    media, film = track.media_header, movie.header
    shown = [edit for edit in track.edits if edit.media_time >= 0]
    if media is None or film is None or not media.timescale or not film.timescale or not shown:
        return
    if track.handler not in ("vide", "soun"):
        return
    if len(shown) > 1:
        notebook.note("container.edit_several", Place(track=track.number), stretches=len(shown))
    before_ms = min(edit.media_time for edit in shown) * 1000 // media.timescale
    ends = [edit.media_time * 1000 // media.timescale + edit.duration * 1000 // film.timescale for edit in shown]
    after_ms = media.duration_ms - max(ends) if media.duration_ms and all(edit.duration for edit in shown) else 0
    if max(before_ms, after_ms) >= HIDDEN_MS_MIN:
        notebook.note("container.edit_hides", Place(track=track.number), before_ms=before_ms, after_ms=max(0, after_ms))


# 3. Where the media lie


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


# 4. Fragments


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
