"""A still: one picture of a clip, decoded from its original and not from the review copy, in every pixel it has.

1. the clip's frame index says which picture is meant, and which bytes it is decoded from    nothing has happened yet
2. the chunks that hold these bytes are held against their leaves and copied to where they    crash: a work folder;
   lie in a file of holes, which a child process decodes (`ingest.media.picturing`)              its name says so
3. `clip.exported` is committed: which picture, its digests, what for                         crash: a trace without
4. whoever asked gets the PNG                                                                   a still, harmless

So only sealed bytes are decoded, and of a long recording only a few chunks are read. Where the container does not hold
its units in one piece (transport streams), or a file of holes does not open, the whole original is held against its
leaves and decoded where it lies. The index is the service's word: a wrong one gives no still, never another picture,
because the demuxer's own word on time and size of every unit is compared with it.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final
from uuid import UUID

from evidence.clips.clips import Clip, get_clip
from evidence.clips.store import read_leaves
from evidence.core.digest import CHUNK_BYTES
from evidence.custody.record import record
from evidence.errors import ExportTargetUnusable
from evidence.export.clip import Exporter, in_thread, locate_original, prove_kept_leaves
from evidence.export.excerpt import sealed_chunks
from evidence.export.order import chunk_runs
from evidence.retention.tombstones import require_kept
from ingest.errors import StillIndexMissing, StillNotDerived
from ingest.media.errors import (
    ChildBroken,
    FramesMalformed,
    MediaError,
    NothingDecodes,
    NotMedia,
    PicturesMissing,
    PictureUndecodable,
    PictureUnplaced,
    RangesUnknown,
)
from ingest.media.frame_format import FILE_BYTES_MAX, read_frames
from ingest.media.frames import FrameIndex
from ingest.media.pieces import Piece, make_piece
from ingest.media.showing import Asked, Picture, find_picture
from ingest.offload import on_disk
from ingest.wanted import bytes_of_units
from ingest.workroom import workroom
from ledger.canonical import JsonObject, JsonValue

FRAMES_KIND: Final = "frames"
STILL_BYTES_MAX: Final = 1024 * 1024 * 1024
"""Largest PNG that is taken from the child: more than a picture of 200 megapixels with 16 bits a channel makes."""

Runs = tuple[tuple[int, int], ...]
"""Chunks, as (first, stop)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StillWish:
    """Which picture of which clip, what for, and on whose behalf; `session` is the id of what they showed."""

    clip: UUID
    asked: Asked
    purpose: str
    actor: str
    session: UUID | None = None


@dataclass(frozen=True, slots=True)
class Still:
    """A picture that may go out, its entry committed: the PNG's place and name, and what is stated of it."""

    path: Path
    name: str
    sha256: bytes
    statement: JsonObject
    entry_id: UUID


@dataclass(frozen=True, slots=True)
class _Source:
    """What a still is made from."""

    original: Path
    sha256: str
    leaves: list[bytes]
    index: FrameIndex
    picture: Picture
    turn: tuple[int, bool]
    pixel_aspect: str | None


@asynccontextmanager
async def taken_still(exporter: Exporter, wish: StillWish, *, workspace: Path) -> AsyncIterator[Still]:
    """Take a still, put it on record, and hold it for as long as the block lasts.

    Raises:
        ClipUnknown, ClipBlocked, ReceiptPending, EvidenceDamaged: See `Exporter.export_clip`.
        StillNotDerived, StillIndexMissing: Nobody knows its pictures by number.
        PicturesMissing, PictureOutside: There is no such picture.
        PictureUndecodable, PictureUnplaced, MediaError: There is, and it cannot be decoded.
    """
    source = await _source(exporter, wish)
    async with workroom(workspace, prefix="still-") as folder:
        piece, runs = await _decoded(source, folder)
        digest = await on_disk(_sha256, piece.path)
        statement = _state(wish, source, piece, runs, digest)
        name = f"{wish.clip}-{source.picture.number}.png"
        async with exporter.pool.acquire() as conn, conn.transaction():
            recorded = await record(
                conn,
                type="clip.exported",
                actor=wish.actor,
                subject=f"clip:{wish.clip}",
                payload=_trace(wish, name, statement),
                clock=exporter.clock,
                entropy=exporter.entropy,
            )
        yield Still(piece.path, name, digest, {**statement, "entry": str(recorded.entry_id)}, recorded.entry_id)


