"""Repair: what one store has lost comes back from the other, on record, and nothing that lay there is destroyed."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from evidence.audit.restored import audit_restored
from evidence.core.clock import utc_now
from evidence.custody.replay import replay
from evidence.errors import ObjectStoreUnreachable, ObjectStoreUnsuitable
from evidence.objects import aside
from evidence.objects.aside import asides
from evidence.objects.s3 import S3Objects
from evidence.objects.s3_client import MEBIBYTE
from ingest import repair as repairing
from ingest.repair import Mended, Outcome, Repair
from tests.support.clock import SeededEntropy
from tests.support.copies import ONCE, codes, copier, derived, rows, sealed
from tests.support.crash import Crash, When, crash_at
from tests.support.intake import Intake, footage
from tests.support.s3_bucket import Bucket, make_bucket
from tests.support.s3_server import S3Server, Strike

OTHER = footage(1000, seed=9)


def long(*values: object) -> Any:
    """Mark one of many like it for the slow tier."""
    return pytest.param(*values, marks=pytest.mark.slow)


@pytest.fixture
def second(bucket: Bucket, tmp_path: Path) -> S3Objects:
    return bucket.objects(tmp_path / "fetched", ONCE)


def repair(intake: Intake, second: S3Objects, *, seed: int = 1, retention_days: int | None = 3650) -> Repair:
    return Repair(
        pool=intake.pool,
        local=intake.objects,
        second=second,
        clock=utc_now,
        entropy=SeededEntropy(9000 + seed),
        retention_days=retention_days,
    )


async def mended(intake: Intake, second: S3Objects, *, dry_run: bool = False, seed: int = 1) -> list[Mended]:
    return [one async for one in repair(intake, second, seed=seed).run(dry_run=dry_run)]


def damage(intake: Intake, name: str, data: bytes = OTHER) -> None:
    """Write other bytes over a local object, as somebody who may."""
    path = intake.objects.open_path(name)
    path.chmod(0o644)
    path.write_bytes(data)


async def restored(intake: Intake) -> list[dict[str, Any]]:
    return [dict(row) for row in await intake.pool.fetch("SELECT * FROM object_restoration ORDER BY entry_id")]


async def kept_findings(intake: Intake, second: S3Objects) -> list[str]:
    async with intake.pool.acquire() as conn:
        return [one.code async for one in audit_restored(conn, local=intake.objects, second=second)]


async def in_order(intake: Intake, second: S3Objects, *names: str) -> None:
    """See that both stores are whole, that the record says so, and that a repair has nothing to do."""
    for name in names:
        assert hashlib.sha256(intake.objects.open_path(name).read_bytes()).hexdigest() == name
        assert second.digest(name) == name
    assert await codes(intake, second) == []
    assert await kept_findings(intake, second) == []
    async with intake.pool.acquire() as conn:
        assert [one async for one in replay(conn)] == []
    assert await mended(intake, second, seed=99) == []
    assert not list((intake.folder / "objects" / "scratch").iterdir())


async def test_what_is_in_order_is_left_alone(intake: Intake, second: S3Objects) -> None:
    name = await sealed(intake)
    await derived(intake, name)
    assert await mended(intake, second) == [], "not copied yet is the copier's business"
    await copier(intake, second).round()
    assert await mended(intake, second) == []
    assert "object.restored" not in await intake.events()


@pytest.mark.parametrize("data", [OTHER, *map(long, (b"", b"short", footage(1000, seed=1) + b"x"))], ids=len)
async def test_a_damaged_original_is_put_back_and_its_damaged_bytes_kept(
    intake: Intake, second: S3Objects, data: bytes
) -> None:
    name = await sealed(intake)
    await copier(intake, second).round()
    damage(intake, name, data)
    (one,) = await mended(intake, second)
    assert (one.sha256, one.store, one.was, one.outcome) == (name, "local", "damaged", Outcome.RESTORED)
    assert one.kept is not None
    kept = intake.objects.quarantine / one.kept
    assert kept.read_bytes() == data
    (row,) = await restored(intake)
    assert (row["sha256"].hex(), row["store"], row["source"]) == (name, "local", str(second.place))
    assert (row["reason"], row["kept_as"], row["held_size"]) == ("damaged", one.kept, len(data))
    assert row["held"] == hashlib.sha256(data).digest()
    assert (await intake.events()).count("object.restored") == 1
    assert intake.objects.open_path(name).stat().st_mode & 0o777 == 0o444
    await in_order(intake, second, name)


async def test_a_missing_original_is_put_back_a_missing_derivative_is_not(intake: Intake, second: S3Objects) -> None:
    name = await sealed(intake)
    made = await derived(intake, name)
    await copier(intake, second).round()
    for one in (name, made[0]):
        intake.objects.open_path(one).unlink()
    (only,) = await mended(intake, second)
    assert (only.sha256, only.was, only.outcome, only.kept) == (name, "missing", Outcome.RESTORED, None)
    assert not intake.objects.exists(made[0])
    assert list(asides(intake.objects)) == []
    intake.objects.open_path(name).unlink()
    assert [one.outcome for one in await mended(intake, second, seed=2)] == [Outcome.RESTORED]
    assert len({row["restoration"] for row in await restored(intake)}) == 2


async def test_a_damaged_derivative_is_put_back(intake: Intake, second: S3Objects) -> None:
    name = await sealed(intake)
    made = await derived(intake, name)
    await copier(intake, second).round()
    damage(intake, made[0])
    assert [(one.sha256, one.outcome) for one in await mended(intake, second)] == [(made[0], Outcome.RESTORED)]
    await in_order(intake, second, name, *made)


async def test_two_swapped_originals_both_come_back(intake: Intake, second: S3Objects) -> None:
    names = [await sealed(intake, seed=seed) for seed in (1, 2)]
    await copier(intake, second).round()
    contents = [intake.objects.open_path(name).read_bytes() for name in names]
    for name, data in zip(names, reversed(contents), strict=True):
        damage(intake, name, data)
    assert [one.outcome for one in await mended(intake, second)] == [Outcome.RESTORED] * 2
    await in_order(intake, second, *names)


def hide(bucket: Bucket, name: str) -> None:
    bucket.delete(name)


def forget(bucket: Bucket, name: str) -> None:
    bucket.forget(name)


def overwrite(bucket: Bucket, name: str) -> None:
    bucket.write(name, OTHER)


def shorten(bucket: Bucket, name: str) -> None:
    bucket.write(name, b"short")


def rewrite(bucket: Bucket, name: str) -> None:
    found = bucket.past.get_object(Bucket=bucket.place.bucket, Key=bucket.key(name))
    bucket.write(name, found["Body"].read())


def unlock(bucket: Bucket, name: str) -> None:
    bucket.shorten(name, datetime.now(UTC) + timedelta(days=1))


@pytest.mark.parametrize(
    ("harm", "was", "outcome"),
    [
        (hide, "missing", Outcome.COPIED),
        long(forget, "missing", Outcome.COPIED),
        (overwrite, "damaged", Outcome.COPIED),
        long(shorten, "damaged", Outcome.COPIED),
        (rewrite, "rewritten", Outcome.LOCKED),
        long(unlock, "unlocked", Outcome.LOCKED),
    ],
)
async def test_a_copy_is_made_good_from_here(
    intake: Intake, second: S3Objects, bucket: Bucket, harm: Any, was: str, outcome: Outcome
) -> None:
    name = await sealed(intake)
    await copier(intake, second).round()
    harm(bucket, name)
    present = None if was == "missing" else bucket.head(name)["VersionId"]
    (one,) = await mended(intake, second)
    assert (one.store, one.was, one.outcome) == (str(second.place), was, outcome)
    assert one.kept == (present if was == "damaged" else None)
    until = bucket.head(name)["ObjectLockRetainUntilDate"]
    assert until > datetime.now(UTC) + timedelta(days=3640)
    assert len(await restored(intake)) == (outcome is Outcome.COPIED)
    if one.kept:
        found = second.look(name, version=one.kept)
        assert found is not None, "the damaged version is still there"
        assert (await restored(intake))[0]["held_size"] == found.size
    await in_order(intake, second, name)


async def test_a_long_copy_is_written_anew_in_parts(intake: Intake, second: S3Objects, bucket: Bucket) -> None:
    data = footage(6 * MEBIBYTE, seed=4)
    view = await intake.staff_upload(data)
    await intake.send(view, data, piece=1_000_000)
    await copier(intake, second).round()
    name = hashlib.sha256(data).hexdigest()
    bucket.write(name, OTHER)
    assert [one.outcome for one in await mended(intake, second)] == [Outcome.COPIED]
    await in_order(intake, second, name)


async def test_what_is_damaged_in_both_is_lost_and_nothing_is_touched(
    intake: Intake, second: S3Objects, bucket: Bucket
) -> None:
    name = await sealed(intake)
    await copier(intake, second).round()
    bucket.forget(name)
    bucket.write(name, b"other bytes there")
    damage(intake, name)
    before = bucket.head(name)["VersionId"]
    (one,) = await mended(intake, second)
    assert one.outcome is Outcome.LOST
    assert intake.objects.open_path(name).read_bytes() == OTHER
    assert bucket.head(name)["VersionId"] == before
    assert await restored(intake) == []
    assert list(asides(intake.objects)) == []


async def test_a_version_that_somebody_wrote_over_still_heals_what_is_here(
    intake: Intake, second: S3Objects, bucket: Bucket
) -> None:
    name = await sealed(intake)
    await copier(intake, second).round()
    damage(intake, name)
    bucket.write(name, b"other bytes there")
    found = [(one.store, one.was, one.outcome) for one in await mended(intake, second)]
    assert found == [
        ("local", "damaged", Outcome.RESTORED),
        (str(second.place), "damaged", Outcome.COPIED),
    ]
    await in_order(intake, second, name)


async def test_an_original_that_was_never_copied_is_lost_when_it_is_damaged(intake: Intake, second: S3Objects) -> None:
    name = await sealed(intake)
    damage(intake, name)
    (one,) = await mended(intake, second)
    assert (one.outcome, one.sha256) == (Outcome.LOST, name)


async def test_a_bucket_without_versions_is_not_written_over(
    intake: Intake, running: S3Server, session: Any, bucket: Bucket, tmp_path: Path
) -> None:
    plain = make_bucket(running, session, locks=False)
    second = plain.objects(tmp_path / "plain", ONCE)
    name = await sealed(intake)
    await copier(intake, second, retention_days=None).round()
    plain.write(name, OTHER)
    work = repair(intake, second, retention_days=None)
    (one,) = [one async for one in work.run()]
    assert one.outcome is Outcome.REFUSED
    assert "versions" in one.message
    assert second.digest(name) == hashlib.sha256(OTHER).hexdigest(), "the damaged bytes are not destroyed"
    with pytest.raises(ObjectStoreUnsuitable):
        await mended(intake, second)
    plain.delete(name)
    assert [one.outcome async for one in work.run()] == [Outcome.COPIED]


async def test_a_dry_run_says_what_it_would_do_and_touches_nothing(
    intake: Intake, second: S3Objects, bucket: Bucket
) -> None:
    first, other = await sealed(intake), await sealed(intake, seed=2)
    await copier(intake, second).round()
    damage(intake, first)
    bucket.delete(other)
    bucket.server.seen.clear()
    found = {one.sha256: (one.was, one.outcome) for one in await mended(intake, second, dry_run=True)}
    assert found == {first: ("damaged", Outcome.RESTORED), other: ("missing", Outcome.COPIED)}
    assert not [line for line in bucket.server.seen if not line.startswith(("HEAD", "GET"))]
    assert intake.objects.open_path(first).read_bytes() == OTHER
    assert not intake.objects.quarantine.exists()
    assert await restored(intake) == []
    assert Counter(one.outcome for one in await mended(intake, second)) == {Outcome.RESTORED: 1, Outcome.COPIED: 1}
    await in_order(intake, second, first, other)


ARROWS = [
    (repairing, "begin", When.AFTER),
    (repairing, "put_in_place", When.AFTER),
    (Repair, "_record", When.AFTER),
    (repairing, "finish", When.BEFORE),
]
"""One crash behind each arrow of the module."""

OTHERS = [
    (repairing, "begin", When.BEFORE),
    (repairing, "finish", When.AFTER),
    *((aside, step, when) for step in ("make_folders", "sync_folder") for when in When),
]


@pytest.mark.parametrize(
    ("victim", "step", "when"),
    [*ARROWS, *(long(*one) for one in OTHERS)],
    ids=lambda value: getattr(value, "name", value if isinstance(value, str) else ""),
)
@pytest.mark.parametrize("gone", [False, long(True)], ids=["damaged", "missing"])
async def test_a_crash_at_any_step_is_gone_on_with(
    intake: Intake,
    second: S3Objects,
    monkeypatch: pytest.MonkeyPatch,
    victim: object,
    step: str,
    when: When,
    gone: bool,
) -> None:
    name = await sealed(intake)
    await copier(intake, second).round()
    if gone:
        intake.objects.open_path(name).unlink()
    else:
        damage(intake, name)
    with monkeypatch.context() as patch:
        assert_reached = crash_at(patch, victim, step, when)
        with pytest.raises(Crash):
            await mended(intake, second)
        assert_reached()
    found = await mended(intake, second, seed=2)
    assert [one.outcome for one in found] in ([Outcome.RESTORED], [Outcome.RECORDED], [])
    rows_now = await restored(intake)
    assert [row["reason"] for row in rows_now] == ["missing" if gone else "damaged"], "once on record, never twice"
    if not gone:
        assert len(list(asides(intake.objects))) == 1
        assert rows_now[0]["held"] == hashlib.sha256(OTHER).digest()
    await in_order(intake, second, name)


@pytest.mark.parametrize("strike", [Strike.SHORT, Strike.FLIPPED, long(Strike.CUT_BEFORE), long(Strike.ERROR_BEFORE)])
async def test_a_fetch_that_breaks_off_or_lies_puts_nothing_in_place(
    intake: Intake, second: S3Objects, bucket: Bucket, strike: Strike
) -> None:
    name = await sealed(intake)
    await copier(intake, second).round()
    damage(intake, name)
    bucket.server.strike(f"GET /{bucket.place.bucket}/{bucket.key(name)}", strike)
    if strike is Strike.FLIPPED:
        assert [one.outcome for one in await mended(intake, second)] == [Outcome.LOST]
    else:
        with pytest.raises(ObjectStoreUnreachable):
            await mended(intake, second)
    assert intake.objects.open_path(name).read_bytes() == OTHER
    assert not list((intake.folder / "objects" / "scratch").iterdir())
    bucket.server.reset()
    assert [one.outcome for one in await mended(intake, second)] == [Outcome.RESTORED]
    await in_order(intake, second, name)


@pytest.mark.parametrize("strike", [long(Strike.CUT_BEFORE), Strike.CUT_AFTER])
async def test_a_copy_that_is_cut_off_is_ended_by_the_next_round(
    intake: Intake, second: S3Objects, bucket: Bucket, strike: Strike
) -> None:
    name = await sealed(intake)
    await copier(intake, second).round()
    bucket.write(name, OTHER)
    work = repair(intake, second)
    bucket.server.strike(f"PUT /{bucket.place.bucket}/{bucket.key(name)}", strike)
    with pytest.raises(ObjectStoreUnreachable):
        _ = [one async for one in work.run()]
    bucket.server.reset()
    assert len(await mended(intake, second, seed=2)) == 1
    await in_order(intake, second, name)
    assert {row["version"] for row in await rows(intake)} >= {bucket.head(name)["VersionId"]}


async def test_a_file_that_changes_while_it_is_looked_at_is_left_alone(
    intake: Intake, second: S3Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = await sealed(intake)
    await copier(intake, second).round()
    damage(intake, name)
    real = S3Objects.fetch

    def fetch(self: S3Objects, sha256: str, target: Path, *, version: str | None = None) -> None:
        real(self, sha256, target, version=version)
        damage(intake, name, b"changed meanwhile")

    with monkeypatch.context() as patch:
        patch.setattr(S3Objects, "fetch", fetch)
        assert [one.outcome for one in await mended(intake, second)] == [Outcome.CHANGED]
    assert intake.objects.open_path(name).read_bytes() == b"changed meanwhile"
    assert list(asides(intake.objects)) == []
    assert [one.outcome for one in await mended(intake, second, seed=2)] == [Outcome.RESTORED]


async def test_the_loss_of_kept_bytes_and_bytes_that_no_entry_names_are_found(
    intake: Intake, second: S3Objects, bucket: Bucket
) -> None:
    name, other = await sealed(intake), await sealed(intake, seed=2)
    await copier(intake, second).round()
    damage(intake, name)
    bucket.write(other, OTHER)
    await mended(intake, second)
    assert await kept_findings(intake, second) == []
    (kept,) = list(asides(intake.objects))
    kept.path.chmod(0o644)
    kept.path.write_bytes(b"tidied")
    assert await kept_findings(intake, second) == ["restored.kept_gone"]
    kept.path.unlink()
    assert await kept_findings(intake, second) == ["restored.kept_gone"]
    bucket.forget(other)
    assert await kept_findings(intake, second) == ["restored.kept_gone"] * 2
    stranger = intake.objects.quarantine / f"{name}.0195a000-0000-7000-8000-000000000001.damaged"
    stranger.write_bytes(b"put there")
    assert (await kept_findings(intake, second)).count("restored.unrecorded") == 1
