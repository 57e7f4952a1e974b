"""Annotating many clips at once over HTTP: clip by clip or all or nothing, once for each key, a hundred at a time."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from api.handlers import bulk as handler
from evidence.clips import bulk
from evidence.parties.roles import Role
from tests.support.clock import SeededEntropy, SteppingClock
from tests.support.payloads import Scribe
from tests.support.service import Reply, RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADD = {"remark": "集中整治行动", "markers": [{"kind": "credentials_shown", "at_ms": 100}]}


async def clips_of(service: RunningService, count: int) -> list[str]:
    """Put clips on record, without the bytes that nobody looks at here."""
    async with service.services.pool.acquire() as conn:
        scribe = Scribe(conn=conn, clock=SteppingClock(), entropy=SeededEntropy(uuid4().int))
        return [str(await scribe.seal()) for _ in range(count)]


async def add(
    service: RunningService, clips: list[Any], addition: Any = ADD, *, key: str | None = None, **more: Any
) -> Reply:
    targets = [clip if isinstance(clip, dict) else {"clip": clip} for clip in clips]
    headers = {} if key is None else {"Idempotency-Key": key}
    body = {"clips": targets, "add": addition, **more}
    return await service.ask("POST", "/v1/annotations", role=Role.INVESTIGATOR, json=body, headers=headers)


async def newest(service: RunningService, clip: str) -> Any:
    return (await service.ask("GET", f"/v1/clips/{clip}", role=Role.REVIEWER)).json()["annotation"]


async def annotate(service: RunningService, clip: str, content: Any) -> None:
    path, seen = f"/v1/clips/{clip}/annotations", {"If-Match": '"0"'}
    reply = await service.ask("POST", path, role=Role.INVESTIGATOR, json=content, headers=seen)
    assert reply.status == 201, reply


async def test_each_clip_is_told_for_itself(shared: RunningService) -> None:
    empty, said, stale, seen = await clips_of(shared, 4)
    for clip in (said, stale, seen):
        await annotate(shared, clip, {"remark": "排污口检查"})
    stranger = str(uuid4())
    targets = [empty, said, {"clip": stale, "version": 0}, stranger, {"clip": seen, "version": 1}]
    reply = await add(shared, targets, reason="统一补录")
    body = reply.json()
    assert (reply.status, body["written"], body["unchanged"], body["refused"]) == (200, 3, 0, 2)
    assert [(one["clip"], one["outcome"], one["version"], one["kept"], one["code"]) for one in body["items"]] == [
        (empty, "written", 1, [], None),
        (said, "written", 2, ["remark"], None),
        (stale, "refused", None, [], "annotation.stale"),
        (stranger, "refused", None, [], "clip.unknown"),
        (seen, "written", 2, ["remark"], None),
    ]
    now = await newest(shared, said)
    assert (now["content"], now["reason"]) == ({"remark": "排污口检查", "markers": ADD["markers"]}, "统一补录")
    assert now["entry"] == body["items"][1]["entry"]
    again = (await add(shared, [empty, said])).json()
    assert [one["outcome"] for one in again["items"]] == ["unchanged", "unchanged"]
    assert (await newest(shared, said))["version"] == 2


async def test_all_or_nothing_is_nothing_if_one_is_refused(shared: RunningService) -> None:
    first, second = await clips_of(shared, 2)
    stranger = str(uuid4())
    refused = await add(shared, [first, stranger, second], all_or_nothing=True)
    assert (refused.status, refused.code) == (409, "annotation.bulk_refused")
    assert [(one["clip"], one["code"]) for one in refused.json()["details"]["refused"]] == [(stranger, "clip.unknown")]
    assert await newest(shared, first) is None
    assert (await add(shared, [first, second], all_or_nothing=True)).json()["written"] == 2


async def test_a_repeat_with_its_key_goes_on_where_it_was_cut_off(
    shared: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler, "BATCH", 2)
    clips = await clips_of(shared, 5)
    targets, key, calls = [{"clip": clip, "version": 0} for clip in clips], uuid4().hex, 0
    real = bulk.annotate_batch

    async def cut_off(*args: Any, **more: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise ConnectionResetError("the database went away")
        return await real(*args, **more)

    monkeypatch.setattr(handler, "annotate_batch", cut_off)
    broken = await add(shared, targets, key=key)
    assert broken.status >= 500
    assert [(await newest(shared, clip)) is not None for clip in clips] == [True, True, False, False, False]
    whole = await add(shared, targets, key=key)
    assert [one["outcome"] for one in whole.json()["items"]] == ["written"] * 5
    again = await add(shared, targets, key=key)
    assert again.body == whole.body
    assert calls == 4
    assert (await newest(shared, clips[0]))["version"] == 1
    other = await add(shared, targets[:1], key=key)
    assert (other.status, other.code) == (409, "idempotency.conflict")


@pytest.mark.parametrize(
    "broken",
    [
        {"clips": []},
        {"clips": [{"clip": str(uuid4())} for _ in range(1_001)]},
        {"clips": [{"clip": str(UUID(int=number))} for number in range(10_000)]},
        {"clips": [{"clip": str(UUID(int=1))}] * 2},
        {"clips": [{"clip": str(UUID(int=number))} for number in range(201)], "all_or_nothing": True},
        {"clips": [{"clip": "../../etc/passwd"}]},
        {"clips": [{"clip": str(UUID(int=1)), "version": -1}]},
        {"clips": [{"clip": str(UUID(int=1)), "version": True}]},
        {"add": {}},
        {"add": {"markers": [{"kind": "other", "at_ms": 0}] * 10_000}},
        {"add": {"remark": "a\u0000b"}},
        {"reason": "字" * 401},
        {"all_or_nothing": "yes"},
    ],
)
async def test_a_request_that_breaks_a_rule_touches_nothing(shared: RunningService, broken: dict[str, Any]) -> None:
    body = {"clips": [{"clip": str(UUID(int=1))}], "add": ADD, **broken}
    reply = await shared.ask("POST", "/v1/annotations", role=Role.INVESTIGATOR, json=body)
    assert (reply.status, reply.code) == (400, "request.invalid")


@pytest.mark.parametrize("addition", [{"place": "王\u202e强"}, {"markers": [{"kind": "no_such_word", "at_ms": 0}]}])
async def test_words_that_are_not_taken_are_refused_clip_by_clip(shared: RunningService, addition: Any) -> None:
    (clip,) = await clips_of(shared, 1)
    (told,) = (await add(shared, [clip], addition)).json()["items"]
    assert (told["outcome"], told["code"]) == ("refused", "annotation.invalid")
    assert await newest(shared, clip) is None


async def test_a_hundred_at_once_on_one_clip_and_on_fifty_lose_no_mark(shared: RunningService) -> None:
    clips = await clips_of(shared, 50)

    async def mark(number: int) -> None:
        markers = [{"kind": "other", "at_ms": number}]
        # Every one of them also marks its own of the fifty, in another order than its neighbour does.
        mine = [clips[number % 50], clips[0]] if number % 2 else [clips[0], clips[number % 50]]
        told = (await add(shared, list(dict.fromkeys(mine)), {"markers": markers})).json()
        assert told["refused"] == 0

    await asyncio.gather(*(mark(number) for number in range(100)))
    first = await newest(shared, clips[0])
    assert first["version"] == 100
    assert sorted(marker["at_ms"] for marker in first["content"]["markers"]) == list(range(100))
    for place, clip in enumerate(clips[1:], start=1):
        found = await newest(shared, clip)
        assert sorted(marker["at_ms"] for marker in found["content"]["markers"]) == [place, place + 50]
