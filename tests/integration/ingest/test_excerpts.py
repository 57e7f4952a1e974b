"""Some seconds of a clip: proved by themselves, playable where they lie, and nothing goes out that is not as sealed."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import UUID

import av
import numpy as np
import pytest

from evidence.core.digest import CHUNK_BYTES
from evidence.custody.events import checked_payload
from evidence.db.pool import Pool
from evidence.errors import ClipUnknown, EvidenceDamaged, ExportTargetTaken
from evidence.export.clip import Exporter
from evidence.export.excerpt import Excerpted
from evidence.export.order import chunk_runs
from evidence.verify.cli import main
from evidence.verify.report import Exit
from ingest.errors import CutRefused, ExcerptImpossible, ExcerptTooLong
from ingest.excerpts import Wish, make_excerpt
from ingest.media.cutting import LABEL
from ingest.media.frame_format import write_frames
from ingest.media.frames import FrameIndex
from ingest.workroom import STALE_SECONDS, workroom
from ledger.canonical import JsonObject
from tests.support.clock import SeededEntropy, SteppingClock
from tests.support.frame_indexes import index_of
from tests.support.media import Film, Plane, Sound, write
from tests.support.small_house import SmallHouse, open_small_house

SECONDS = 12
KEY_SECONDS = 1
FORMATS = {
    "mp4": ("mp4", Film(codec="libx264"), None),
    "fragments": ("mp4", Film(codec="libx264"), {"movflags": "+frag_keyframe+empty_moov+default_base_moof"}),
    "matroska": ("matroska", Film(codec="libx264"), None),
    "avi": ("avi", Film(codec="mpeg4"), None),
    "mov with pcm": ("mov", Film(codec="libx264"), None),
    "transport stream": ("mpegts", Film(codec="libx264"), None),
    "program stream": ("vob", Film(codec="mpeg2video"), None),
}
INDEXED = ("mp4", "fragments", "matroska", "avi", "mov with pcm")


def noise(number: int, width: int, height: int) -> Plane:
    """Draw what no codec makes small, the same for the same number."""
    return np.random.default_rng(number).integers(0, 256, (height, width, 3), np.uint8)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Twelve seconds of noise with a tone, in each kind of file: several chunks, a key frame a second."""
    folder = tmp_path_factory.mktemp("films")
    made = {}
    for name, (container, film, muxer) in FORMATS.items():
        film = Film(
            size=(256, 160),
            times_ms=range(0, SECONDS * 1000, 100),
            codec=film.codec,
            keyframe_every=10 * KEY_SECONDS,
            options={"qp": "2", "preset": "ultrafast", "bf": "2"}
            if film.codec == "libx264"
            else {"b": "20000000", "qmin": "1", "qmax": "2", "sc_threshold": "1000000000"},
        )
        codec = {"mov": "pcm_s16le", "vob": "mp2"}.get(container, "aac")
        sound = Sound(codec=codec, pieces_ms=((0, SECONDS * 1000),))
        made[name] = write(folder / name, film=film, sound=sound, container=container, draw=noise, muxer=muxer)
        assert made[name].stat().st_size > 5 * CHUNK_BYTES
    return made


@dataclass
class Room:
    """A small house and what makes excerpts in it."""

    house: SmallHouse
    folder: Path

    async def seal(self, film: Path, *, index: FrameIndex | bytes | None) -> UUID:
        """Seal a film, and derive its frame index."""
        clip = await self.house.seal(f"{film.name}.mp4", film.read_bytes())
        if index is not None:
            raw = index if isinstance(index, bytes) else write_frames(index)
            frames: JsonObject = {
                "kind": "frames",
                "sha256": self.house.objects.put(raw),
                "size": len(raw),
                "media_type": "application/vnd.shilu.frames",
            }
            await self.house.write(
                "clip.derived",
                f"clip:{clip}",
                {
                    "clip": str(clip),
                    "attempt": 1,
                    "outcome": "reviewable",
                    "reason": None,
                    "tools": {},
                    "parameters": {},
                    "probe": {},
                    "objects": [frames],
                },
            )
        await self.house.publish()
        return clip

    async def excerpt(
        self,
        clip: UUID,
        begin: int,
        end: int,
        *,
        cut: bool = True,
        name: str = "out",
        bytes_max: int | None = None,
    ) -> Excerpted:
        """Have an excerpt made."""
        house = self.house
        exporter = Exporter(
            pool=house.pool,
            reader=house.reader,
            objects=house.objects,
            policy=house.policy,
            clock=house.clock,
            entropy=house.entropy,
        )
        wish = Wish(
            clip=clip,
            from_ms=begin,
            to_ms=end,
            purpose="litigation",
            actor="service",
            cut=cut,
            bytes_max=bytes_max,
        )
        return await make_excerpt(exporter, wish, target=self.folder / name, workspace=self.folder / "work")

    def verify(self, folder: Path, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, dict[str, Any]]:
        """Have `shilu-verify` look at it."""
        capsys.readouterr()
        code = main(["--json", "--quiet", "--log-key", self.house.signer.verifier.vkey, str(folder), *more])
        return code, json.loads(capsys.readouterr().out or "{}")

    async def traces(self) -> list[Any]:
        """Return the payloads of excerpts on record."""
        rows = await self.house.pool.fetch("SELECT payload FROM custody_payload WHERE type = 'clip.excerpted'")
        return [json.loads(row["payload"]) for row in rows]


