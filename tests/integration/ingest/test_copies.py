"""Copies: everything comes into the second store, locked, once on record, whatever ends the round in the middle."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from evidence.audit.copies import audit_copies
from evidence.core.clock import utc_now
from evidence.core.ids import uuid7
from evidence.custody.record import record
from evidence.errors import ObjectMissing, ObjectStoreUnreachable, ObjectStoreUnsuitable
from evidence.objects.local import LocalObjects
from evidence.objects.s3 import S3Objects
from evidence.objects.tiered import TieredObjects
from ledger.canonical import JsonValue
from tests.support.clock import SeededEntropy
from tests.support.copies import ONCE, codes, copier, derived, rows, sealed, worker
from tests.support.intake import Intake, footage
from tests.support.makers import Maker
from tests.support.s3_bucket import Bucket, make_bucket
from tests.support.s3_server import S3Server, Strike


@pytest.fixture
def second(bucket: Bucket, tmp_path: Path) -> S3Objects:
    return bucket.objects(tmp_path / "fetched", ONCE)


async def test_originals_and_what_was_made_of_them_are_copied_once(
    intake: Intake, bucket: Bucket, second: S3Objects
) -> None:
    name = await sealed(intake)
    made = await derived(intake, name)
    work = copier(intake, second)
    assert await work.round() == 1 + len(set(made))
    assert await work.round() == 0
    kept = {row["sha256"]: row for row in await rows(intake)}
    assert set(kept) == {name, *made}
    head = bucket.head(name)
    sealed_at: datetime = await intake.pool.fetchval("SELECT sealed_at FROM clip")
    assert kept[name]["retained_until"] == (sealed_at + timedelta(days=3650)).replace(microsecond=0)
    assert kept[name]["retained_until"] <= head["ObjectLockRetainUntilDate"]
    assert (kept[name]["version"], kept[name]["checksum"]) == (head["VersionId"], head["ChecksumSHA256"])
    assert kept[name]["store"] == str(bucket.place)
    assert kept[made[0]]["retained_until"] is None
    assert await codes(intake, second) == []
    assert (await intake.events()).count("clip.copied") == 1, "one entry for all that came together"


async def test_a_crash_before_the_record_is_made_good_by_the_next_round(
    intake: Intake, bucket: Bucket, second: S3Objects
) -> None:
    name = await sealed(intake)
    path = intake.objects.open_path(name)
    # What a crash after step 1, and in the middle of it (not locked yet), leaves.
    second.copy_in(path, name)
    assert await rows(intake) == []
    assert await codes(intake, second) == [], "sealed, and not on record as copied yet"
    assert await copier(intake, second).round() == 1
    assert bucket.head(name)["ObjectLockMode"] == "COMPLIANCE"
    assert len(await rows(intake)) == 1


async def test_two_processes_say_it_once(intake: Intake, second: S3Objects) -> None:
    for seed in range(4):
        await sealed(intake, seed=seed)
    workers = [copier(intake, second, seed=seed) for seed in range(3)]
    copied = await asyncio.gather(*(one.round() for one in workers))
    assert sum(copied) == 4
    assert len(await rows(intake)) == 4


async def test_a_store_that_is_away_loses_nothing(intake: Intake, bucket: Bucket, second: S3Objects) -> None:
    work = copier(intake, second)
    stop = asyncio.Event()
    bucket.server.strike("/", Strike.DENIED, times=10_000)
    task = asyncio.create_task(work.run(stop))
    names = [await sealed(intake, seed=seed) for seed in range(3)]
    async with asyncio.timeout(20):
        while work.status.error is None:
            await asyncio.sleep(0.02)
    assert work.status.error == "object.store_unreachable"
    assert await rows(intake) == []
    bucket.server.reset()
    async with asyncio.timeout(30):
        while len(await rows(intake)) < 3 or work.status.error:
            await asyncio.sleep(0.02)
    stop.set()
    await task
    assert sorted(row["sha256"] for row in await rows(intake)) == sorted(names)


@pytest.mark.parametrize("request_", ["PUT", "HEAD", "?retention"])
@pytest.mark.parametrize("strike", [Strike.CUT_BEFORE, Strike.CUT_AFTER, Strike.ERROR_AFTER])
async def test_a_round_that_breaks_off_is_ended_by_the_next(
    intake: Intake, bucket: Bucket, second: S3Objects, request_: str, strike: Strike
) -> None:
    name = await sealed(intake)
    work = copier(intake, second)
    assert await work.round() == 1
    other = await sealed(intake, seed=2)
    second.copy_in(intake.objects.open_path(other), other)
    bucket.server.strike(request_, strike)
    third = await sealed(intake, seed=3)
    with pytest.raises(ObjectStoreUnreachable):
        await work.round()
    bucket.server.reset()
    await work.round()
    assert sorted(row["sha256"] for row in await rows(intake)) == sorted([name, other, third])
    assert await codes(intake, second) == []


async def test_a_longer_term_is_locked_and_put_on_record_a_shorter_one_changes_nothing(
    intake: Intake, bucket: Bucket, second: S3Objects
) -> None:
    name = await sealed(intake)
    await copier(intake, second).round()
    assert await copier(intake, second, retention_days=30).round() == 0
    assert await copier(intake, second, seed=2, retention_days=7300).round() == 1
    first, longer = await rows(intake)
    assert longer["retained_until"] - first["retained_until"] == timedelta(days=3650)
    assert bucket.head(name)["ObjectLockRetainUntilDate"] >= longer["retained_until"]
    assert await codes(intake, second) == []


async def test_wrong_bytes_under_the_name_are_refused_and_found(
    intake: Intake, bucket: Bucket, second: S3Objects
) -> None:
    name, fine = await sealed(intake), await sealed(intake, seed=2)
    bucket.write(name, footage(1000, seed=9))
    work = copier(intake, second)
    assert await work.round() == 1
    assert set(work.status.refused) == {name}
    assert [row["sha256"] for row in await rows(intake)] == [fine]
    assert bucket.past.get_object(Bucket=bucket.place.bucket, Key=bucket.key(name))["Body"].read() == footage(
        1000, seed=9
    )


async def test_a_damaged_original_is_never_copied(intake: Intake, second: S3Objects) -> None:
    name = await sealed(intake)
    path = intake.objects.open_path(name)
    path.chmod(0o644)
    path.write_bytes(footage(1000, seed=9))
    work = copier(intake, second)
    assert await work.round() == 0
    assert set(work.status.refused) == {name}
    assert list(second.list()) == []


async def test_without_object_lock_nothing_is_copied_unless_that_is_meant(
    intake: Intake, running: S3Server, session: Any, bucket: Bucket, tmp_path: Path
) -> None:
    await sealed(intake)
    plain = make_bucket(running, session, locks=False).objects(tmp_path / "fetched")
    with pytest.raises(ObjectStoreUnsuitable):
        await copier(intake, plain).round()
    assert list(plain.list()) == []
    assert await copier(intake, plain, retention_days=None).round() == 1
    assert (await rows(intake))[0]["retained_until"] is None


async def test_a_worker_on_another_host_works_on_a_copy_and_brings_what_it_made(
    intake: Intake, second: S3Objects, bucket: Bucket, tmp_path: Path
) -> None:
    name = await sealed(intake)
    await copier(intake, second).round()
    there = LocalObjects(tmp_path / "there" / "objects")
    both = TieredObjects(there, bucket.objects(tmp_path / "there" / "fetched", ONCE))
    clip: UUID = await intake.pool.fetchval("SELECT clip FROM clip")
    maker = Maker()
    assert await worker(intake, maker, both, folder="there/work").attempt(clip) is None
    made = [row["sha256"].hex() for row in await intake.pool.fetch("SELECT sha256 FROM clip_object")]
    assert made
    assert [there.exists(one) for one in made] == [True] * len(made)
    with pytest.raises(ObjectMissing):
        intake.objects.open_path(made[0])
    # The host that has no such object leaves it alone, the one that made it brings it.
    assert await copier(intake, second, seed=3).round() == 0
    away = replace(intake, objects=there)
    assert await copier(away, second, seed=4).round() == len(set(made))
    assert (
        TieredObjects(intake.objects, second).open_path(made[0]).read_bytes() == there.open_path(made[0]).read_bytes()
    )
    assert name not in [stored.sha256 for stored in there.list()]


def tampered(what: str, bucket: Bucket, name: str) -> None:
    """Do what somebody with every right to the bucket could."""
    past, place = bucket.past, {"Bucket": bucket.place.bucket, "Key": bucket.key(name)}
    match what:
        case "hidden by a deletion":
            past.delete_object(**place)
        case "other bytes, same size":
            bucket.write(name, footage(1000, seed=9))
        case "other size":
            bucket.write(name, b"short")
        case "same bytes, written anew without a lock":
            data = past.get_object(**place)["Body"].read()
            bucket.write(name, data)
        case "gone with its version":
            bucket.forget(name)


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("hidden by a deletion", "copy.missing"),
        ("gone with its version", "copy.missing"),
        ("other bytes, same size", "copy.altered"),
        ("other size", "copy.altered"),
        ("same bytes, written anew without a lock", "copy.altered"),
    ],
)
async def test_what_happens_to_a_copy_behind_our_back_is_found(
    intake: Intake, bucket: Bucket, second: S3Objects, what: str, code: str
) -> None:
    await sealed(intake, seed=2)
    name = await sealed(intake)
    await copier(intake, second).round()
    tampered(what, bucket, name)
    assert await codes(intake, second) == [code]


async def test_a_lock_that_ends_before_its_time_a_stranger_and_silence_are_found(
    intake: Intake, bucket: Bucket, second: S3Objects
) -> None:
    name = await sealed(intake)
    await copier(intake, second).round()
    bucket.shorten(name, datetime.now(UTC) + timedelta(days=1))
    assert await codes(intake, second) == ["copy.unlocked"]
    stranger = uuid7(clock=utc_now, entropy=SeededEntropy(3)).hex * 2
    bucket.write(stranger, b"put in")
    assert sorted(await codes(intake, second)) == ["copy.unlocked", "copy.unnamed"]
    bucket.server.strike("/", Strike.DENIED, times=100)
    assert await codes(intake, second) == ["copies.unchecked"]


async def redacted(intake: Intake, name: str) -> str:
    """Put a redacted copy of a clip on record, as its maker does, and return its digest."""
    clip = await intake.pool.fetchval("SELECT clip FROM clip WHERE sha256 = $1", bytes.fromhex(name))
    made = await asyncio.to_thread(intake.objects.put, b"a redacted copy of " + name.encode())
    payload: dict[str, JsonValue] = {
        "clip": str(clip),
        "redaction": str(uuid7(clock=utc_now, entropy=SeededEntropy(5))),
        "parent": name,
        "sha256": made,
        "size": intake.objects.size(made),
        "media_type": "video/mp4",
        "changes": {"reason": "公开", "cover": [], "mute": [{"from_ms": 0, "to_ms": 5, "why": "姓名"}]},
        "tools": {},
        "made": {},
    }
    async with intake.pool.acquire() as conn, conn.transaction():
        await record(
            conn,
            type="clip.redacted",
            actor="service",
            subject=f"clip:{clip}",
            payload=payload,
            clock=utc_now,
            entropy=SeededEntropy(6),
        )
    return made


async def test_a_redacted_copy_is_copied_too(intake: Intake, second: S3Objects) -> None:
    name = await sealed(intake)
    work = copier(intake, second)
    await work.round()
    made = await redacted(intake, name)
    assert await work.round() == 1
    assert second.digest(made) == made
    assert await codes(intake, second) == []
    assert await work.round() == 0


async def test_what_waits_for_its_copy_for_more_than_a_day_is_named(intake: Intake, second: S3Objects) -> None:
    name = await sealed(intake)
    work = copier(intake, second)
    later = utc_now() + timedelta(days=1, minutes=1)

    async def overdue(now: datetime) -> list[str]:
        async with intake.pool.acquire() as conn:
            audit = audit_copies(conn, second=second, now=now)
            return sorted(one.subject.removeprefix("object:") for one in [one async for one in audit])

    assert await overdue(later) == [], "a store that was never copied to is just being filled"
    await work.round()
    assert await overdue(later) == []
    waiting = [await sealed(intake, seed=2), *await derived(intake, name), await redacted(intake, name)]
    assert await overdue(utc_now() + timedelta(hours=23)) == []
    assert await overdue(later) == sorted(set(waiting))
    await work.round()
    assert await overdue(later) == []
