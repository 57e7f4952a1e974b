"""Stills over HTTP: that very picture, from the sealed original, in every pixel, on record first (R42)."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import av
import numpy as np
import pytest
import pytest_asyncio

from api.services import PIECES_AT_ONCE
from api.stills import still_out, take
from evidence.core.digest import CHUNK_BYTES
from evidence.errors import ExportTargetTaken
from evidence.parties.roles import Role
from ingest import stills
from ingest.media.frame_format import read_frames, write_frames
from ingest.media.frames import KEY, FrameIndex
from ingest.media.pieces import Piece, make_piece
from ingest.media.rendition import make_renditions
from ingest.media.showing import Asked
from ingest.stills import StillWish
from tests.support.media import Film, Sound, write
from tests.support.numbered import number_of, numbered, read_png
from tests.support.service import Reply, RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUICK = {"preset": "ultrafast", "bf": "3", "b_strategy": "0", "qp": "20"}
UNEVEN = tuple(int(40 * number + 7 * (number % 5)) for number in range(60))
LYING = (0, 65536, 0, -65536, 0, 0, 0, 0, 1073741824)
"""A display matrix of a camera that was held upright: a quarter turn clockwise."""


@dataclass(frozen=True)
class Sort:
    """A kind of film; `times_ms` are those of its pictures."""

    film: Film
    container: str = "mp4"
    sound: Sound | None = None
    muxer: dict[str, str] | None = None


def sort(codec: str = "libx264", *, container: str = "mp4", **film: Any) -> Sort:
    """Return a film of sixty pictures; H.264 with three B-frames unless said otherwise."""
    given = {"size": (320, 192), "times_ms": tuple(range(0, 2400, 40)), "options": QUICK, "keyframe_every": 20, **film}
    return Sort(Film(codec=codec, **given), container, Sound(pieces_ms=((0, 2400),)))


SORTS = {
    "b-frames": sort(),
    "uneven times": sort(times_ms=UNEVEN),
    "held upright": sort(matrix=LYING),
    "h265": sort("libx265", options={"preset": "ultrafast", "x265-params": "log-level=none:bframes=3:open-gop=1"}),
    "open groups": sort(options={**QUICK, "x264-params": "open-gop=1"}),
    "ten bits": sort(
        "libx265", pixel_format="yuv420p10le", options={"preset": "ultrafast", "x265-params": "log-level=none"}
    ),
    "matroska": sort(container="matroska"),
    "transport stream": sort(container="mpegts"),
    "mpeg-4 in avi": sort("mpeg4", container="avi", options={"qmin": "2", "qmax": "3"}),
    "fragments": Sort(sort().film, "mp4", None, {"movflags": "+frag_keyframe+empty_moov+default_base_moof"}),
}


@dataclass(frozen=True)
class Kept:
    """A clip, its file and its index."""

    clip: UUID
    path: Path
    index: FrameIndex


async def kept(service: RunningService, folder: Path, name: str, path: Path | None = None) -> Kept:
    """Seal a film and derive it as a worker does."""
    sort = SORTS[name]
    folder.mkdir(exist_ok=True)
    path = path or write(
        folder / "film", film=sort.film, sound=sort.sound, container=sort.container, draw=numbered, muxer=sort.muxer
    )
    (folder / "made").mkdir()
    made = make_renditions(path, folder / "made", threads=1, report=lambda _: None, tell=lambda _: None)
    objects: dict[str, tuple[bytes, str]] = {one.kind: (one.path.read_bytes(), one.media_type) for one in made.objects}
    clip = await service.clip(path.read_bytes(), path=f"{uuid4()}.{sort.container}")
    proxy, _ = objects.pop("proxy")
    await service.derive(clip, proxy, beside=objects, probe=made.probe)
    return Kept(clip, path, read_frames(objects["frames"][0]))


async def order(service: RunningService, clip: UUID, *, role: Role = Role.REVIEWER, **body: object) -> Reply:
    return await service.ask("POST", f"/v1/clips/{clip}/stills", role=role, json={"purpose": "legal_review", **body})


def stated(reply: Reply) -> dict[str, Any]:
    """Return a still's statement."""
    assert reply.status == 200, reply
    found: dict[str, Any] = json.loads(reply.headers["X-Shilu-Still"])
    return found


