"""Where in an original some seconds lie: looked up in its frame index, or found by a child that reads the original.

Looking up takes a fraction of a second however long the recording is. The child is for clips without an index, or with
one that cannot be read or knows no places; it reads from end to end, and says which chunks (`ingest.media.locating`).
Its word is the service's word, as the index is: a wrong one gives other seconds, never other bytes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

from evidence.core.digest import CHUNK_BYTES
from evidence.export.order import chunk_runs
from evidence.verify.excerpt_statement import EXCERPT_BYTES_MAX, Span
from ingest.errors import ExcerptImpossible
from ingest.media.errors import ChildBroken, FramesMalformed, MediaError, NothingBetween, RangesUnknown
from ingest.media.frame_format import read_frames, read_origin
from ingest.media.pieces import Piece, make_piece
from ingest.offload import on_disk
from ingest.wanted import bytes_needed, seconds_shown
from ledger.canonical import JsonObject, JsonValue, parse_canonical
from ledger.errors import Blame, CodedError

Seconds = tuple[Fraction, Fraction]
"""From and to, on the players' clock."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the seconds lie: runs of chunks, what they show, and the original's time that is zero for the players."""

    chunks: tuple[tuple[int, int], ...]
    shown: Span | None
    origin: Fraction


def origin_of(raw: bytes) -> Fraction | None:
    """Return the time that is zero for the players, as a kept index states it; None if it is no index."""
    try:
        return read_origin(raw)
    except FramesMalformed:
        return None


async def look_up(original: Path, raw: bytes, room: Path, spans: Sequence[Seconds], *, origin: Fraction) -> list[Place]:
    """Look spans up in a kept index, else have the original read; `room` is for the child and does not exist.

    Raises:
        ExcerptImpossible: Nothing lies in one of them, or nobody can tell which bytes hold them.
    """
    try:
        return await asyncio.to_thread(_looked_up, raw, spans)
    except NothingBetween as error:
        raise ExcerptImpossible(error.message) from error
    except (FramesMalformed, RangesUnknown):
        return await locate_spans(original, room, spans, origin=origin)


async def locate_spans(original: Path, room: Path, spans: Sequence[Seconds], *, origin: Fraction | None) -> list[Place]:
    """Have a child find spans in the original itself, in one reading; without `origin` it finds that out, too.

    Raises:
        ExcerptImpossible: Nothing lies in one of them, or the file does not tell which bytes hold them.
        MediaError: The child could not do its work.
    """
    await on_disk(room.mkdir)
    task: JsonObject = {"task": "locate", "spans": [[str(begin), str(end)] for begin, end in spans]}
    try:
        piece = await make_piece(original, room, {**task, "origin": None if origin is None else str(origin)})
    except MediaError as error:
        if error.blame is not Blame.INPUT:
            raise
        raise ExcerptImpossible(f"{error.message}; export the whole clip", why=error.code) from error
    return await on_disk(_told, piece, original, len(spans))


def _looked_up(raw: bytes, spans: Sequence[Seconds]) -> list[Place]:
    index = read_frames(raw)
    places = []
    for begin, end in spans:
        needed = bytes_needed(index, from_s=begin, to_s=end)
        shown = seconds_shown(index, from_s=begin, to_s=end)
        places.append(Place(chunk_runs(needed, size=index.size), shown, index.origin))
    return places


def _told(piece: Piece, original: Path, spans: int) -> list[Place]:
    """Read what the child wrote: chunks of this original, whatever it says."""
    with piece.path.open("rb") as file:
        raw = file.read(EXCERPT_BYTES_MAX + 1)
    try:
        match parse_canonical(raw, bytes_max=EXCERPT_BYTES_MAX):
            case {"origin": [int(top), int(bottom)], "places": [*places], **rest} if not rest and bottom > 0:
                size, origin = original.stat().st_size, Fraction(top, bottom)
                if len(places) == spans:
                    return [_place(place, size, origin) for place in places]
    except (CodedError, ValueError) as error:
        raise ChildBroken(_STRANGE) from error
    raise ChildBroken(_STRANGE)


_STRANGE: Final = "the child says which chunks in a way that was never agreed"


def _place(told: JsonValue, size: int, origin: Fraction) -> Place:
    match told:
        case {"chunks": [*chunks], "from_ms": int(from_ms), "to_ms": int(to_ms), **rest} if not rest:
            numbers = [number * CHUNK_BYTES for number in chunks if type(number) is int]
            runs = list(zip(numbers[::2], numbers[1::2], strict=True))
            place = Place(chunk_runs(runs, size=size), Span(from_ms, to_ms), origin)
            if len(numbers) == len(chunks) and place.chunks:
                return place
    raise ChildBroken(_STRANGE)