@pytest.fixture
async def room(
    pool: Pool, database: str, tmp_path: Path, clock: SteppingClock, entropy: SeededEntropy
) -> AsyncIterator[Room]:
    (tmp_path / "house").mkdir()
    async with open_small_house(pool, database, tmp_path / "house", clock=clock, entropy=entropy) as house:
        yield Room(house, tmp_path)


def begins(path: Path) -> float:
    """Return when the first track begins, in seconds: transport streams do not begin at zero."""
    with av.open(str(path)) as container:
        return float(min((one.start_time or 0) * (one.time_base or 0) for one in container.streams))


def shown(path: Path, begin: float, end: float) -> dict[int, bytes]:
    """Return the pictures between two times as a player shows them: it seeks, and decodes from there."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.time_base is not None
        container.seek(round(begin / stream.time_base), stream=stream)
        pictures = {}
        for frame in container.decode(stream):
            time = float((frame.pts or 0) * stream.time_base)
            if begin <= time < end:
                pictures[round(time * 1000)] = hashlib.sha256(frame.to_ndarray().tobytes()).digest()
            if time >= end:
                break
    return pictures


@pytest.mark.parametrize("kind", INDEXED)
async def test_a_stranger_proves_the_bytes_and_plays_the_seconds(
    room: Room, films: dict[str, Path], kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    film = films[kind]
    clip = await room.seal(film, index=index_of(film))
    made = await room.excerpt(clip, 5200, 7000)
    code, report = room.verify(made.folder, capsys, "--rebuild", str(room.folder / "rebuilt"))
    assert code == Exit.VERIFIED, report
    assert report["remarks"] == []
    codes = {one["code"] for one in report["items"][0]["findings"]}
    assert {"met.excerpt", "met.excerpt_tree", "excerpt.seconds", "excerpt.cut"} <= codes
    rebuilt = room.folder / "rebuilt"
    assert rebuilt.stat().st_size == film.stat().st_size
    wanted = shown(film, 5.2, 7.0)
    assert len(wanted) == 18
    assert shown(rebuilt, 5.2, 7.0) == wanted
    # A fragment of these films is hardly longer than a chunk, and the head of each is needed to play any; this AVI has
    # an empty piece for every millisecond without a picture, which is more than framing.
    if kind in {"mp4", "matroska"}:
        assert made.statement.held_bytes < film.stat().st_size * 2 // 3
        assert "excerpt.left_out" in codes
    stated = made.statement.shown
    assert stated is not None
    # Fragments without an edit list begin 200 ms later; Matroska ends with a picture of its stated 40 ms.
    assert stated.from_ms == (5200 if kind == "fragments" else 5000)
    assert 6900 < stated.to_ms <= 7000


@pytest.mark.parametrize(
    "kind",
    [
        *("transport stream", "mov with pcm", "avi"),
        *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("mp4", "matroska", "program stream")),
    ],
)
async def test_without_an_index_the_original_itself_is_read(
    room: Room, films: dict[str, Path], kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Clips of before there was an index, and streams whose units are cut into packets."""
    film = films[kind]
    clip = await room.seal(film, index=None)
    made = await room.excerpt(clip, 5200, 7000)
    code, report = room.verify(made.folder, capsys, "--rebuild", str(room.folder / "rebuilt"))
    assert code == Exit.VERIFIED, report
    begin = begins(film)
    wanted = shown(film, begin + 5.2, begin + 7.0)
    assert len(wanted) >= 10
    assert shown(room.folder / "rebuilt", begin + 5.2, begin + 7.0) == wanted
    if kind != "avi":
        assert made.statement.held_bytes < film.stat().st_size * 3 // 4
    assert made.statement.shown is not None
    # A picture of less than its tenth of a second ends earlier; a key frame comes with the tenth picture.
    assert 4000 <= made.statement.shown.from_ms <= 5200
    assert 6900 < made.statement.shown.to_ms <= 7000
    cut = made.statement.cut
    assert cut is not None
    assert list(shown(made.folder / cut.name, 0.0, 10.0).values())[-len(wanted) :] == list(wanted.values())


