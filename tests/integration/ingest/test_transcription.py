"""Transcripts from clip to record: found, listened to in the real child, published once, and never in anybody's way."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import pytest

from evidence.clips.transcript_store import newest_transcript
from evidence.core.clock import utc_now
from evidence.custody.record import record
from evidence.custody.replay import replay
from ingest import transcription_store as jobs
from ingest.media.models import read_models
from ingest.media.transcript import parse_transcript
from ingest.transcription import Transcriber, TranscriptionSettings
from ledger.canonical import JsonValue, canonical_json
from tests.integration.ingest.media.test_transcribing import HIGH, LOW, tones
from tests.support.clock import SeededEntropy
from tests.support.intake import Intake, footage
from tests.support.tiny_models import write_models

pytest.importorskip("sherpa_onnx")

HASTY = TranscriptionSettings(lease_seconds=2.0, retry_seconds=0.0, blocked_seconds=0.0, look_seconds=0.05)
SPANS = ((480, 1520), (1984, 3008))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_models(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def voices(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A review copy in which two voices speak."""
    folder = tmp_path_factory.mktemp("voices")
    return tones(folder / "in.wav", (LOW, 500, 1500), (HIGH, 2000, 3000)).read_bytes()


async def derived(intake: Intake, proxy: bytes, spans: Sequence[Sequence[int]] = SPANS, *, seed: int = 1) -> UUID:
    """Seal a clip and put on record that it has this review copy and speech at these times."""
    data = footage(500, seed=seed)
    view = await intake.staff_upload(data)
    await intake.send(view, data)
    clip = (await intake.state(view)).clip
    assert clip is not None
    segments: list[JsonValue] = [list(span) for span in spans]
    speech = canonical_json({"detector": "test", "segments": segments, "version": 1, "window_ms": 32})
    objects: list[JsonValue] = [
        {"kind": kind, "sha256": intake.objects.put(raw), "size": len(raw), "media_type": media_type}
        for kind, raw, media_type in (("proxy", proxy, "audio/mp4"), ("speech", speech, "application/json"))
    ]
    async with intake.pool.acquire() as conn, conn.transaction():
        await record(
            conn,
            type="clip.derived",
            actor="service",
            subject=f"clip:{clip}",
            payload={
                "clip": str(clip),
                "attempt": 1,
                "outcome": "audio",
                "reason": None,
                "tools": {},
                "parameters": {},
                "probe": {},
                "objects": objects,
            },
            clock=intake.clock,
            entropy=intake.entropy,
        )
    return clip


def transcriber(intake: Intake, models: Path, *, seed: int = 7, settings: TranscriptionSettings = HASTY) -> Transcriber:
    return Transcriber(
        pool=intake.pool,
        objects=intake.objects,
        workspace=intake.folder / "work",
        models=models,
        clock=utc_now,
        entropy=SeededEntropy(seed),
        settings=settings,
    )


@asynccontextmanager
async def running(one: Transcriber) -> AsyncIterator[None]:
    """Run a transcriber for the length of a block and see that it stops in time."""
    stop = asyncio.Event()
    task = asyncio.create_task(one.run(stop))
    try:
        yield
    finally:
        stop.set()
        async with asyncio.timeout(10):
            await task


async def state(intake: Intake, clip: UUID) -> tuple[str, str | None, str | None]:
    async with intake.pool.acquire() as conn:
        job = await jobs.job_of(conn, clip)
    assert job is not None
    return job.state, job.outcome, job.reason


async def until(intake: Intake, clip: UUID, outcome: str) -> None:
    async with asyncio.timeout(30):
        while await intake.pool.fetchval("SELECT outcome FROM transcription_job WHERE clip = $1", clip) != outcome:
            await asyncio.sleep(0.02)


async def test_a_transcript_is_published_with_its_captions(intake: Intake, models: Path, voices: bytes) -> None:
    clip = await derived(intake, voices)
    async with running(transcriber(intake, models)):
        await until(intake, clip, "transcribed")
    async with intake.pool.acquire() as conn:
        row = await newest_transcript(conn, clip)
        assert [found async for found in replay(conn)] == [], "the rows are what the payload says"
    assert row is not None
    assert (row.models, row.counts) == (read_models(models).as_json(), {"parts": 2, "segments": 2, "speakers": 2})
    assert row.parent == hashlib.sha256(voices).digest()
    assert row.tools["speech"].startswith("sherpa-onnx ")
    kept = {made.kind: intake.objects.open_path(made.sha256.hex()).read_bytes() for made in row.objects}
    told = parse_transcript(kept["transcript"])
    assert [(said.text, said.speaker) for said in told.segments] == [("低", "S1"), ("高", "S2")]
    assert json.loads(kept["transcript"])["proposal"] is True
    assert kept["captions"].startswith(b"WEBVTT")
    assert "低" in kept["captions"].decode()
    events = await intake.events()
    assert events[-1] == "clip.transcribed"
    assert "clip.annotated" not in events, "nobody's words are touched"
    assert list((intake.folder / "work").iterdir()) == []


async def test_two_transcribers_make_each_once(intake: Intake, models: Path, voices: bytes) -> None:
    clips = [await derived(intake, voices, seed=seed) for seed in (1, 2)]
    async with running(transcriber(intake, models, seed=7)), running(transcriber(intake, models, seed=8)):
        for clip in clips:
            await until(intake, clip, "transcribed")
    assert (await intake.events()).count("clip.transcribed") == 2


