"""A crash at every step of a delivery and of its seal; afterwards a fresh process and the controller once more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from uuid import UUID

import pytest

from evidence.core.clock import utc_now
from evidence.parties.controllers import connect_controller
from ingest import seal
from ingest import store as uploads_store
from ingest.swift import sealing, store
from ingest.swift.delivery import Body, Deliveries
from tests.support.clock import SeededEntropy
from tests.support.crash import Crash, When, crash_at
from tests.support.intake import Intake, open_intake

SEALING: list[tuple[Callable[[Intake], object], str]] = [
    (lambda _: store, "update_container"),
    (lambda _: store, "settle_source"),
    (lambda _: uploads_store, "declare_length"),
    (lambda _: uploads_store, "intend_seal"),
    (lambda _: seal, "record"),
    (lambda intake: intake.spool, "discard"),
    (lambda intake: intake.objects, "put"),
    (lambda _: sealing, "record"),
    (lambda _: store, "forget_bodies"),
]
"""Every step with an effect, in order: who does it, its name."""

PUTTING: list[tuple[Callable[[Intake], object], str]] = [
    (lambda _: uploads_store, "insert"),
    (lambda _: uploads_store, "acknowledge"),
    (lambda _: store, "put_object"),
]


def deliveries(intake: Intake) -> Deliveries:
    return Deliveries(
        pool=intake.pool, uploads=intake.service, objects=intake.objects, clock=utc_now, entropy=intake.entropy
    )


async def connect(intake: Intake) -> UUID:
    async with intake.pool.acquire() as conn, conn.transaction():
        connected = await connect_controller(
            conn, name="控制器", actor="service", clock=utc_now, entropy=intake.entropy
        )
    return connected.controller


def body(data: bytes) -> Body:
    async def stream() -> AsyncIterator[bytes]:
        yield data[: len(data) // 2]
        yield data[len(data) // 2 :]

    return Body(stream=stream(), announced_bytes=len(data), etag=None)


async def bring(taken: Deliveries, controller: UUID, container: str) -> None:
    await taken.create_container(controller, container, {"bwcserialnumber": "S1"})
    for name in ("a.mkv", "b.mkv", "bookmark_1"):
        await taken.put(controller, container, name, metadata={}, body=body(f"{container} {name} ".encode() * 99))


async def check_sealed_once(intake: Intake, container: str) -> None:
    recordings = await intake.pool.fetch("SELECT recording FROM recording WHERE container = $1", container)
    assert len(recordings) == 1
    clips = await intake.pool.fetch("SELECT sha256 FROM recording_clip WHERE recording = $1", recordings[0][0])
    assert len(clips) == 2
    for clip in clips:
        assert (
            await intake.pool.fetchval(
                "SELECT count(*) FROM clip_source JOIN clip USING (clip) WHERE sha256 = $1", *clip
            )
            == 1
        )
        assert intake.objects.exists(clip["sha256"].hex())
    assert (
        await intake.pool.fetchval(
            "SELECT count(*) FROM swift_object WHERE container = $1 AND body IS NOT NULL", container
        )
        == 0
    )
    assert await intake.pool.fetchval("SELECT recorder FROM clip_source WHERE path = $1", f"{container}/a.mkv") == "S1"


@pytest.mark.parametrize("when", When)
async def test_a_recording_is_sealed_once_whatever_happens_at_the_end(
    intake: Intake, monkeypatch: pytest.MonkeyPatch, when: When
) -> None:
    controller = await connect(intake)
    for number, (victim, name) in enumerate(SEALING):
        container = f"{when.value} {number} {name}"
        async with open_intake(intake.pool, intake.folder, clock=utc_now, entropy=SeededEntropy(100 + number)) as dying:
            taken = deliveries(dying)
            await bring(taken, controller, container)
            with monkeypatch.context() as patch:
                assert_reached = crash_at(patch, victim(dying), name, when)
                with pytest.raises(Crash):
                    await taken.describe_container(controller, container, {"status": "Complete"})
                assert_reached()
        async with open_intake(intake.pool, intake.folder, clock=utc_now, entropy=SeededEntropy(900 + number)) as alive:
            await alive.service.recover()
            again = deliveries(alive)
            await again.sealer.recover()
            await again.describe_container(controller, container, {"status": "Complete"})
            await check_sealed_once(alive, container)
            assert await again.sealer.recover() == 0
    assert intake.leftovers() == set()


@pytest.mark.parametrize("when", When)
async def test_an_object_is_there_whole_or_not_at_all(
    intake: Intake, monkeypatch: pytest.MonkeyPatch, when: When
) -> None:
    controller, taken = await connect(intake), deliveries(intake)
    for number, (victim, name) in enumerate(PUTTING):
        container, data = f"{when.value} {number}", f"{when.value} {number}".encode() * 99
        await taken.create_container(controller, container, {})
        with monkeypatch.context() as patch:
            crash_at(patch, victim(intake), name, when)
            # What would tidy up after it is dead as well.
            patch.setattr(taken, "_give_up", _nothing)
            with pytest.raises(Crash):
                await taken.put(controller, container, "a.mkv", metadata={}, body=body(data))
        assert await store.find_object(intake.pool, controller, container, "a.mkv") is None
        held = await taken.put(controller, container, "a.mkv", metadata={}, body=body(data))
        assert held.size == len(data)
        await taken.describe_container(controller, container, {"status": "Complete"})
        assert await intake.pool.fetchval("SELECT count(*) FROM clip WHERE name = 'a.mkv'") == number + 1


async def _nothing(*_: object) -> None:
    """Do what a dead process does."""


async def test_no_attempt_of_a_controller_leaves_a_beginning_on_record(intake: Intake) -> None:
    controller, taken = await connect(intake), deliveries(intake)
    await taken.create_container(controller, "c", {})
    data = bytes(3 * 1024 * 1024)
    await taken.put(controller, "c", "a.mkv", metadata={}, body=body(data))
    assert await intake.service._prefixes.sweep() == 0
    await taken.put(controller, "c", "a.mkv", metadata={}, body=body(data))
    await taken.describe_container(controller, "c", {"status": "Complete"})
    events = await intake.events()
    assert [event for event in events if event.startswith(("clip.", "upload.", "recording."))] == [
        *("upload.given_up", "clip.sealed", "recording.sealed")
    ]
    assert intake.object_bytes(data) == data


async def test_two_processes_that_seal_one_recording_put_it_on_record_once(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    controller, taken = await connect(intake), deliveries(intake)
    await bring(taken, controller, "c")
    with monkeypatch.context() as patch:
        crash_at(patch, sealing, "record", When.BEFORE)
        with pytest.raises(Crash):
            await taken.describe_container(controller, "c", {"status": "Complete"})
    # All find its originals sealed and the recording not on record.
    await asyncio.gather(*(deliveries(intake).sealer.seal(controller, "c") for _ in range(3)))
    await check_sealed_once(intake, "c")
