"""Redacted copies: what was to go is gone, what was to stay stays, and nothing of the original leaks beside it."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import UUID

import av
import numpy as np
import pytest

from evidence.clips.redaction import read_redaction
from evidence.custody.events import checked_payload
from evidence.custody.replay import replay
from evidence.db.pool import Pool
from evidence.errors import ClipUnknown
from ingest import jobs, redaction_store
from ingest.errors import RedactionUnknown
from ingest.media.cutting import LABEL
from ingest.media.errors import NoSpace
from ingest.redaction_store import MadeCopy, RedactionJob
from ingest.redactions import Redactor, find_redaction, order_redaction
from ingest.settings import WorkerSettings
from tests.support.auditing import differences
from tests.support.clock import SeededEntropy, SteppingClock
from tests.support.media import Film, Plane, Sound, write
from tests.support.small_house import SmallHouse, open_small_house

SECRET = "沪A12345"
SIZE = (160, 120)
PICTURE = {"width": 320, "height": 240}
BOX = {"x": 80, "y": 60, "width": 160, "height": 120}
"""In a picture of twice the size: the middle of ours, 40 to 120 across and 30 to 90 down."""
MUTE = {"mute": [{"from_ms": 0, "to_ms": 9, "why": "x"}]}
HASTY = WorkerSettings(lease_seconds=1.0, retry_seconds=0.05, blocked_seconds=0.07)
TURNED = (0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30)


def stripes(number: int, width: int, height: int) -> Plane:
    """Draw stripes one eighth of the height high, so that no average of a box shows them, moving along."""
    rows = ((np.arange(height) + number) // 4 % 2 * 255).astype(np.uint8)
    return np.repeat(np.repeat(rows[:, None], width, axis=1)[:, :, None], 3, axis=2)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of stripes with a tone, and everything beside it that must not get out."""
    folder = tmp_path_factory.mktemp("film")
    tags = {"title": SECRET, "location": "+31.23+121.47/", "comment": SECRET}
    return write(
        folder / "film.mkv", film=Film(size=SIZE), sound=Sound(), container="matroska", draw=stripes, tags=tags
    )


@pytest.fixture
async def house(
    pool: Pool, database: str, tmp_path: Path, clock: SteppingClock, entropy: SeededEntropy
) -> AsyncIterator[SmallHouse]:
    async with open_small_house(pool, database, tmp_path, clock=clock, entropy=entropy) as opened:
        yield opened


def redactor_in(house: SmallHouse, *, settings: WorkerSettings = HASTY) -> Redactor:
    return Redactor(
        pool=house.pool,
        objects=house.objects,
        workspace=house.root / "work",
        clock=house.clock,
        entropy=house.entropy,
        settings=settings,
    )


async def order(house: SmallHouse, clip: UUID, **content: Any) -> RedactionJob:
    """Ask for a copy."""
    async with house.pool.acquire() as conn, conn.transaction():
        return await order_redaction(
            conn,
            clip=clip,
            content=read_redaction({"reason": "公开", **content}),
            actor="service",
            clock=house.clock,
            entropy=house.entropy,
        )


async def state_of(house: SmallHouse, job: RedactionJob) -> RedactionJob:
    """Return how far it is."""
    return await find_redaction(house.pool, clip=job.clip, redaction=job.redaction)


async def redact(house: SmallHouse, film: Path, **content: Any) -> MadeCopy:
    """Seal a film and have a copy made."""
    job = await order(house, await house.seal(film.name, film.read_bytes()), **content)
    assert (job.state, job.made) == ("waiting", None)
    assert await redactor_in(house).attempt(job.redaction) is None
    assert list((house.root / "work").iterdir()) == []
    job = await state_of(house, job)
    assert job.made is not None, job
    return job.made


def box(how: str, begin: int = 500, end: int = 1500) -> dict[str, Any]:
    return {"from_ms": begin, "to_ms": end, "how": how, "why": "路人面部", **BOX}


def pictures(path: Path) -> dict[int, Plane]:
    """Return the luma of every picture by its time in milliseconds."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        unit = stream.time_base or Fraction(1)
        return {
            round((frame.pts or 0) * unit * 1000): frame.reformat(format="gray").to_ndarray().astype(np.uint8)
            for frame in container.decode(stream)
        }


def loudness(path: Path, begin: float, end: float) -> float:
    """Return how loud it is between two times."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        rate = stream.codec_context.sample_rate
        samples = np.concatenate([frame.to_ndarray() for frame in container.decode(stream)], axis=1)
    return float(np.sqrt(np.mean(samples[:, int(begin * rate) : int(end * rate)].astype(np.float64) ** 2)))


