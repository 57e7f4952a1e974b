"""Excerpts: some seconds of a clip as proved chunks of its original, and a playable cut beside them.

1. the clip's frame index says which bytes hold the wanted seconds            nothing has happened yet
2. a child process copies the packets of these seconds into a cut             crash: a work folder; its name says so
3. `evidence.export.excerpt`: proved, put on record, written                  see there

Which bytes those are, `ingest.wanted` says.

The index is a derivative, and the service's word. A wrong one gives an excerpt of other seconds, never of other bytes.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final
from uuid import UUID

from evidence.clips.clips import get_clip
from evidence.errors import WireLimit
from evidence.export.clip import Exporter
from evidence.export.excerpt import Excerpted, export_excerpt
from evidence.export.folder import require_free
from evidence.export.order import Order, chunk_runs
from evidence.verify.excerpt_statement import Span
from ingest.errors import CutRefused, ExcerptImpossible
from ingest.media.errors import FramesMalformed, MediaError
from ingest.media.frame_format import FILE_BYTES_MAX, read_frames
from ingest.media.frames import FrameIndex
from ingest.media.pieces import Piece, make_piece
from ingest.offload import on_disk
from ingest.wanted import bytes_needed, seconds_shown
from ingest.workroom import workroom

FRAMES_KIND: Final = "frames"

SPAN_MS_MAX: Final = 24 * 3600 * 1000
_SUFFIXES = {"mp4": ".mp4", "matroska": ".mkv"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants: milliseconds on the players' clock, whether a playable cut, and what for.

    Raises:
        ExcerptImpossible: The times are not in order, or the span is longer than a day.
    """

    clip: UUID
    from_ms: int
    to_ms: int
    purpose: str
    actor: str
    cut: bool = True

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
        ExcerptImpossible: The clip has no frame index, its container does not hold its units in one piece each, or
            nothing lies between these times.
        CutRefused: The playable copy cannot be made of this file.
    """
    require_free(target)
    index, original = await _indexed(exporter, wish.clip)
    async with workroom(workspace, prefix="excerpt-") as folder:
        span = (Fraction(wish.from_ms, 1000), Fraction(wish.to_ms, 1000))
        needed, cut = await asyncio.gather(
            asyncio.to_thread(bytes_needed, index, from_s=span[0], to_s=span[1]),
            _cut(original, folder, index, span) if wish.cut else asyncio.sleep(0),
        )
        shown = seconds_shown(index, from_s=span[0], to_s=span[1])
        order = Order(
            asked=Span(wish.from_ms, wish.to_ms),
            shown=shown,
            chunks=chunk_runs(needed, size=index.size),
            cut=None if cut is None else cut.path,
            cut_sha256=b"" if cut is None else await on_disk(_sha256, cut.path),
            cut_suffix="" if cut is None else _SUFFIXES.get(str(cut.facts.probe.get("container")), ".bin"),
        )
        return await export_excerpt(
            exporter, clip=wish.clip, order=order, target=target, actor=wish.actor, purpose=wish.purpose
        )


async def _indexed(exporter: Exporter, clip: UUID) -> tuple[FrameIndex, Path]:
    async with exporter.pool.acquire() as conn:
        found = await get_clip(conn, clip)
    made = found.made(FRAMES_KIND)
    if made is None:
        raise ExcerptImpossible(
            f"clip {clip} has no frame index: it was not derived yet, or by an older version; export the whole clip",
            clip=str(clip),
        )
    path = await on_disk(exporter.objects.open_path, made.sha256.hex())
    return await asyncio.to_thread(_read_index, path), await on_disk(exporter.objects.open_path, found.row.sha256.hex())


def _read_index(path: Path) -> FrameIndex:
    try:
        with path.open("rb") as file:
            return read_frames(file.read(FILE_BYTES_MAX + 1))
    except FramesMalformed as error:
        raise ExcerptImpossible("the clip's frame index cannot be read; export the whole clip") from error


async def _cut(original: Path, folder: Path, index: FrameIndex, span: tuple[Fraction, Fraction]) -> Piece:
    task = {"task": "cut", "from": str(span[0]), "to": str(span[1]), "origin": str(index.origin)}
    try:
        return await make_piece(original, folder, {**task})
    except MediaError as error:
        raise CutRefused(f"no playable copy can be made: {error}", why=error.code) from error


def _sha256(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
