"""The audit and controllers: who may act when, and what came beside a recording."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from uuid import UUID

from evidence.core.clock import format_time
from evidence.custody.record import record
from ledger.canonical import JsonObject
from tests.support.auditing import differences
from tests.support.small_house import CONTENTS, SmallHouse

SAID = "排污口".encode()


async def connect(house: SmallHouse) -> UUID:
    controller = house.new_id()
    stated: JsonObject = {
        "controller": str(controller),
        "name": "一号系统控制器",
        "key_sha256": hashlib.sha256(b"key").hexdigest(),
    }
    await house.write("controller.connected", f"controller:{controller}", stated)
    return controller


async def deliver(house: SmallHouse, controller: UUID, *, container: str = "u_s_1") -> None:
    """Put a recording of one clip and a bookmark on record, as this controller."""
    name, content = next(iter(CONTENTS.items()))
    recording, at, clip = house.new_id(), format_time(house.clock()), str(house.clips[name])
    one: JsonObject = {
        "name": name,
        "clip": clip,
        "sha256": hashlib.sha256(content).hexdigest(),
        "size": len(content),
        "started_at": at,
        "stopped_at": None,
        "metadata": {},
    }
    bookmark: JsonObject = {
        "name": "bookmark_1",
        "kind": "bookmark",
        "clip": clip,
        "sha256": house.objects.put(SAID),
        "size": len(SAID),
        "metadata": {"starttime": at},
    }
    payload: JsonObject = {
        "recording": str(recording),
        "controller": str(controller),
        "container": container,
        "recorder": None,
        "wearer": None,
        "officer": None,
        "officer_name": None,
        "started_at": at,
        "stopped_at": None,
        "metadata": {},
        "clips": [one],
        "companions": [bookmark],
    }
    async with house.pool.acquire() as conn, conn.transaction():
        await record(
            conn,
            type="recording.sealed",
            actor=f"controller:{controller}",
            subject=f"recording:{recording}",
            payload=payload,
            clock=house.clock,
            entropy=house.entropy,
        )


async def give_up(house: SmallHouse, controller: UUID) -> None:
    """Put an entry of this controller on record that may not come late."""
    upload = house.new_id()
    stated: JsonObject = {"upload": str(upload), "name": "a.mkv", "actor": f"controller:{controller}", "size": 1}
    async with house.pool.acquire() as conn, conn.transaction():
        await record(
            conn,
            type="upload.given_up",
            actor=f"controller:{controller}",
            subject=f"upload:{upload}",
            payload=stated,
            clock=house.clock,
            entropy=house.entropy,
        )


async def test_a_controller_acts_within_its_term_and_may_be_sealed_after_it(house: SmallHouse) -> None:
    controller = await connect(house)
    await deliver(house, controller)
    await give_up(house, controller)
    assert await differences(house) == []
    await house.publish()
    revoked: JsonObject = {"controller": str(controller), "reason": "报废"}
    await house.write("controller.revoked", f"controller:{controller}", revoked)
    house.clock.advance(timedelta(hours=2))
    await house.publish()
    # What it had brought before is sealed late; nothing else is its to do any more.
    await deliver(house, controller, container="u_s_2")
    await house.publish()
    assert await differences(house) == []
    await give_up(house, controller)
    await house.publish()
    assert await differences(house) == ["actor.not_in_force"]


async def test_a_controller_that_nobody_let_in_is_named(house: SmallHouse) -> None:
    await deliver(house, house.new_id())
    await house.publish()
    assert await differences(house) == ["actor.not_in_force"]


async def test_what_came_beside_a_recording_is_compared_like_every_object(house: SmallHouse) -> None:
    await deliver(house, await connect(house))
    await house.publish()
    path = house.objects.open_path(hashlib.sha256(SAID).hexdigest())
    path.chmod(0o600)
    path.write_bytes(SAID[::-1])
    assert await differences(house) == ["object.altered"]
    path.unlink()
    assert await differences(house) == ["object.missing"]
