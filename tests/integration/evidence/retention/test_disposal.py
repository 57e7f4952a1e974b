"""Disposal: the object or the tombstone at every moment, in every store, and an audit that tells right from wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from evidence.audit.copies import audit_copies
from evidence.clips.store import read_leaves
from evidence.db.pool import Connection
from evidence.objects.local import LocalObjects
from evidence.objects.restoration_store import owned_objects
from evidence.objects.s3 import S3Objects
from evidence.receipts import build_receipt
from evidence.retention.disposal import bury
from evidence.retention.disposal_store import find_tombstone, objects_of
from evidence.retention.errors import ClipDisposed, NotDue
from evidence.retention.tombstones import require_kept
from ingest.copies import stated_copy
from tests.support.auditing import audited, differences
from tests.support.clock import START
from tests.support.payloads import Scribe
from tests.support.retention import APPRAISER, approved, dispose, disposer, hold, propose
from tests.support.s3_bucket import Bucket
from tests.support.small_house import CONTENTS, SmallHouse, superuser

FIRST, SECOND, STILL = CONTENTS


def is_there(house: SmallHouse, name: str) -> bool:
    return house.objects.exists(house.object_digest(CONTENTS[name]))


async def is_buried(house: SmallHouse, name: str) -> bool:
    async with house.pool.acquire() as conn:
        return await find_tombstone(conn, house.clips[name]) is not None


async def test_r17_what_was_disposed_of_is_gone_and_everything_that_proves_it_stays(house: SmallHouse) -> None:
    """R17: no route deletes; disposal is a legal act of two people that leaves a tombstone, and every hash verifies."""
    await dispose(house, house.clips[SECOND])
    assert not is_there(house, SECOND)
    assert is_there(house, FIRST)
    assert is_there(house, STILL)
    async with house.pool.acquire() as conn:
        with pytest.raises(ClipDisposed) as gone:
            await require_kept(conn, house.clips[SECOND])
        assert gone.value.details["appraised_by"] == APPRAISER
        receipt = await build_receipt(conn, house.reader, house.entries[f"clip.sealed:{SECOND}"])
        assert receipt is not None
        sha256 = bytes.fromhex(house.object_digest(CONTENTS[SECOND]))
        assert await read_leaves(conn, sha256=sha256)
    assert await differences(house) == []
    # The repair does not look for it, and nothing goes twice.
    assert sha256 not in [one.sha256 async for one in owned_objects(house.pool)]
    assert (await disposer(house).round()).removed == 0


async def test_the_audit_tells_disposal_from_loss(house: SmallHouse) -> None:
    await dispose(house, house.clips[SECOND])
    house.objects.put(CONTENTS[SECOND])
    assert await differences(house) == ["object.not_removed"]
    await (again := disposer(house)).round()
    assert again.status.removed == 1
    house.object_path(STILL).unlink()
    assert await differences(house) == ["object.missing"]


async def _forge_tombstone(house: SmallHouse) -> None:
    house.object_path(STILL).unlink()
    async with superuser(house.dsn) as conn:
        await conn.execute(
            """INSERT INTO clip_disposal SELECT $1, appraisal, expired_on, because, stores, disposed_at, $2
               FROM clip_disposal""",
            house.clips[STILL],
            house.new_id(),
        )


async def _record_unapproved(house: SmallHouse) -> None:
    """By the regular way, as a program would that knows no rules; the appraisal lists another clip."""
    async with house.pool.acquire() as conn:
        appraisal = await conn.fetchval("SELECT appraisal FROM clip_disposal")
    await _record_disposed(house, STILL, appraisal)


async def _record_disposed(house: SmallHouse, name: str, appraisal: UUID) -> None:
    content = CONTENTS[name]
    sha256 = house.object_digest(content)
    payload: dict[str, Any] = {
        "clip": str(house.clips[name]),
        "appraisal": str(appraisal),
        "expired_on": "2026-03-01",
        "because": ["because"],
        "objects": [{"kind": "original", "sha256": sha256, "size": len(content)}],
        "stores": ["local"],
    }
    await house.write("clip.disposed", f"clip:{house.clips[name]}", payload)
    await house.publish()
    house.objects.destroy(sha256)


async def _record_against_hold(house: SmallHouse) -> None:
    appraisal = await propose(house, [house.clips[STILL]])
    await house.write("disposal.approved", f"appraisal:{appraisal}", {"appraisal": str(appraisal), "reason": "同意"})
    await hold(house, clip=house.clips[STILL])
    await _record_disposed(house, STILL, appraisal)


def _sql(statement: str) -> Callable[[SmallHouse], Awaitable[None]]:
    async def tamper(house: SmallHouse) -> None:
        async with superuser(house.dsn) as conn:
            assert not (await conn.execute(statement)).endswith(" 0")

    return tamper


@pytest.mark.parametrize(
    ("tamper", "codes"),
    [
        (_forge_tombstone, ["object.missing", "row.unexpected"]),
        (_sql("DELETE FROM clip_disposal"), ["row.missing"]),
        (_sql("DELETE FROM disposal_decision"), ["row.missing"]),
        (_sql("DELETE FROM custody_payload WHERE type = 'clip.disposed'"), ["payload.missing"]),
        (_record_unapproved, ["disposal.unapproved"]),
        (_record_against_hold, ["disposal.unlawful"]),
    ],
)
async def test_what_was_done_to_disposals_is_named(
    house: SmallHouse, tamper: Callable[[SmallHouse], Awaitable[None]], codes: list[str]
) -> None:
    await dispose(house, house.clips[SECOND])
    await tamper(house)
    assert await differences(house) == codes


async def test_what_happens_between_approval_and_disposal_keeps_the_clip(house: SmallHouse) -> None:
    await approved(house, house.clips[SECOND], house.clips[STILL])
    await hold(house, clip=house.clips[STILL])
    async with house.pool.acquire() as conn:
        scribe = Scribe(conn=conn, clock=house.clock, entropy=house.entropy)
        await scribe.link(await scribe.open_case(number="晋环罚〔2026〕7号"), house.clips[SECOND])
    status = await disposer(house).round()
    assert status.buried == 0
    assert set(status.waiting) == {str(house.clips[SECOND]), str(house.clips[STILL])}
    assert is_there(house, SECOND)
    assert is_there(house, STILL)


async def test_a_clip_that_is_disposed_of_becomes_nobodys_exhibit(house: SmallHouse) -> None:
    await dispose(house, house.clips[SECOND])
    async with house.pool.acquire() as conn:
        scribe = Scribe(conn=conn, clock=house.clock, entropy=house.entropy)
        with pytest.raises(ClipDisposed):
            await scribe.link(await scribe.open_case(number="晋环罚〔2026〕7号"), house.clips[SECOND])


class Killed(Exception):
    """The process ends here."""


class Failing(LocalObjects):
    """A store in which the process dies before or after a removal."""

    after = False

    def destroy(self, sha256: str) -> bool:
        if self.after:
            super().destroy(sha256)
        raise Killed


async def bury_and_die(house: SmallHouse, clip: UUID, appraisal: UUID) -> None:
    async with house.pool.acquire() as conn, conn.transaction():
        await bury_here(house, conn, clip, appraisal)
        raise Killed


async def bury_here(house: SmallHouse, conn: Connection, clip: UUID, appraisal: UUID) -> None:
    await bury(
        conn,
        clip=clip,
        appraisal=appraisal,
        stores=["local"],
        actor="service",
        clock=house.clock,
        entropy=house.entropy,
    )


async def test_a_crash_at_any_arrow_leaves_the_object_or_the_tombstone(house: SmallHouse) -> None:
    clip, name = house.clips[SECOND], SECOND
    appraisal = await approved(house, clip)
    # Before the commit of the tombstone.
    with pytest.raises(Killed):
        await bury_and_die(house, clip, appraisal)
    assert (is_there(house, name), await is_buried(house, name)) == (True, False)
    # After it, before its entry is published: whatever runs, the object stays.
    for _ in range(2):
        await disposer(house).round()
        assert (is_there(house, name), await is_buried(house, name)) == (True, True)
    assert await differences(house) == ["object.not_removed"]
    await house.publish()
    # Published; the process dies before the removal, then right after it.
    failing = Failing(house.root / "objects")
    with pytest.raises(Killed):
        await disposer(house, local=failing).round()
    assert (is_there(house, name), await is_buried(house, name)) == (True, True)
    failing.after = True
    with pytest.raises(Killed):
        await disposer(house, local=failing).round()
    assert (is_there(house, name), await is_buried(house, name)) == (False, True)
    await disposer(house).round()
    assert await differences(house) == []


async def test_two_at_once_bury_a_clip_once(house: SmallHouse) -> None:
    await approved(house, house.clips[SECOND])
    await asyncio.gather(*(disposer(house).round() for _ in range(3)))
    async with house.pool.acquire() as conn:
        assert await conn.fetchval("SELECT count(*) FROM custody_payload WHERE type = 'clip.disposed'") == 1


async def test_what_another_clip_needs_stays(house: SmallHouse) -> None:
    """The same picture was made of two clips; one of them is kept."""
    shared = b"a poster"
    derived: dict[str, Any] = {
        "clip": str(house.clips[SECOND]),
        "attempt": 1,
        "outcome": "still",
        "reason": None,
        "tools": {},
        "parameters": {},
        "probe": {},
        "objects": [
            {"kind": "poster", "sha256": house.objects.put(shared), "size": 8, "media_type": "image/jpeg"},
            {"kind": "own", "sha256": house.objects.put(b"its own"), "size": 7, "media_type": "x/y"},
        ],
    }
    await house.write("clip.derived", f"clip:{house.clips[SECOND]}", derived)
    async with house.pool.acquire() as conn:
        assert {one.kind: one.shared for one in await objects_of(conn, house.clips[SECOND])} == {
            "original": False,
            "own": False,
            "poster": True,
        }
    await dispose(house, house.clips[SECOND])
    assert house.objects.exists(house.object_digest(shared))
    assert not house.objects.exists(house.object_digest(b"its own"))
    assert await differences(house) == []


# The second store


async def copied(house: SmallHouse, second: S3Objects, name: str, *, days: int | None) -> None:
    """Bring an original to the second store and put it on record."""
    sha256 = house.object_digest(CONTENTS[name])
    until = None if days is None else house.clock() + timedelta(days=days)
    copy = await asyncio.to_thread(second.copy_in, house.object_path(name), sha256, retain_until=until)
    stated = stated_copy(bytes.fromhex(sha256), copy)
    clip = str(house.clips[name])
    await house.write("clip.copied", f"clip:{clip}", {"clip": clip, "store": str(second.place), "objects": [stated]})


async def test_locks_are_respected_and_then_every_version_goes(
    house: SmallHouse, bucket: Bucket, tmp_path: Path
) -> None:
    second = bucket.objects(tmp_path / "fetched")
    sha256 = house.object_digest(CONTENTS[SECOND])
    # Longer than the term: the clip waits, and is told until when.
    await copied(house, second, SECOND, days=400)
    await copied(house, second, STILL, days=None)
    ends = house.clock.now + timedelta(days=400)
    appraisal = await approved(house, house.clips[SECOND], house.clips[STILL])
    async with house.pool.acquire() as conn, conn.transaction():
        with pytest.raises(NotDue, match="not at hand"):
            await bury_here(house, conn, house.clips[STILL], appraisal)
    worker = disposer(house, second=second)
    status = await worker.round()
    assert status.buried == 1
    assert f"{ends:%Y-%m-%d}" in status.waiting[str(house.clips[SECOND])]
    await house.publish()
    await worker.round()
    assert not second.exists(house.object_digest(CONTENTS[STILL]))
    assert second.exists(sha256)
    # The lock has ended. Somebody has hidden the copy behind a deletion: its bytes go all the same.
    house.clock.advance(timedelta(days=400))
    bucket.shorten(sha256, START)
    bucket.delete(sha256)
    await worker.round()
    await house.publish()
    await worker.round()
    versions = bucket.past.list_object_versions(Bucket=bucket.place.bucket, Prefix=bucket.key(sha256))
    assert "Versions" not in versions
    assert "DeleteMarkers" not in versions
    async with house.pool.acquire() as conn:
        assert [one.code async for one in audit_copies(conn, second=second)] == []
        # What comes back is named.
        bucket.write(sha256, CONTENTS[SECOND])
        assert [one.code async for one in audit_copies(conn, second=second)] == ["copy.not_removed"]
    assert [one.code for one in await audited(house)] == ["log.audited", "house.audited"]


async def test_a_crash_between_the_stores_is_gone_on_with(house: SmallHouse, bucket: Bucket, tmp_path: Path) -> None:
    second = bucket.objects(tmp_path / "fetched")
    sha256 = house.object_digest(CONTENTS[SECOND])
    await copied(house, second, SECOND, days=None)
    await approved(house, house.clips[SECOND])
    await disposer(house, second=second).round()
    await house.publish()
    with pytest.raises(Killed):
        await disposer(house, local=Failing(house.root / "objects"), second=second).round()
    assert not second.exists(sha256)
    assert is_there(house, SECOND)
    await disposer(house, second=second).round()
    assert not is_there(house, SECOND)
