"""Files that are still being written: their beginnings are on record, and bind whatever comes of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from evidence.clips.prefix_store import prefixes_of
from evidence.core.digest import CHUNK_BYTES
from evidence.custody.events import checked_payload
from evidence.db.pool import Pool
from ingest.audit import PREFIX_ABANDONED, PREFIX_CONTRADICTED, PREFIX_UNJUDGED, audit_uploads
from ingest.errors import SpoolDamaged, UploadTerminated
from ingest.store import UploadState
from ingest.upload import UploadView
from ledger.tree import leaf_hash, root_of
from tests.support.clock import SeededEntropy, SteppingClock
from tests.support.intake import IMPATIENT, STAFF, Intake, breaking, enrolled, footage, open_intake, pieces
from tests.support.parties import PaperDock, paper_dock

SETTINGS = replace(IMPATIENT, prefix_seconds=10.0, expiry_seconds=86_400.0)


@pytest.fixture
async def intake(pool: Pool, tmp_path: Path, entropy: SeededEntropy, clock: SteppingClock) -> AsyncIterator[Intake]:
    async with open_intake(pool, tmp_path, clock=clock, entropy=entropy, settings=SETTINGS) as opened:
        yield opened


@pytest.fixture
async def dock(intake: Intake) -> PaperDock:
    return await enrolled(intake, paper_dock())


def root_of_bytes(data: bytes) -> bytes:
    return root_of([leaf_hash(data[start : start + CHUNK_BYTES]) for start in range(0, len(data), CHUNK_BYTES)])


async def live(intake: Intake) -> UploadView:
    return await intake.service.create(actor=STAFF, length=None, metadata={"filename": "直播.mp4".encode()})


async def send(intake: Intake, view: UploadView, data: bytes, *, offset: int = 0) -> int:
    return await intake.service.append(actor=view.actor, upload=view.id, offset=offset, stream=pieces(data))


async def sweep(intake: Intake, clock: SteppingClock) -> int:
    """Let the time between two prefixes pass, and seal."""
    clock.advance(timedelta(seconds=SETTINGS.prefix_seconds or 0))
    return await intake.service._prefixes.sweep()


async def findings(intake: Intake) -> set[str]:
    async with intake.pool.acquire() as conn:
        return {finding.code async for finding in audit_uploads(conn)}


async def as_superuser(intake: Intake, statement: str, *arguments: object) -> None:
    async with intake.pool.acquire() as conn, conn.transaction():
        await conn.execute("SET LOCAL session_replication_role = replica")
        await conn.execute(statement, *arguments)


async def test_r21_a_growing_file_is_sealed_chunk_by_chunk_and_becomes_a_clip(
    intake: Intake, clock: SteppingClock
) -> None:
    data = footage(4 * CHUNK_BYTES + 321)
    view = await live(intake)
    ends = [CHUNK_BYTES - 1, CHUNK_BYTES, 2 * CHUNK_BYTES + 5, 2 * CHUNK_BYTES + 9, 4 * CHUNK_BYTES + 321]
    offset, sealed = 0, []
    for end in ends:
        offset = await send(intake, view, data[offset:end], offset=offset)
        sealed.append(await sweep(intake, clock))
    assert sealed == [0, 1, 1, 0, 1]
    prefixes = await prefixes_of(intake.pool, view.id)
    assert [prefix.chunks for prefix in prefixes] == [1, 2, 4]
    for prefix in prefixes:
        assert prefix.root == root_of_bytes(data[: prefix.size])
    await intake.service.declare_length(actor=STAFF, upload=view.id, length=len(data))
    assert (await intake.state(view)).state is UploadState.SEALED
    assert intake.object_bytes(data) == data
    assert await findings(intake) == set()


async def test_what_is_on_record_says_where_it_came_from(intake: Intake, clock: SteppingClock) -> None:
    view = await live(intake)
    await send(intake, view, footage(CHUNK_BYTES + 1))
    await sweep(intake, clock)
    row = await intake.pool.fetchrow(
        "SELECT type, subject, actor, payload FROM custody_payload WHERE type = 'clip.prefix'"
    )
    assert row is not None
    assert (row["subject"], row["actor"]) == (f"upload:{view.id}", STAFF)
    payload = json.loads(row["payload"])
    checked_payload("clip.prefix", payload)
    assert (payload["name"], payload["size"], payload["chunks"]) == ("直播.mp4", CHUNK_BYTES, 1)


async def test_between_two_prefixes_there_is_a_pause(intake: Intake, clock: SteppingClock) -> None:
    data = footage(3 * CHUNK_BYTES)
    view = await live(intake)
    offset = await send(intake, view, data[:CHUNK_BYTES])
    assert await sweep(intake, clock) == 1
    await send(intake, view, data[CHUNK_BYTES:], offset=offset)
    assert await intake.service._prefixes.sweep() == 0
    assert await sweep(intake, clock) == 1


async def test_files_of_known_length_and_parts_have_none(intake: Intake, dock: PaperDock, clock: SteppingClock) -> None:
    data = footage(3 * CHUNK_BYTES)
    known = await intake.dock_upload(dock, data)
    await send(intake, known, data[: 2 * CHUNK_BYTES])
    part = await intake.service.create(actor=STAFF, length=None, metadata={}, partial=True)
    await send(intake, part, data[: 2 * CHUNK_BYTES])
    assert await sweep(intake, clock) == 0


async def test_two_processes_seal_a_prefix_once(
    intake: Intake, pool: Pool, tmp_path: Path, clock: SteppingClock
) -> None:
    view = await live(intake)
    await send(intake, view, footage(2 * CHUNK_BYTES))
    clock.advance(timedelta(seconds=60))
    async with open_intake(pool, tmp_path, clock=clock, entropy=SeededEntropy(77), settings=SETTINGS) as other:
        sealed = await asyncio.gather(intake.service._prefixes.sweep(), other.service._prefixes.sweep())
    assert sum(sealed) == 1
    assert len(await prefixes_of(intake.pool, view.id)) == 1


async def test_r21_a_recorder_that_is_destroyed_leaves_proven_footage(intake: Intake, clock: SteppingClock) -> None:
    data = footage(3 * CHUNK_BYTES)
    view = await live(intake)
    with pytest.raises(ConnectionResetError):
        await intake.service.append(
            actor=STAFF, upload=view.id, offset=0, stream=breaking(data[: 2 * CHUNK_BYTES + 500])
        )
    await sweep(intake, clock)
    clock.advance(timedelta(days=2))
    await intake.service._expiry.sweep()
    kept = intake.spool.quarantined_path(view.id).read_bytes()
    assert kept == data[: 2 * CHUNK_BYTES + 500]
    (prefix,) = await prefixes_of(intake.pool, view.id)
    assert root_of_bytes(kept[: prefix.size]) == prefix.root
    assert await findings(intake) == set()


async def test_giving_up_does_not_destroy_what_is_on_record(intake: Intake, clock: SteppingClock) -> None:
    data = footage(CHUNK_BYTES + 500)
    view = await live(intake)
    await send(intake, view, data)
    await sweep(intake, clock)
    await intake.service.terminate(actor=STAFF, upload=view.id)
    await intake.service.terminate(actor=STAFF, upload=view.id)
    assert intake.spool.quarantined_path(view.id).read_bytes() == data
    with pytest.raises(UploadTerminated):
        await intake.state(view)
    with pytest.raises(UploadTerminated):
        await send(intake, view, b"more", offset=len(data))
    assert (await intake.events()).count("upload.quarantined") == 1
    assert await findings(intake) == set()


async def test_giving_up_what_was_never_sealed_is_on_record_too(intake: Intake, clock: SteppingClock) -> None:
    view = await live(intake)
    await send(intake, view, footage(1000))
    await intake.service.terminate(actor=STAFF, upload=view.id)
    await intake.service.terminate(actor=STAFF, upload=view.id)
    assert intake.leftovers() == set()
    payloads = await intake.pool.fetch("SELECT payload FROM custody_payload WHERE type = 'upload.given_up'")
    assert [json.loads(row["payload"]) for row in payloads] == [
        {"upload": str(view.id), "name": "直播.mp4", "actor": STAFF, "size": 1000}
    ]
    assert await findings(intake) == set()


@pytest.mark.parametrize("place", [0, CHUNK_BYTES + 7])
async def test_bytes_that_changed_after_they_were_on_record_do_not_become_a_clip(
    intake: Intake, clock: SteppingClock, place: int
) -> None:
    """Somebody with the disk changes bytes and their leaves as well, and waits for a restart; the prefix remembers."""
    data = footage(2 * CHUNK_BYTES + 50)
    view = await live(intake)
    await send(intake, view, data)
    await sweep(intake, clock)
    path = intake.spool.bytes_path(view.id)
    forged = bytearray(path.read_bytes())
    forged[place] ^= 1
    path.write_bytes(forged)
    whole = [bytes(forged[start : start + CHUNK_BYTES]) for start in range(0, 2 * CHUNK_BYTES, CHUNK_BYTES)]
    intake.spool.leaves_path(view.id).write_bytes(b"".join(map(leaf_hash, whole)))
    intake.service._digests.forget(view.id)
    with pytest.raises(SpoolDamaged):
        await intake.service.declare_length(actor=STAFF, upload=view.id, length=len(data))
    assert intake.spool.quarantined_path(view.id).read_bytes() == forged
    assert "clip.sealed" not in await intake.events()


async def test_the_audit_holds_clips_to_their_beginnings(intake: Intake, clock: SteppingClock) -> None:
    data = footage(2 * CHUNK_BYTES + 50)
    view = await live(intake)
    await send(intake, view, data)
    await sweep(intake, clock)
    await intake.service.declare_length(actor=STAFF, upload=view.id, length=len(data))
    assert await findings(intake) == set()
    await as_superuser(intake, "UPDATE clip_prefix SET root = sha256('other')")
    assert await findings(intake) == {PREFIX_CONTRADICTED}
    await as_superuser(intake, "DELETE FROM clip_leaves")
    assert await findings(intake) == {PREFIX_UNJUDGED}


async def test_the_audit_names_a_beginning_that_leads_nowhere(intake: Intake, clock: SteppingClock) -> None:
    view = await live(intake)
    await send(intake, view, footage(2 * CHUNK_BYTES))
    await sweep(intake, clock)
    assert await findings(intake) == set()
    await as_superuser(intake, "DELETE FROM upload WHERE id = $1", view.id)
    assert await findings(intake) == {PREFIX_ABANDONED}
