"""The audit at work: while the house is in use, by sizes only, with further parts, on what no tampering explains."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from evidence.core.ids import uuid7
from evidence.custody.store import StoredPayload, insert_payload
from evidence.db.pool import Connection
from ledger.canonical import Entry, JsonObject, canonical_json, commitment
from ledger.checkpoint import Checkpoint
from ledger.errors import CheckpointOrigin
from ledger.findings import Finding, Severity
from ledger.store import append
from tests.support.auditing import audited, differences
from tests.support.small_house import CONTENTS, SmallHouse, superuser

FIRST, SECOND, STILL = CONTENTS


async def test_an_entry_that_still_waits_for_its_place_is_no_finding(house: SmallHouse) -> None:
    await house.seal("late.mp4", b"late")
    assert await differences(house) == []


async def test_a_house_in_use_gives_no_error(house: SmallHouse) -> None:
    async def use() -> None:
        for number in range(15):
            await house.seal(f"{number}.mp4", f"clip {number}".encode())
            await house.publish()

    using = asyncio.create_task(use())
    while not using.done():
        found = await audited(house)
        assert [finding for finding in found if finding.severity is Severity.ERROR] == []
    await using
    assert await differences(house) == []


async def test_by_sizes_only_nothing_is_read(house: SmallHouse) -> None:
    path = house.object_path(FIRST)
    path.chmod(0o644)
    content = path.read_bytes()
    path.write_bytes(b"?" + content[1:])
    found = await audited(house, read_objects=False)
    assert [finding.code for finding in found] == ["log.audited", "house.audited"]
    assert found[-1].details["bytes_read"] == 0
    path.write_bytes(content[1:])
    codes = [finding.code for finding in await audited(house, read_objects=False)]
    assert codes == ["log.audited", "object.size_differs", "house.audited"]


async def test_further_parts_are_asked_and_told_apart(house: SmallHouse) -> None:
    async def uploads(conn: Connection) -> AsyncIterator[Finding]:
        count = await conn.fetchval("SELECT count(*) FROM clip")
        yield Finding("upload.example", Severity.ERROR, "upload:x", f"{count} clips", {})

    found = await audited(house, checks=[uploads])
    assert [(finding.code, finding.message) for finding in found[1:-1]] == [("upload.example", "3 clips")]


async def test_progress_names_every_part(house: SmallHouse) -> None:
    parts: dict[str, int] = {}

    def progress(part: str, done: int, of: int | None) -> None:
        assert done >= parts.get(part, 0)
        assert of is None or done <= of
        parts[part] = done

    await audited(house, progress=progress)
    assert parts["log"] == parts["payloads"] == parts["rows"] == 14
    assert parts["objects"] == 5


async def test_an_event_of_another_program_is_named(house: SmallHouse) -> None:
    """The entry commits to the payload, and the payload is no event that this program knows."""
    for payload in ({"clip": "none"}, ["no object"]):
        salt, raw = house.entropy(32), canonical_json(payload)
        entry = Entry(
            type="clip.viewed",
            id=uuid7(clock=house.clock, entropy=house.entropy),
            at=house.clock(),
            actor="service",
            subject="clip:none",
            commit=commitment(salt=salt, payload=raw),
        )
        stored = StoredPayload(
            entry_id=entry.id,
            type=entry.type,
            actor=entry.actor,
            subject=entry.subject,
            at=entry.at,
            payload=raw,
            salt=salt,
        )
        async with house.pool.acquire() as conn, conn.transaction():
            await append(conn, entry)
            await insert_payload(conn, stored)
    await house.publish()
    codes = [finding.code for finding in await audited(house)]
    assert codes == ["log.audited", "payload.not_replayable", "payload.not_replayable", "house.audited"]


async def test_an_object_that_cannot_be_read_is_named(house: SmallHouse) -> None:
    path = house.object_path(STILL)
    path.unlink()
    path.mkdir()
    assert await differences(house) == ["object.unreadable"]


async def test_an_object_named_twice_with_two_sizes_is_named_once(house: SmallHouse) -> None:
    derived: JsonObject = {
        "clip": str(house.clips[SECOND]),
        "attempt": 1,
        "outcome": "still",
        "reason": None,
        "tools": {},
        "parameters": {},
        "probe": {},
        "objects": [
            {"kind": "poster", "sha256": house.object_digest(CONTENTS[STILL]), "size": 7, "media_type": "image/jpeg"}
        ],
    }
    await house.write("clip.derived", f"clip:{house.clips[SECOND]}", derived)
    found = [finding for finding in await audited(house) if finding.severity is Severity.ERROR]
    assert [finding.code for finding in found] == ["object.size_differs"]
    assert found[0].details["clip"] == str(house.clips[SECOND])


async def test_many_objects_are_merged_in_order(house: SmallHouse) -> None:
    for number in range(40):
        house.objects.put(f"planted {number}".encode())
    for number in range(40):
        await house.seal(f"{number}.jpg", f"picture {number}".encode())
    for number in range(0, 40, 2):
        house.objects.open_path(house.object_digest(f"picture {number}".encode())).unlink()
    found = await audited(house, read_objects=False)
    for code, contents in (
        ("object.unnamed", [f"planted {number}" for number in range(40)]),
        ("object.missing", [f"picture {number}" for number in range(0, 40, 2)]),
    ):
        expected = {f"object:{house.object_digest(content.encode())}" for content in contents}
        assert {finding.subject for finding in found if finding.code == code} == expected


async def test_a_checkpoint_of_another_log_is_no_measure(house: SmallHouse) -> None:
    with pytest.raises(CheckpointOrigin):
        await audited(house, since=Checkpoint("other.example/log", 1, bytes(32)))


async def test_an_audit_leaves_nothing_behind(house: SmallHouse) -> None:
    await audited(house)
    async with superuser(house.dsn) as conn:
        left = await conn.fetchval("SELECT count(*) FROM pg_class WHERE relpersistence = 't'")
    assert left == 0
