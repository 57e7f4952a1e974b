"""Making packages: whoever dies at an arrow of `jobs`, the next one goes on, and there is one trace and one archive."""

from __future__ import annotations

import threading
import zipfile
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from evidence.errors import ClipUnknown, EvidenceDamaged, ExportEmpty, ExportTargetUnusable, ReceiptPending
from evidence.export import archive, job_store, jobs, packages
from evidence.export.jobs import ExportMaker
from evidence.export.orders import find_export
from tests.support.crash import Crash, When, crash_at
from tests.support.packages import case_of, maker_of, order, take
from tests.support.small_house import CONTENTS, SmallHouse

FIRST, SECOND, STILL = CONTENTS

STEPS: tuple[tuple[Any, str], ...] = (
    (job_store, "take_next"),
    (jobs, "read_package"),
    (packages, "record"),
    (job_store, "note_entry"),
    (jobs, "trace_of"),
    (job_store, "note_trace"),
    (jobs, "write_archive"),
    (archive, "sync_folder"),
)
"""Every step with an effect, in order."""


async def traces(house: SmallHouse) -> int:
    count: int = await house.pool.fetchval("SELECT count(*) FROM custody_payload WHERE type = 'case.exported'")
    return count


@pytest.mark.parametrize("when", [When.AFTER, pytest.param(When.BEFORE, marks=pytest.mark.slow)])
async def test_whoever_dies_the_next_one_goes_on(
    house: SmallHouse, when: When, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = await case_of(house)
    for victim, step in STEPS:
        before = await traces(house)
        job = await order(house, case=case)
        with monkeypatch.context() as patch:
            reached = crash_at(patch, victim, step, when)
            with pytest.raises(Crash):
                await maker_of(house, lease_seconds=-1.0).attempt()
            reached()
        maker = maker_of(house)
        await house.publish()
        while await maker.attempt():
            pass
        done = await find_export(house.pool, job.export)
        assert done.state == "done", (step, done)
        assert await traces(house) == before + 1, step
        with zipfile.ZipFile(maker.archive_of(job.export)) as packed:
            assert packed.testzip() is None
        left = sorted(path.name for path in maker.folder.iterdir() if str(job.export) in path.name)
        assert left == [maker.archive_of(job.export).name], step


async def test_workers_that_die_over_a_package_are_few(house: SmallHouse) -> None:
    job = await order(house, case=await case_of(house))
    for _ in range(2):
        await take(house, seconds=-1.0)
    assert await maker_of(house, attempts_max=2).attempt()
    refused = await find_export(house.pool, job.export)
    assert (refused.state, refused.code) == ("refused", "export.refused")


async def test_what_is_given_up_meanwhile_is_not_published(house: SmallHouse) -> None:
    job = await order(house, case=await case_of(house))
    maker = maker_of(house)

    async def given_up(_entry: object, _seconds: float) -> bool:
        await job_store.end(house.pool, job.export)
        await house.publish()
        return True

    ending = ExportMaker(
        **{name: getattr(maker, name) for name in maker.__dataclass_fields__} | {"publish_wait": given_up}
    )
    assert await ending.attempt()
    assert (await find_export(house.pool, job.export)).state == "cancelled"
    await maker.tidy()
    assert list(maker.folder.iterdir()) == []


async def test_damage_is_refused_and_a_blocked_way_is_waited_for(
    house: SmallHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = await order(house, clips=[house.clips[STILL]])
    with monkeypatch.context() as patch:
        patch.setattr(jobs, "write_archive", _full)
        assert await maker_of(house).attempt()
    waiting = await find_export(house.pool, blocked.export)
    assert (waiting.state, waiting.reason) == ("waiting", "export.target_unusable: no room")
    damaged = await order(house, clips=[house.clips[SECOND]])
    path = house.object_path(SECOND)
    path.chmod(0o644)
    content = bytearray(path.read_bytes())
    content[5] ^= 1
    path.write_bytes(content)
    assert await maker_of(house).attempt()
    refused = await find_export(house.pool, damaged.export)
    assert (refused.state, refused.code) == ("refused", EvidenceDamaged.code)
    assert not any(str(damaged.export) in one.name for one in maker_of(house).folder.iterdir())


async def test_packages_are_kept_for_their_time(house: SmallHouse) -> None:
    job = await order(house, case=await case_of(house))
    maker = maker_of(house, keep_days=3)
    assert await maker.attempt()
    await maker.tidy()
    assert maker.archive_of(job.export).exists()
    await house.pool.execute("UPDATE export_job SET updated_at = $1", house.clock() - timedelta(days=4))
    await maker.tidy()
    assert not maker.archive_of(job.export).exists()
    assert (await find_export(house.pool, job.export)).state == "removed"


async def test_nothing_is_asked_for_that_cannot_be_shown(house: SmallHouse) -> None:
    with pytest.raises(ExportEmpty):
        await order(house)
    with pytest.raises(ClipUnknown):
        await order(house, clips=[uuid4()])
    late = await house.seal("late.mp4", b"late")
    with pytest.raises(ReceiptPending):
        await order(house, clips=[late])


def _full(*_args: Any, stop: threading.Event, **_more: Any) -> int:
    raise ExportTargetUnusable("no room")