@pytest.mark.parametrize("how", ["pixelate", "blur", "black"])
async def test_what_is_covered_is_gone_and_the_rest_is_kept(house: SmallHouse, film: Path, how: str) -> None:
    made = await redact(house, film, picture=PICTURE, cover=[box(how)])
    before, after = pictures(film), pictures(house.objects.open_path(made.sha256.hex()))
    assert before.keys() == after.keys()
    for time, picture in after.items():
        inside, outside = picture[34:86, 44:116].astype(int), picture[:26].astype(int)
        assert np.abs(outside - before[time][:26]).mean() < 25
        if 500 <= time < 1500:
            assert inside.std() < 25, time
            assert before[time][34:86, 44:116].std() > 80
        elif not 420 < time < 1580:
            assert inside.std() > 80, time
    payload = json.loads(
        await house.pool.fetchval("SELECT payload FROM custody_payload WHERE entry_id = $1", made.entry_id)
    )
    assert payload["made"]["covered"] in {25, 26}


async def test_what_is_muted_is_silent_and_the_rest_is_heard(house: SmallHouse, film: Path) -> None:
    made = await redact(house, film, mute=[{"from_ms": 500, "to_ms": 1200, "why": "身份证号"}])
    path = house.objects.open_path(made.sha256.hex())
    tone = loudness(film, 0.1, 0.4)
    assert loudness(path, 0.6, 1.1) < tone / 100
    for begin, end in ((0.1, 0.4), (1.35, 1.8)):
        assert 0.7 < loudness(path, begin, end) / tone < 1.4
    assert len(pictures(path)) == len(pictures(film))


async def test_a_turned_film_is_covered_where_the_reader_saw_it(house: SmallHouse, tmp_path: Path) -> None:
    film = write(tmp_path / "turned.mp4", film=Film(size=SIZE, matrix=TURNED, times_ms=range(0, 600, 40)), draw=stripes)
    left = {"from_ms": 0, "to_ms": 600, "x": 0, "y": 0, "width": 60, "height": 160, "how": "black", "why": "x"}
    made = await redact(house, film, picture={"width": 120, "height": 160}, cover=[left])
    for picture in pictures(house.objects.open_path(made.sha256.hex())).values():
        assert picture.shape == (160, 120)
        assert picture[:, 2:58].max() < 40
        assert picture[:, 64:].std() > 80


async def test_nothing_of_the_original_leaks_beside_the_picture(house: SmallHouse, tmp_path: Path, film: Path) -> None:
    words = tmp_path / "words.srt"
    words.write_text(f"1\n00:00:00,100 --> 00:00:01,000\n{SECRET}\n\n")
    with (
        av.open(str(film)) as source,
        av.open(str(words)) as lines,
        av.open(str(tmp_path / "more.mkv"), "w", format="matroska") as output,
    ):
        output.metadata["title"] = SECRET
        streams = [
            {one.index: output.add_stream_from_template(one) for one in each.streams} for each in (source, lines)
        ]
        for each, made_of in zip((source, lines), streams, strict=True):
            for packet in each.demux():
                if packet.size:
                    packet.stream = made_of[packet.stream_index]
                    output.mux(packet)
    raw = (tmp_path / "more.mkv").read_bytes()
    assert raw.count(SECRET.encode()) >= 2
    made = await redact(house, tmp_path / "more.mkv", picture=PICTURE, cover=[box("black")])
    path = house.objects.open_path(made.sha256.hex())
    copy = path.read_bytes()
    for leak in (SECRET.encode(), b"+31.23", b"more.mkv", b"srt"):
        assert leak not in copy
    with av.open(str(path)) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]
        assert container.metadata["comment"] == LABEL
        assert set(container.metadata) <= {"comment", "encoder", "major_brand", "minor_version", "compatible_brands"}


async def test_it_is_on_record_with_every_change_and_its_reason(house: SmallHouse, film: Path) -> None:
    made = await redact(
        house, film, picture=PICTURE, cover=[box("blur")], mute=[{"from_ms": 0, "to_ms": 9, "why": "姓名"}]
    )
    raw = await house.pool.fetchval("SELECT payload FROM custody_payload WHERE entry_id = $1", made.entry_id)
    payload = json.loads(raw)
    checked_payload("clip.redacted", payload)
    assert payload["parent"] == hashlib.sha256(film.read_bytes()).hexdigest()
    assert payload["sha256"] == made.sha256.hex()
    assert payload["changes"]["cover"][0]["why"] == "路人面部"
    assert payload["changes"]["mute"][0]["why"] == "姓名"
    await house.publish()
    conn = await house.pool.acquire()
    try:
        assert [one async for one in replay(conn)] == []
    finally:
        await house.pool.release(conn)
    assert await differences(house) == []
    stored = house.objects.open_path(made.sha256.hex())
    stored.chmod(0o644)
    stored.write_bytes(stored.read_bytes()[:-1] + b"x")
    assert await differences(house) == ["object.altered"]
    stored.unlink()
    assert await differences(house) == ["object.missing"]