@pytest.mark.parametrize("spoilt", [lambda raw: raw[:-9], lambda raw: raw])
async def test_an_index_that_says_nothing_is_no_reason_to_refuse(
    room: Room, films: dict[str, Path], spoilt: Callable[[bytes], bytes]
) -> None:
    film = films["transport stream"]
    clip = await room.seal(film, index=spoilt(write_frames(replace(index_of(film), origin=Fraction(14, 10)))))
    made = await room.excerpt(clip, 5200, 7000, cut=False)
    assert made.statement.shown is not None
    assert 6900 < made.statement.shown.to_ms <= 7000
    assert made.statement.left_out()


async def test_neither_noise_nor_half_a_photograph_has_seconds(room: Room, tmp_path: Path) -> None:
    for content in (SeededEntropy(5)(3000), b"\xff\xd8\xff\xe0" + bytes(900)):
        (tmp_path / "noise").write_bytes(content)
        clip = await room.seal(tmp_path / "noise", index=None)
        # Noise may look like some old codec's stream for a moment.
        with pytest.raises((ExcerptImpossible, CutRefused)):
            await room.excerpt(clip, 0, 1000)
    assert await room.traces() == []
    assert list((room.folder / "work").iterdir()) == []


async def test_more_than_may_go_out_in_one_answer_is_refused_before_anything_happens(
    room: Room, films: dict[str, Path]
) -> None:
    clip = await room.seal(films["mp4"], index=index_of(films["mp4"]))
    with pytest.raises(ExcerptTooLong) as refused:
        await room.excerpt(clip, 1000, 9000, bytes_max=2 * CHUNK_BYTES)
    assert refused.value.details["bytes_max"] == 2 * CHUNK_BYTES
    assert await room.traces() == []
    assert not (room.folder / "out").exists()


@pytest.mark.parametrize("kind", ["mp4", "avi"])
async def test_the_cut_plays_by_itself_and_says_what_it_is(room: Room, films: dict[str, Path], kind: str) -> None:
    clip = await room.seal(films[kind], index=index_of(films[kind]))
    made = await room.excerpt(clip, 5200, 7000)
    cut = made.statement.cut
    assert cut is not None
    path = made.folder / cut.name
    assert hashlib.sha256(path.read_bytes()).digest() == cut.sha256
    with av.open(str(path)) as container:
        assert container.metadata["comment"] == LABEL
        assert {stream.type for stream in container.streams} == {"video", "audio"}
        assert 1.8 <= (container.duration or 0) / 1_000_000 <= 2.4
    wanted = shown(films[kind], 5.0, 7.0)
    pictures = shown(path, 0.0, 10.0)
    assert list(pictures.values()) == list(wanted.values())


async def test_the_trace_comes_first_and_says_what_was_handed_out(room: Room, films: dict[str, Path]) -> None:
    clip = await room.seal(films["mp4"], index=index_of(films["mp4"]))
    made = await room.excerpt(clip, 1000, 2000)
    (trace,) = await room.traces()
    checked_payload("clip.excerpted", trace)
    assert (trace["from_ms"], trace["to_ms"], trace["purpose"]) == (1000, 2000, "litigation")
    assert trace["runs"] == [{"first": run.first, "chunks": run.chunks} for run in made.statement.runs]
    assert trace["cut"]["sha256"] == made.statement.cut.sha256.hex() if made.statement.cut else False
    assert list((room.folder / "work").iterdir()) == []
    bare = await room.excerpt(clip, 1000, 2000, cut=False, name="bare")
    assert bare.statement.cut is None
    assert not [path for path in bare.folder.iterdir() if ".cut" in path.name]


