"""Where in an original some seconds lie: looked up in its frame index, or found by a child that reads the original.

Looking up takes a fraction of a second however long the recording is. The child is for clips without an index, or with
one that cannot be read or knows no places; it reads from end to end, and says which chunks (`ingest.media.locating`).
Its word is the service's word, as the index is: a wrong one gives other seconds, never other bytes.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from evidence.core.digest import CHUNK_BYTES
from evidence.export.order import chunk_runs
from evidence.verify.excerpt_statement import EXCERPT_BYTES_MAX, Span
from ingest.errors import ExcerptImpossible
from ingest.media.errors import ChildBroken, FramesMalformed, MediaError, NothingBetween, RangesUnknown
from ingest.media.frame_format import read_frames, read_origin
from ingest.media.pieces import Piece, make_piece
from ingest.offload import on_disk
from ingest.wanted import bytes_needed, seconds_shown
from ledger.canonical import JsonObject, parse_canonical
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


async def look_up(original: Path, raw: bytes, room: Path, span: Seconds, *, origin: Fraction) -> Place:
    """Look the seconds up in a kept index, else have the original read; `room` is for the child and does not exist.

    Raises:
        ExcerptImpossible: Nothing lies between these times, or nobody can tell which bytes hold them.
    """
    try:
        return await asyncio.to_thread(_looked_up, raw, span)
    except NothingBetween as error:
        raise ExcerptImpossible(error.message) from error
    except (FramesMalformed, RangesUnknown):
        return await locate_span(original, room, span, origin=origin)


async def locate_span(original: Path, room: Path, span: Seconds, *, origin: Fraction | None) -> Place:
    """Have a child find the seconds in the original itself; without `origin` it finds that out, too.

    Raises:
        ExcerptImpossible: Nothing lies between these times, or the file does not tell which bytes hold them.
        MediaError: The child could not do its work.
    """
    await on_disk(room.mkdir)
    task: JsonObject = {"task": "locate", "from": str(span[0]), "to": str(span[1])}
    try:
        piece = await make_piece(original, room, {**task, "origin": None if origin is None else str(origin)})
    except MediaError as error:
        if error.blame is not Blame.INPUT:
            raise
        raise ExcerptImpossible(f"{error.message}; export the whole clip", why=error.code) from error
    return await on_disk(_told, piece, original)


def _looked_up(raw: bytes, span: Seconds) -> Place:
    index = read_frames(raw)
    needed = bytes_needed(index, from_s=span[0], to_s=span[1])
    shown = seconds_shown(index, from_s=span[0], to_s=span[1])
    return Place(chunk_runs(needed, size=index.size), shown, index.origin)


def _told(piece: Piece, original: Path) -> Place:
    """Read what the child wrote: chunks of this original, whatever it says."""
    with piece.path.open("rb") as file:
        raw = file.read(EXCERPT_BYTES_MAX + 1)
    try:
        match parse_canonical(raw, bytes_max=EXCERPT_BYTES_MAX):
            case {
                "chunks": [*chunks],
                "from_ms": int(from_ms),
                "origin": [int(top), int(bottom)],
                "to_ms": int(to_ms),
                **rest,
            } if not rest and bottom > 0:
                numbers = [number * CHUNK_BYTES for number in chunks if type(number) is int]
                runs = list(zip(numbers[::2], numbers[1::2], strict=True))
                place = Place(
                    chunk_runs(runs, size=original.stat().st_size), Span(from_ms, to_ms), Fraction(top, bottom)
                )
                if len(numbers) == len(chunks) and place.chunks:
                    return place
    except (CodedError, ValueError) as error:
        raise ChildBroken("the child says which chunks in a way that was never agreed") from error
    raise ChildBroken("the child says which chunks in a way that was never agreed")