def decoded(path: Path) -> list[av.VideoFrame]:
    """Decode a whole file from its beginning, as anybody would, and put its pictures in the order of their times."""
    with av.open(str(path)) as container:
        return sorted(container.decode(video=0), key=lambda frame: frame.pts or 0)


def raw_sha256(frame: av.VideoFrame) -> str:
    """Return the digest of a picture's planes without padding (4:2:0 only)."""
    deep = 2 if "10" in frame.format.name else 1
    digest = hashlib.sha256()
    for number, plane in enumerate(frame.planes):
        width, height = (frame.width, frame.height) if number == 0 else (frame.width // 2, frame.height // 2)
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        digest.update(rows[:height, : width * deep].tobytes())
    return digest.hexdigest()


@pytest.mark.parametrize("name", SORTS)
async def test_every_number_gives_its_own_picture(shared: RunningService, tmp_path: Path, name: str) -> None:
    made = await kept(shared, tmp_path / "film", name)
    truth = decoded(made.path)
    for number in (0, 1, 18, 19, 20, 21, 41, 59):
        reply = await order(shared, made.clip, frame=number)
        said = stated(reply)
        picture = read_png(reply.body)
        upright = np.rot90(picture, 1) if name == "held upright" else picture
        assert number_of(upright) == number
        assert (said["picture"]["frame"], said["picture"]["of"]) == (number, 60)
        assert said["picture"]["pts"] == truth[number].pts
        assert said["pixels"]["sha256"] == raw_sha256(truth[number])
        assert said["pixels"]["errors"] == 0
        assert said["png"]["sha256"] == hashlib.sha256(reply.body).hexdigest()
        size = (192, 320) if name == "held upright" else (320, 192)
        assert (said["png"]["width"], said["png"]["height"]) == size == (picture.shape[1], picture.shape[0])


@pytest.mark.parametrize("name", ["b-frames", "uneven times"])
async def test_a_time_gives_the_picture_on_show(shared: RunningService, tmp_path: Path, name: str) -> None:
    made = await kept(shared, tmp_path / "film", name)
    times = SORTS[name].film.times_ms
    for number in (0, 7, 23, 59):
        for at in (times[number], (times[number + 1] if number < 59 else times[number] + 5) - 1):
            reply = await order(shared, made.clip, at_ms=at)
            assert (number_of(read_png(reply.body)), stated(reply)["picture"]["at_ms"]) == (number, times[number])
    again = await order(shared, made.clip, pts=stated(reply)["picture"]["pts"])
    assert number_of(read_png(again.body)) == 59


async def test_however_many_ask_few_decoders_run_and_who_fetches_slowly_keeps_no_place(
    shared: RunningService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, running, most = await kept(shared, tmp_path / "film", "b-frames"), 0, 0

    async def counted(*of: Any) -> Piece:
        nonlocal running, most
        running += 1
        most = max(most, running)
        try:
            return await make_piece(*of)
        finally:
            running -= 1

    monkeypatch.setattr(stills, "make_piece", counted)
    wish = StillWish(clip=made.clip, asked=Asked(frame=3), purpose="legal_review", actor="service")
    async with AsyncExitStack() as held:
        for _ in range(PIECES_AT_ONCE):
            await held.enter_async_context(take(shared.services, wish))
        replies = await asyncio.gather(*(order(shared, made.clip, frame=number) for number in range(8)))
    assert [number_of(read_png(reply.body)) for reply in replies] == list(range(8))
    assert most == PIECES_AT_ONCE


async def test_r42_a_still_is_on_record_and_the_same_each_time(shared: RunningService, tmp_path: Path) -> None:
    made = await kept(shared, tmp_path / "film", "b-frames")
    first, second = [await order(shared, made.clip, at_ms=1000) for _ in range(2)]
    assert first.body == second.body
    said, other = stated(first), stated(second)
    assert said.pop("entry") != other.pop("entry"), "each look is one of its own"
    assert said == other
    history = (await shared.ask("GET", f"/v1/clips/{made.clip}/history", role=Role.AUDITOR)).json()["items"]
    entries = [item for item in history if item["type"] == "clip.exported"][-2:]
    assert [item["entry"] for item in entries] == [reply.headers["X-Shilu-Entry"] for reply in (first, second)]
    payload = entries[0]["payload"]
    assert payload["purpose"] == "legal_review"
    assert payload["files"][0]["sha256"] == said["png"]["sha256"]
    still = payload["still"]
    assert (still["frame"], still["at_ms"], still["pixels_sha256"]) == (25, 1000, said["pixels"]["sha256"])
    assert said["original"] == {"sha256": hashlib.sha256(made.path.read_bytes()).hexdigest(), "size": made.index.size}
    assert (said["decoder"]["name"], said["key"]["frame"]) == ("h264", 20)
    assert not [path for path in shared.services.folders.work.iterdir() if path.name.startswith("still-")]


def noisy(folder: Path, container: str) -> Path:
    """Write a film of several chunks, sixty pictures with a key frame in twenty."""
    film = Film(size=(512, 320), times_ms=tuple(range(0, 2400, 40)), options={**QUICK, "qp": "2"}, keyframe_every=20)

    def draw(number: int, width: int, height: int) -> Any:
        picture = numbered(number, width, height)
        noise = np.random.default_rng(number).integers(0, 256, (height // 2, width, 3), np.uint8)
        picture[height - height // 2 :] = noise
        return picture

    folder.mkdir()
    return write(folder / "film", film=film, sound=Sound(pieces_ms=((0, 2400),)), container=container, draw=draw)


@pytest.mark.parametrize("container", ["mp4", "matroska"])
async def test_only_the_chunks_it_leans_on_are_read(shared: RunningService, tmp_path: Path, container: str) -> None:
    path = noisy(tmp_path / "film", container)
    made = await kept(shared, tmp_path / "film", "b-frames", path)
    chunks = -(-made.index.size // CHUNK_BYTES)
    assert chunks > 6
    original = shared.services.objects.open_path(hashlib.sha256(path.read_bytes()).hexdigest())
    said = stated(await order(shared, made.clip, frame=3))
    read = {start // CHUNK_BYTES for start, stop in said["bytes"] for start in range(start, stop, CHUNK_BYTES)}
    spared = sorted(set(range(chunks)) - read)
    assert spared
    # What is not read may be as damaged as it likes; what is read must be as sealed.
    whole = original.read_bytes()
    for place, code in ((spared[len(spared) // 2], None), (min(read), "evidence.damaged")):
        spoiled = bytearray(whole)
        spoiled[place * CHUNK_BYTES + 4096] ^= 1
        rewritten(original, bytes(spoiled))
        try:
            reply = await order(shared, made.clip, frame=3)
        finally:
            rewritten(original, whole)
        assert reply.code == code if code else number_of(read_png(reply.body)) == 3


def rewritten(path: Path, content: bytes) -> None:
    """Put other bytes where an object lies."""
    mode = path.stat().st_mode
    path.chmod(0o600)
    path.write_bytes(content)
    path.chmod(mode)


def spoiled_film(folder: Path, numbers: Sequence[int]) -> Path:
    """Write a film some of whose pictures are nothing but zeros, before it is sealed."""
    folder.mkdir()
    sort = SORTS["b-frames"]
    film = Film(
        **{**vars(sort.film), "options": {"preset": "ultrafast", "bf": "0", "intra-refresh": "0"}, "keyframe_every": 1}
    )
    path = write(folder / "film", film=film, draw=numbered)
    with av.open(str(path)) as container:
        places = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    raw = bytearray(path.read_bytes())
    for number in numbers:
        offset, size = places[number]
        assert offset is not None
        raw[offset : offset + size] = bytes(size)
    path.write_bytes(raw)
    return path


async def test_what_no_decoder_shows_names_the_next_that_decodes(shared: RunningService, tmp_path: Path) -> None:
    made = await kept(shared, tmp_path / "film", "b-frames", spoiled_film(tmp_path / "film", [10, 11]))
    reply = await order(shared, made.clip, frame=10)
    assert (reply.status, reply.code) == (409, "still.undecodable")
    assert reply.json()["details"]["next_frame"] == 12
    assert number_of(read_png((await order(shared, made.clip, frame=12)).body)) == 12


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"frame": 0, "purpose": "curiosity"}, 400, "view.purpose_unknown"),
        ({}, 400, "request.invalid"),
        ({"frame": 0, "at_ms": 0}, 400, "request.invalid"),
        ({"frame": -1}, 400, "request.invalid"),
        ({"frame": 60}, 404, "still.outside"),
        ({"at_ms": 900_000}, 404, "still.outside"),
        ({"pts": 1}, 404, "still.outside"),
    ],
)
async def test_what_cannot_be_a_still_is_refused_and_not_on_record(
    shared: RunningService, plain: Kept, body: dict[str, Any], status: int, code: str
) -> None:
    counted = "SELECT count(*) FROM custody_payload"
    before = await shared.services.pool.fetchval(counted)
    reply = await order(shared, plain.clip, **body)
    assert (reply.status, reply.code) == (status, code)
    assert await shared.services.pool.fetchval(counted) == before


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def plain(shared: RunningService, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    return await kept(shared, tmp_path_factory.mktemp("plain") / "film", "b-frames")


async def test_clips_without_pictures_by_number_say_why(shared: RunningService, tmp_path: Path) -> None:
    fresh = await shared.clip(uuid4().bytes, path=f"{uuid4()}.mp4")
    assert (await order(shared, fresh, frame=0)).code == "still.not_derived"
    bare = await shared.clip(uuid4().bytes, path=f"{uuid4()}.mp4")
    await shared.derive(bare, b"a review copy")
    assert (await order(shared, bare, frame=0)).code == "still.no_index"
    broken = await shared.clip(uuid4().bytes, path=f"{uuid4()}.mp4")
    await shared.derive(broken, b"no index", kind="frames", media_type="application/octet-stream")
    assert (await order(shared, broken, frame=0)).code == "still.no_index"
    heard = write(tmp_path / "sound.mp4", sound=Sound())
    (tmp_path / "made").mkdir()
    made = make_renditions(heard, tmp_path / "made", threads=1, report=lambda _: None, tell=lambda _: None)
    index = next(one.path.read_bytes() for one in made.objects if one.kind == "frames")
    sound = await shared.clip(heard.read_bytes(), path=f"{uuid4()}.m4a")
    await shared.derive(sound, index, kind="frames", media_type="application/octet-stream")
    assert (await order(shared, sound, frame=0)).code == "still.no_pictures"


async def test_an_index_that_states_other_units_gives_no_other_picture(shared: RunningService, plain: Kept) -> None:
    clip = await shared.clip(plain.path.read_bytes() + uuid4().bytes, path=f"{uuid4()}.mp4")
    track = plain.index.tracks[0]
    assert track.flags[20] & KEY
    track.sizes[21] += 1
    false = FrameIndex(plain.index.size + 16, Fraction(0), plain.index.tracks)
    try:
        await shared.derive(clip, write_frames(false), kind="frames", media_type="application/octet-stream")
    finally:
        track.sizes[21] -= 1
    reply = await order(shared, clip, pts=track.pts[21])
    assert (reply.status, reply.code) == (409, "still.unplaced")


async def test_an_administrator_gets_no_picture(shared: RunningService, plain: Kept) -> None:
    reply = await order(shared, plain.clip, role=Role.ADMINISTRATOR, frame=0)
    assert (reply.status, reply.code) == (403, "auth.role")


async def test_the_command_writes_a_file_and_never_over_another(
    shared: RunningService, plain: Kept, tmp_path: Path
) -> None:
    out = tmp_path / "still.png"
    wish = StillWish(clip=plain.clip, asked=Asked(at_ms=410), purpose="litigation", actor="service")
    still = await still_out(shared.services, wish, out=out)
    assert number_of(read_png(out.read_bytes())) == 10
    assert still.sha256 == hashlib.sha256(out.read_bytes()).digest()
    with pytest.raises(ExportTargetTaken):
        await still_out(shared.services, wish, out=out)