async def test_a_damaged_original_is_named_and_nothing_goes_out(room: Room, films: dict[str, Path]) -> None:
    film = films["mp4"]
    clip = await room.seal(film, index=index_of(film))
    made = await room.excerpt(clip, 5000, 6000, cut=False, name="before")
    wanted = made.statement.runs[-1].first
    stored = room.house.objects.open_path(hashlib.sha256(film.read_bytes()).hexdigest())
    raw = bytearray(stored.read_bytes())
    raw[wanted * CHUNK_BYTES] ^= 1
    stored.chmod(0o644)
    stored.write_bytes(raw)
    with pytest.raises(EvidenceDamaged) as damaged:
        await room.excerpt(clip, 5000, 6000, cut=False)
    assert damaged.value.details["chunk"] == wanted
    assert sorted(path.name for path in room.folder.iterdir()) == ["before", "house", "work"]


async def test_a_fault_elsewhere_does_not_keep_an_excerpt_back(room: Room, films: dict[str, Path]) -> None:
    """The leaves of the other chunks are kept and proved by the root, so nobody reads these chunks."""
    film = films["mp4"]
    clip = await room.seal(film, index=index_of(film))
    made = await room.excerpt(clip, 5000, 6000, cut=False, name="before")
    other = made.statement.left_out()[0][0]
    stored = room.house.objects.open_path(hashlib.sha256(film.read_bytes()).hexdigest())
    raw = bytearray(stored.read_bytes())
    raw[other * CHUNK_BYTES + 9] ^= 1
    stored.chmod(0o644)
    stored.write_bytes(raw)
    assert (await room.excerpt(clip, 5000, 6000, cut=False)).statement.runs == made.statement.runs


async def test_what_cannot_be_an_excerpt_is_refused_and_leaves_no_trace(room: Room, films: dict[str, Path]) -> None:
    clip = await room.seal(films["mp4"], index=index_of(films["mp4"]))
    for begin, end in ((12_500, 13_000), (90_000, 91_000)):
        with pytest.raises(ExcerptImpossible, match="between these times"):
            await room.excerpt(clip, begin, end, cut=False)
    for begin, end in ((5000, 5000), (5000, 4000), (-1, 4000), (0, 25 * 3600 * 1000)):
        with pytest.raises(ExcerptImpossible):
            await room.excerpt(clip, begin, end)
    with pytest.raises(ClipUnknown):
        await room.excerpt(room.house.new_id(), 0, 1)
    (room.folder / "taken").mkdir()
    with pytest.raises(ExportTargetTaken):
        await room.excerpt(clip, 0, 1000, name="taken")
    assert await room.traces() == []


async def test_a_cut_that_cannot_be_made_says_so_and_the_excerpt_can_be_had_without(
    room: Room, films: dict[str, Path]
) -> None:
    index = index_of(films["mp4"])
    noise_file = room.folder / "noise"
    noise_file.write_bytes(SeededEntropy(5)(index.size))
    clip = await room.seal(noise_file, index=index)
    with pytest.raises(CutRefused):
        await room.excerpt(clip, 5000, 6000)
    assert await room.traces() == []
    assert (await room.excerpt(clip, 5000, 6000, cut=False)).statement.runs


def test_chunks_are_whole_and_runs_have_a_way_between_them() -> None:
    mib = CHUNK_BYTES
    assert chunk_runs([(0, 1), (mib - 1, mib + 1)], size=9 * mib) == ((0, 2),)
    assert chunk_runs([(3 * mib, 4 * mib), (-5, 7), (4 * mib, 4 * mib + 1)], size=9 * mib) == ((0, 1), (3, 5))
    assert chunk_runs([(8 * mib, 99 * mib), (2, 2), (99 * mib, 100 * mib)], size=9 * mib - 5) == ((8, 9),)


async def test_what_a_killed_process_left_is_cleared_once_nobody_can_be_at_it(tmp_path: Path) -> None:
    for name, age in (("excerpt-old", STALE_SECONDS + 60), ("excerpt-new", 60), ("other-old", STALE_SECONDS + 60)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "piece").write_bytes(b"half")
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    async with workroom(tmp_path, prefix="excerpt-") as folder:
        assert folder.parent == tmp_path
        assert sorted(path.name for path in tmp_path.iterdir() if path != folder) == ["excerpt-new", "other-old"]
    assert not folder.exists()