async def test_what_is_not_there_cannot_be_redacted(house: SmallHouse, tmp_path: Path) -> None:
    silent = write(tmp_path / "silent.mp4", film=Film(size=SIZE, times_ms=range(0, 200, 40)))
    noise = tmp_path / "noise.mp4"
    noise.write_bytes(SeededEntropy(3)(5000))
    refused = []
    for film, content in ((silent, MUTE), (noise, {"picture": PICTURE, "cover": [box("black")]})):
        job = await order(house, await house.seal(film.name, film.read_bytes()), **content)
        assert await redactor_in(house).attempt(job.redaction) is None
        assert await redactor_in(house).attempt(job.redaction) is None
        refused.append(await state_of(house, job))
    assert [(job.state, job.code) for job in refused] == [("refused", "redaction.refused")] * 2
    assert all(job.reason for job in refused)
    with pytest.raises(ClipUnknown):
        await order(house, house.new_id(), **MUTE)
    with pytest.raises(RedactionUnknown):
        await find_redaction(house.pool, clip=house.new_id(), redaction=refused[0].redaction)
    # What people wrote goes with the job; no row keeps it beside the ledger.
    assert await house.pool.fetchval("SELECT count(*) FROM redaction_job WHERE content IS NOT NULL") == 0
    types = [row["type"] for row in await house.pool.fetch("SELECT type FROM custody_payload")]
    assert "clip.redacted" not in types


async def test_a_worker_makes_what_was_asked_for_and_no_other_begins_it(house: SmallHouse, film: Path) -> None:
    job = await order(house, await house.seal(film.name, film.read_bytes()), **MUTE)
    first, second = await asyncio.gather(*(redactor_in(house).attempt(job.redaction) for _ in range(2)))
    assert sorted([first is None, second is None]) == [False, True]
    assert (await state_of(house, job)).state == "done"
    assert await redactor_in(house).attempt(job.redaction) is None
    assert await house.pool.fetchval("SELECT count(*) FROM custody_payload WHERE type = 'clip.redacted'") == 1


async def test_a_disk_in_the_way_is_waited_for_and_a_lost_original_is_not(
    house: SmallHouse, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await order(house, await house.seal(film.name, film.read_bytes()), **MUTE)

    async def full(*_: object) -> None:
        raise NoSpace("the disk for work in progress is full")

    with monkeypatch.context() as patch:
        patch.setattr("ingest.redactions.make_piece", full)
        for _ in range(HASTY.attempts_max + 2):
            assert await redactor_in(house).attempt(job.redaction) == HASTY.blocked_seconds
    waiting = await state_of(house, job)
    assert (waiting.state, waiting.code, waiting.reason) == (
        "waiting",
        None,
        "media.no_space: the disk for work in progress is full",
    )
    house.objects.open_path(hashlib.sha256(film.read_bytes()).hexdigest()).unlink()
    assert await redactor_in(house).attempt(job.redaction) is None
    assert (await state_of(house, job)).code == "object.missing"


async def test_workers_that_die_have_a_limited_number_of_lives(house: SmallHouse, film: Path) -> None:
    job = await order(house, await house.seal(film.name, film.read_bytes()), **MUTE)
    for attempt in range(1, HASTY.attempts_max + 1):
        token = house.new_id()
        lease = await redaction_store.take(house.pool, redaction=job.redaction, token=token, lease_seconds=-1)
        assert lease is not None
        assert lease.attempt == attempt
    assert await redactor_in(house).attempt(job.redaction) is None
    assert (await state_of(house, job)).code == "redaction.refused"


async def test_a_job_that_the_queue_has_lost_is_put_back(house: SmallHouse, film: Path) -> None:
    job = await order(house, await house.seal(film.name, film.read_bytes()), **MUTE)
    assert await jobs.sweep(house.pool, age_seconds=-1) == 0
    await house.pool.execute("DELETE FROM pgqueuer")
    assert await jobs.sweep(house.pool, age_seconds=-1) == 1
    raw = await house.pool.fetchval("SELECT payload FROM pgqueuer WHERE entrypoint = $1", jobs.REDACT)
    assert jobs.subject_of(raw) == job.redaction
