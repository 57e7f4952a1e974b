"""What the structure of an MP4 or QuickTime file gives occasion to note.

1. outermost boxes: order, truncation, what follows behind, free space that is not empty
2. times and lengths that contradict each other; edit lists that hide something
3. where the media lie: see `mp4_places`
"""

from __future__ import annotations

from itertools import islice

from ingest.media.continuity.mp4 import Box, Movie, Track, is_known, read_movie
from ingest.media.continuity.mp4_places import note_places
from ingest.media.continuity.observation import Notebook, Place
from ingest.media.continuity.software import note_software
from ingest.media.continuity.source import Source
from ingest.media.continuity.tail import note_tail

TIME_TOLERANCE_S = 120
LENGTH_TOLERANCE_MS = 1500
HIDDEN_MS_MIN = 500
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
    note_places(source, movie, notebook)
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