async def _source(exporter: Exporter, wish: StillWish) -> _Source:
    async with exporter.pool.acquire() as conn:
        found = await get_clip(conn, wish.clip)
        await require_kept(conn, wish.clip)
        raw, track = await _index_of(exporter, found)
        index, picture = await asyncio.to_thread(_looked_up, raw, wish.asked, track)
        proven = await exporter.prove(conn, wish.clip)
        kept = await read_leaves(conn, sha256=proven.sealed.digest.sha256)
    original = await in_thread(lambda _: locate_original(exporter.objects, proven.sealed))
    leaves = await in_thread(lambda _: prove_kept_leaves(kept, original, proven.sealed))
    turn, pixel_aspect = _posture(found, picture.track)
    return _Source(original, proven.sealed.digest.sha256.hex(), leaves, index, picture, turn, pixel_aspect)


async def _index_of(exporter: Exporter, clip: Clip) -> tuple[bytes, int | None]:
    """Return the clip's frame index as it is kept, and the track that its review copy shows."""
    if clip.derivation is None:
        raise StillNotDerived("nothing has been derived from this clip yet")
    if clip.derivation.outcome not in {"reviewable", "audio"}:
        raise PicturesMissing(f"this clip is {clip.derivation.outcome} and holds no film")
    made = clip.made(FRAMES_KIND)
    if made is None:
        raise StillIndexMissing("this clip was derived without a frame index")
    path = await on_disk(exporter.objects.open_path, made.sha256.hex())
    track = clip.derivation.parameters.get("picture")
    return await on_disk(_read, path), track if isinstance(track, int) else None


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(FILE_BYTES_MAX + 1)


def _looked_up(raw: bytes, asked: Asked, track: int | None) -> tuple[FrameIndex, Picture]:
    try:
        index = read_frames(raw)
    except FramesMalformed as error:
        raise StillIndexMissing(f"the frame index of this clip cannot be read: {error.message}") from error
    return index, find_picture(index, asked, track=track)


def _posture(clip: Clip, track: int) -> tuple[tuple[int, bool], str | None]:
    """Return how the pictures of a track must be turned, and the shape of their pixels, as the derivation found out."""
    probe = {} if clip.derivation is None else clip.derivation.probe
    pictures = probe.get("pictures")
    for stated in pictures if isinstance(pictures, list) else []:
        match stated:
            case {"index": int(index), "turn_degrees": int(turn), "mirrored": bool(mirrored)} if index == track:
                aspect = stated.get("pixel_aspect")
                return (turn, mirrored), aspect if isinstance(aspect, str) else None
    return (0, False), None


