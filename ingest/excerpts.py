"""Excerpts: some seconds of a clip as proved chunks of its original, and a playable cut beside them.

1. the clip's frame index says which bytes hold the wanted seconds            nothing has happened yet
2. a child process copies the packets of these seconds into a cut             crash: a work folder; its name says so
3. `evidence.export.excerpt`: proved, put on record, written                  see there

Steps 1 and 2 go side by side. Which bytes those are, `ingest.wanted` says; where a clip has no frame index, or one that
knows no places (transport streams), a child reads the original itself (`ingest.media.locating`).

The index is a derivative, and the service's word. A wrong one gives an excerpt of other seconds, never of other bytes.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import UUID

from evidence.clips.clips import get_clip
from evidence.core.digest import CHUNK_BYTES
from evidence.errors import WireLimit
from evidence.export.clip import Exporter
from evidence.export.excerpt import Excerpted, export_excerpt
from evidence.export.folder import require_free
from evidence.export.order import Order
from evidence.retention.tombstones import require_kept
from evidence.verify.excerpt_statement import Span
from ingest.errors import CutRefused, ExcerptImpossible, ExcerptTooLong
from ingest.media.errors import MediaError
from ingest.media.frame_format import FILE_BYTES_MAX
from ingest.media.pieces import Piece, make_piece
from ingest.offload import on_disk
from ingest.places import Place, Seconds, locate_spans, look_up, origin_of
from ingest.workroom import workroom
from ledger.canonical import JsonObject

FRAMES_KIND: Final = "frames"

SPAN_MS_MAX: Final = 24 * 3600 * 1000
_SUFFIXES = {"mp4": ".mp4", "matroska": ".mkv"}

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants: milliseconds on the players' clock, whether a playable cut, and what for.

    `bytes_max` is how much of the original may go along, for callers that have to wait; None without such a limit.
    `session` is the public id of the session or token that whoever asks showed.

    Raises:
        ExcerptImpossible: The times are not in order, or the span is longer than a day.
    """

    clip: UUID
    from_ms: int
    to_ms: int
    purpose: str
    actor: str
    cut: bool = True
    bytes_max: int | None = None
    session: UUID | None = None

    def __post_init__(self) -> None:
        try:
            Span(self.from_ms, self.to_ms)
        except WireLimit as error:
            raise ExcerptImpossible("the excerpt has to begin at 0 or later, and end after it begins") from error
        if self.to_ms - self.from_ms > SPAN_MS_MAX:
            raise ExcerptImpossible("an excerpt of more than a day is an export")


async def make_excerpt(exporter: Exporter, wish: Wish, *, target: Path, workspace: Path) -> Excerpted:
    """Write a folder with an excerpt.

    Args:
        exporter: Proves the clip and knows where objects lie.
        wish: What is wanted.
        target: The folder to make; it must not exist, its parent must.
        workspace: Where the cut may be made; a folder in it is made and removed.

    Raises:
        ClipUnknown, ReceiptPending, EvidenceDamaged, ExportTargetTaken, ExportTargetUnusable: See `export_excerpt`.
        ExcerptImpossible: Nothing lies between these times, or nobody can tell which bytes hold them.
        ExcerptTooLong: They are more than `bytes_max` bytes.
        CutRefused: The playable copy cannot be made of this file.
    """
    require_free(target)
    raw, original = await find_original(exporter, wish.clip)
    span = (Fraction(wish.from_ms, 1000), Fraction(wish.to_ms, 1000))
    async with workroom(workspace, prefix="excerpt-") as folder:
        place, cut = await _place_and_cut(original, raw, folder, span, cut=wish.cut)
        held = sum(stop - first for first, stop in place.chunks) * CHUNK_BYTES
        if wish.bytes_max is not None and held > wish.bytes_max:
            raise ExcerptTooLong(
                f"{held} bytes of the original hold these seconds, at most {wish.bytes_max} are handed out this way; "
                "ask for fewer seconds, or make the excerpt with the command",
                bytes=held,
                bytes_max=wish.bytes_max,
            )
        order = Order(
            asked=Span(wish.from_ms, wish.to_ms),
            shown=place.shown,
            chunks=place.chunks,
            cut=None if cut is None else cut.path,
            cut_sha256=b"" if cut is None else await on_disk(_sha256, cut.path),
            cut_suffix="" if cut is None else _SUFFIXES.get(str(cut.facts.probe.get("container")), ".bin"),
        )
        return await export_excerpt(
            exporter,
            clip=wish.clip,
            order=order,
            target=target,
            actor=wish.actor,
            purpose=wish.purpose,
            session=wish.session,
        )


async def find_original(exporter: Exporter, clip: UUID) -> tuple[bytes | None, Path]:
    """Return the clip's frame index as it is kept, if it has one, and where its original lies.

    Raises:
        ClipUnknown, ClipDestroyed: There is no such clip, or not any more.
    """
    async with exporter.pool.acquire() as conn:
        found = await get_clip(conn, clip)
        await require_kept(conn, clip)
    original = await on_disk(exporter.objects.open_path, found.row.sha256.hex())
    made = found.made(FRAMES_KIND)
    if made is None:
        return None, original
    return await on_disk(_read, await on_disk(exporter.objects.open_path, made.sha256.hex())), original


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(FILE_BYTES_MAX + 1)


async def _place_and_cut(
    original: Path, raw: bytes | None, folder: Path, span: Seconds, *, cut: bool
) -> tuple[Place, Piece | None]:
    """Look the seconds up while a child makes the cut; without a usable index one has to come after the other."""
    room = folder / "places"
    origin = None if raw is None else origin_of(raw)
    if raw is None or origin is None:
        (place,) = await locate_spans(original, room, [span], origin=None)
        return place, await _cut(original, folder / "cut", span, place.origin) if cut else None
    if not cut:
        (place,) = await look_up(original, raw, room, [span], origin=origin)
        return place, None
    async with _alongside(_cut(original, folder / "cut", span, origin)) as cutting:
        (place,) = await look_up(original, raw, room, [span], origin=origin)
        return place, await cutting


async def _cut(original: Path, room: Path, span: Seconds, origin: Fraction) -> Piece:
    await on_disk(room.mkdir)
    task: JsonObject = {"task": "cut", "from": str(span[0]), "to": str(span[1]), "origin": str(origin)}
    try:
        return await make_piece(original, room, task)
    except MediaError as error:
        raise CutRefused(f"no playable copy can be made: {error}", why=error.code) from error


@asynccontextmanager
async def _alongside(work: Coroutine[Any, Any, _Result]) -> AsyncIterator[asyncio.Task[_Result]]:
    """Let work go on during a block; whatever ends the block ends the work, too."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # looked at, or the loop would complain that nobody did


def _sha256(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