async def test_where_nobody_speaks_nothing_is_put_on_record(intake: Intake, models: Path, voices: bytes) -> None:
    clip, one = await derived(intake, voices, []), transcriber(intake, models)
    await one.find()
    assert await one.attempt()
    assert await state(intake, clip) == ("done", "silent", None)
    assert not await one.attempt()
    assert (await intake.events()).count("clip.transcribed") == 0


async def test_models_that_are_put_right_are_used_then(intake: Intake, voices: bytes, tmp_path: Path) -> None:
    """What is wrong with the models says nothing about the clip: no attempt is counted, and it is tried again."""
    models = write_models(tmp_path / "models")
    good = (models / "tones.onnx").read_bytes()
    (models / "tones.onnx").write_bytes(good + b"!")
    clip, one = await derived(intake, voices), transcriber(intake, models)
    await one.find()
    for _ in range(2):
        assert await one.attempt()
    told = await state(intake, clip)
    assert told[0] == "waiting"
    assert (told[2] or "").startswith("speech.models_differ: ")
    (models / "tones.onnx").write_bytes(good)
    assert await one.attempt()
    assert (await state(intake, clip))[:2] == ("done", "transcribed")


async def test_without_the_library_or_a_manifest_it_says_so_and_waits(
    intake: Intake,
    models: Path,
    voices: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    clip = await derived(intake, voices)
    monkeypatch.setattr("ingest.media.models.LIBRARY_MODULE", "sherpa_onnx_that_is_not_there")
    async with running(transcriber(intake, models)):
        await asyncio.sleep(0.3)
    assert "speech.library_missing" in (said := capsys.readouterr().out)
    assert said.count("speech.library_missing") == 1, "once, and not at every look"
    monkeypatch.undo()
    async with running(transcriber(intake, tmp_path / "nowhere")):
        await asyncio.sleep(0.3)
    assert "speech.manifest_malformed" in capsys.readouterr().out
    assert await intake.pool.fetchval("SELECT count(*) FROM transcription_job") == 0
    async with running(transcriber(intake, models)):
        await until(intake, clip, "transcribed")


async def test_a_review_copy_that_never_decodes_is_given_up(intake: Intake, models: Path) -> None:
    clip, one = await derived(intake, footage(3000)), transcriber(intake, models)
    await one.find()
    while await one.attempt():
        pass
    told = await state(intake, clip)
    assert told[:2] == ("done", "failed")
    assert (told[2] or "").startswith("media."), told
    assert (await intake.events()).count("clip.transcribed") == 0


async def test_a_list_of_segments_that_is_none_is_given_up_at_once(intake: Intake, models: Path, voices: bytes) -> None:
    clip, one = await derived(intake, voices, [(5, 4)]), transcriber(intake, models)
    await one.find()
    assert await one.attempt()
    assert not await one.attempt()
    assert (await state(intake, clip))[1:] == (
        "failed",
        "speech.transcript_malformed: a speech segment has no rising times",
    )


async def test_a_dead_workers_job_is_taken_over_a_limited_number_of_times(
    intake: Intake, models: Path, voices: bytes
) -> None:
    clip, one = await derived(intake, voices), transcriber(intake, models)
    await one.find()
    for number in range(HASTY.attempts_max):
        hold = await jobs.take_next(intake.pool, token=UUID(int=number + 1), lease_seconds=-1)
    assert hold is not None
    assert await one.attempt()
    assert (await state(intake, clip))[1] == "failed"
    assert not await jobs.renew(intake.pool, hold, lease_seconds=5), "the dead one's token counts no more"


async def test_who_lost_a_job_publishes_nothing(intake: Intake, models: Path, voices: bytes) -> None:
    await derived(intake, voices)
    one = transcriber(intake, models)
    await one.find()
    task = asyncio.create_task(one.attempt())
    while await intake.pool.fetchval("SELECT state FROM transcription_job") != "running":
        await asyncio.sleep(0.01)
    await intake.pool.execute("UPDATE transcription_job SET lease = gen_random_uuid()")
    assert await task
    assert (await intake.events()).count("clip.transcribed") == 0


async def test_a_stopped_transcriber_gives_its_job_back(intake: Intake, models: Path, voices: bytes) -> None:
    clip = await derived(intake, voices)
    async with running(transcriber(intake, models)):
        while await intake.pool.fetchval("SELECT state FROM transcription_job") != "running":
            await asyncio.sleep(0.01)
    if (await state(intake, clip))[0] != "done":
        assert await intake.pool.fetchval("SELECT attempts FROM transcription_job") == 0
    assert list((intake.folder / "work").glob("*")) == []


async def test_a_killed_child_costs_an_attempt_and_no_more(
    intake: Intake, models: Path, voices: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ingest.media.process import Child

    clip, one = await derived(intake, voices), transcriber(intake, models)
    killed: list[int] = []
    line = Child.line

    async def line_of_the_dying(child: Child, seconds: int) -> bytes:
        if not killed:
            killed.append(child._process.pid)
            os.kill(child._process.pid, signal.SIGKILL)
        return await line(child, seconds)

    monkeypatch.setattr(Child, "line", line_of_the_dying)
    await one.find()
    assert await one.attempt()
    assert (await state(intake, clip))[0] == "waiting"
    assert await one.attempt()
    assert (await state(intake, clip))[:2] == ("done", "transcribed")
    assert await intake.pool.fetchval("SELECT attempts FROM transcription_job") == 2