async def _decoded(source: _Source, folder: Path) -> tuple[Piece, Runs]:
    """Have a child decode the picture from a file of holes, else from the whole original; return the chunks read."""
    units, runs = _needed(source)
    task: JsonObject = {"task": "still", "units": units, "turn": list(source.turn)}
    everything = ((0, -(-source.index.size // CHUNK_BYTES)),)
    try:
        if runs != everything:
            holes = folder / "holes"
            await in_thread(partial(_copy, source, holes, runs))
            try:
                return await _made(holes, folder / "part", task), runs
            except (PictureUnplaced, NotMedia, NothingDecodes):
                # Some containers are not read by their index: what matters then may lie in a hole.
                await on_disk(holes.unlink)
        await in_thread(partial(_compare, source, everything))
        return await _made(source.original, folder / "whole", task), everything
    except PictureUndecodable as error:
        raise await _told(error, source, folder, units) from error


def _needed(source: _Source) -> tuple[JsonObject, Runs]:
    """Return which units the child has to find, and the chunks they lie in: all, where the container does not tell."""
    picture, index = source.picture, source.index
    track = next(track for track in index.tracks if track.index == picture.track)
    units: JsonObject = {"track": picture.track, "key_pts": picture.key_pts, "pts": picture.pts}
    try:
        needed = bytes_of_units(index, track, first=picture.first, stop=picture.stop)
    except RangesUnknown:
        return {**units, "count": 0, "size": 0}, ((0, -(-index.size // CHUNK_BYTES)),)
    size = sum(track.sizes[picture.first : picture.stop])
    return {**units, "count": picture.stop - picture.first, "size": size}, chunk_runs(needed, size=index.size)


async def _made(original: Path, room: Path, task: JsonObject) -> Piece:
    await on_disk(room.mkdir)
    return await make_piece(original, room, task)


async def _told(error: PictureUndecodable, source: _Source, folder: Path, units: JsonObject) -> PictureUndecodable:
    """Return the refusal with the next picture that does decode, if one is near."""
    try:
        said = (await _made(source.original, folder / "next", {"task": "next_still", "units": units})).facts.probe
        if not isinstance(pts := said.get("pts"), int):
            return error
        following = find_picture(source.index, Asked(pts=pts), track=source.picture.track)
    except MediaError:
        return error
    return PictureUndecodable(
        f"{error.message}; the next picture that decodes is number {following.number}",
        next_frame=following.number,
        next_at_ms=following.at_ms,
    )


def _copy(source: _Source, target: Path, runs: Runs, stop: threading.Event) -> None:
    """Write the chunks to where they lie in the original, each compared with its leaf, and leave holes between them."""
    places = (number * CHUNK_BYTES for first, behind in runs for number in range(first, behind))
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.truncate(source.index.size)
        for place, chunk in zip(places, sealed_chunks(source.original, runs, source.leaves), strict=True):
            _go_on(stop)
            file.seek(place)
            file.write(chunk)


def _compare(source: _Source, runs: Runs, stop: threading.Event) -> None:
    for _ in sealed_chunks(source.original, runs, source.leaves):
        _go_on(stop)


def _go_on(stop: threading.Event) -> None:
    if stop.is_set():
        raise ExportTargetUnusable("the still was given up")


def _state(wish: StillWish, source: _Source, piece: Piece, runs: Runs, digest: bytes) -> JsonObject:
    """Return what is stated of a still, the child's word read strictly."""
    picture, size = source.picture, piece.path.stat().st_size
    if size > STILL_BYTES_MAX:
        raise ChildBroken("the child made a picture larger than any")
    match piece.facts.probe:
        case {
            "width": int(width),
            "height": int(height),
            "pixel_format": str(pixel_format),
            "pixels_sha256": str(pixels),
            "decoder": str(decoder),
            "errors": int(errors),
            **rest,
        } if not rest:
            pass
        case _:
            raise ChildBroken("the child says of a still what was never agreed")
    tools: dict[str, JsonValue] = {name: piece.facts.tools.get(name) for name in ("ffmpeg", "libavcodec", "pyav")}
    shown: JsonObject = {"frame": picture.number, "of": picture.of, "pts": picture.pts, "at_ms": picture.at_ms}
    bytes_read: list[JsonValue] = [
        [first * CHUNK_BYTES, min(stop * CHUNK_BYTES, source.index.size)] for first, stop in runs
    ]
    return {
        "clip": str(wish.clip),
        "original": {"sha256": source.sha256, "size": source.index.size},
        "picture": {**shown, "unit": [picture.unit.numerator, picture.unit.denominator], "track": picture.track},
        "key": {"frame": picture.key_number, "pts": picture.key_pts},
        "bytes": bytes_read,
        "pixels": {"format": pixel_format, "sha256": pixels, "aspect": source.pixel_aspect, "errors": errors},
        "turn": {"degrees": source.turn[0], "mirrored": source.turn[1]},
        "png": {"width": width, "height": height, "size": size, "sha256": digest.hex()},
        "decoder": {"name": decoder, **tools},
    }


def _sha256(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _trace(wish: StillWish, name: str, statement: JsonObject) -> JsonObject:
    match statement:
        case {"picture": dict(shown), "pixels": dict(pixels), "png": dict(png), "decoder": dict(decoder)}:
            return {
                "clip": str(wish.clip),
                "purpose": wish.purpose,
                "files": [{"name": name, "sha256": png["sha256"], "size": png["size"]}],
                "still": {
                    **{key: shown[key] for key in ("frame", "pts", "unit", "at_ms")},
                    "pixels_sha256": pixels["sha256"],
                    "decoder": f"{decoder['name']} libavcodec {decoder['libavcodec']}",
                },
                "session": None if wish.session is None else str(wish.session),
            }
    raise ChildBroken("a statement without its parts")
