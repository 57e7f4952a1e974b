"""Clips over HTTP: found, read, annotated without losing anybody's words, with a history."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from evidence.parties.roles import Role
from tests.support.service import Reply, RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONTENT = {
    "remark": "现场检查某公司排污口",
    "place": "晋城市陵川县",
    "markers": [{"kind": "credentials_shown", "at_ms": 1500}],
}


async def fresh_clip(service: RunningService) -> UUID:
    return await service.clip(uuid4().bytes, path=f"DCIM/{uuid4()}.mp4")


async def annotate(
    service: RunningService, clip: UUID, content: Any = None, *, seen: str | None = '"0"', **headers: str
) -> Reply:
    if seen is not None:
        headers["If-Match"] = seen
    return await service.ask(
        "POST",
        f"/v1/clips/{clip}/annotations",
        role=Role.INVESTIGATOR,
        json=CONTENT if content is None else content,
        headers=headers,
    )


async def find(service: RunningService, **query: str) -> list[str]:
    reply = await service.ask("GET", "/v1/clips", role=Role.REVIEWER, params=query)
    assert reply.status == 200, reply
    return [item["clip"] for item in reply.json()["items"]]


async def test_a_clip_tells_all_that_is_known(shared: RunningService) -> None:
    data = b"all that is known"
    clip = await shared.clip(data, path="DCIM/known.mp4")
    await shared.derive(clip, b"proxy of it")
    detail = (await shared.ask("GET", f"/v1/clips/{clip}", role=Role.REVIEWER)).json()
    assert (detail["name"], detail["size"], detail["state"]) == ("known.mp4", len(data), "reviewable")
    assert isinstance(detail["index"], int)
    assert [made["kind"] for made in detail["derivation"]["renditions"]] == ["proxy"]
    (source,) = detail["sources"]
    assert (source["path"], source["recorder"]) == ("DCIM/known.mp4", "A1B2C3D")


async def test_an_etag_saves_the_same_answer_and_changes_with_the_clip(shared: RunningService) -> None:
    clip = await fresh_clip(shared)
    path = f"/v1/clips/{clip}"
    first = await shared.ask("GET", path, role=Role.REVIEWER)
    tag = first.headers["ETag"]
    for given in (tag, f'"other", {tag}', f"W/{tag}", "*"):
        unchanged = await shared.ask("GET", path, role=Role.REVIEWER, headers={"If-None-Match": given})
        assert (unchanged.status, unchanged.body) == (304, b"")
    await annotate(shared, clip)
    changed = await shared.ask("GET", path, role=Role.REVIEWER, headers={"If-None-Match": tag})
    assert changed.status == 200
    assert changed.headers["ETag"] != tag


async def test_what_is_annotated_is_found(shared: RunningService) -> None:
    clip = await fresh_clip(shared)
    word = f"甲乙丙{uuid4().hex[:6]}"
    assert (await annotate(shared, clip, {"remark": f"检查{word}排口"})).status == 201
    assert await find(shared, q=word) == [str(clip)]
    assert await find(shared, q=f'"{word}排口"') == [str(clip)]
    assert await find(shared, q=word + "无") == []


async def test_facets_narrow(shared: RunningService) -> None:
    data = uuid4().bytes
    clip = await shared.clip(data, path="facets.mp4")
    detail = (await shared.ask("GET", f"/v1/clips/{clip}", role=Role.REVIEWER)).json()
    dock = str((await shared.dock()).dock)
    assert await find(shared, sha256=detail["sha256"]) == [str(clip)]
    assert await find(shared, sha256=detail["sha256"], dock=dock, recorder="A1B2C3D", state="sealed") == [str(clip)]
    for other in (
        {"dock": str(uuid4())},
        {"recorder": "X"},
        {"state": "still"},
        {"key_mark": "true"},
        {"officer": "9"},
    ):
        assert await find(shared, sha256=detail["sha256"], **other) == []
    assert await find(shared, **{"sha256": detail["sha256"], "from": "2020-01-01T00:00:00Z"}) == []


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"q": "a" * 501}, "request.query"),
        ({"q": '"open'}, "search.invalid"),
        ({"q": " ".join(map(str, range(21)))}, "search.invalid"),
        ({"q": "offcer:015678"}, "search.invalid"),
        ({"state": "lost"}, "request.query"),
        ({"dock": "1"}, "request.query"),
        ({"sha256": "ABC"}, "request.query"),
        ({"from": "2026-01-01"}, "request.query"),
        ({"from": "2026-01-01T00:00:00"}, "request.query"),
        ({"from": "2026-02-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "search.invalid"),
        ({"recorded_from": "2026-02-01T00:00:00Z"}, "request.query"),
        ({"key_mark": "perhaps"}, "request.query"),
        ({"cursor": "AAAA"}, "search.invalid"),
        ({"cursor": "' OR 1=1 --"}, "search.invalid"),
        ({"limit": "201"}, "request.query"),
    ],
)
async def test_questions_that_cannot_be_meant(shared: RunningService, query: dict[str, str], code: str) -> None:
    reply = await shared.ask("GET", "/v1/clips", role=Role.REVIEWER, params=query)
    assert (reply.status, reply.code) == (400, code)


@pytest.mark.parametrize("q", ["' OR 1=1 --", "%", "_", "\\", "%' AND '1'='1", "$1", "𠮷", "ｚｘ", "\u202e"])
async def test_metacharacters_are_words_like_others(shared: RunningService, q: str) -> None:
    await fresh_clip(shared)
    assert await find(shared, q=q) == []


async def test_pages_follow_each_other(shared: RunningService) -> None:
    word = uuid4().hex
    clips = []
    for number in range(5):
        clip = await fresh_clip(shared)
        await annotate(shared, clip, {"remark": f"{word} {number}"})
        clips.append(str(clip))
    seen: list[str] = []
    query = {"q": word, "limit": "2"}
    while True:
        page = (await shared.ask("GET", "/v1/clips", role=Role.REVIEWER, params=query)).json()
        seen += [item["clip"] for item in page["items"]]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert seen == clips[::-1]


async def test_versions_are_kept_and_the_etag_is_the_newest(shared: RunningService) -> None:
    clip = await fresh_clip(shared)
    path = f"/v1/clips/{clip}/annotations"
    assert (await shared.ask("GET", path, role=Role.AUDITOR)).headers["ETag"] == '"0"'
    for version in range(3):
        made = await annotate(shared, clip, {"remark": f"版本{version + 1}"}, seen=f'"{version}"')
        assert (made.status, made.json()["version"], made.headers["ETag"]) == (201, version + 1, f'"{version + 1}"')
    page = await shared.ask("GET", path, role=Role.AUDITOR, params={"limit": "2"})
    assert [item["version"] for item in page.json()["items"]] == [3, 2]
    rest = await shared.ask("GET", path, role=Role.AUDITOR, params={"limit": "2", "cursor": page.json()["next"]})
    assert [item["content"]["remark"] for item in rest.json()["items"]] == ["版本1"]


async def test_a_change_says_what_it_is_based_on(shared: RunningService) -> None:
    clip = await fresh_clip(shared)
    missing = await annotate(shared, clip, seen=None)
    assert (missing.status, missing.code) == (428, "request.precondition_required")
    for malformed in ("0", '"x"', "*", 'W/"0"', '"0", "1"', '"-1"', '"99999999999"', '"00"'):
        assert (await annotate(shared, clip, seen=malformed)).code == "request.header"
    assert (await annotate(shared, clip)).status == 201
    stale = await annotate(shared, clip)
    assert (stale.status, stale.code, stale.json()["details"]["version"]) == (412, "annotation.stale", 1)


async def test_of_many_at_once_one_writes_and_nobodys_words_are_lost(shared: RunningService) -> None:
    clip = await fresh_clip(shared)
    replies = await asyncio.gather(*(annotate(shared, clip, {"remark": f"人{number}"}) for number in range(8)))
    assert sorted(reply.status for reply in replies) == [201] + [412] * 7


async def test_a_repeat_with_its_key_is_the_same_version(shared: RunningService) -> None:
    clip = await fresh_clip(shared)
    key = {"Idempotency-Key": str(uuid4())}
    first, again = await annotate(shared, clip, **key), await annotate(shared, clip, **key)
    assert (first.status, first.body) == (again.status, again.body)
    other = await annotate(shared, clip, {"remark": "else"}, **key)
    assert other.code == "idempotency.conflict"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ({"remark": "x" * 4001}, "request.invalid"),
        ({"remark": "  "}, "request.invalid"),
        ({"remark": "a\u0000b"}, "request.invalid"),
        ({"remark": "a\u0008b"}, "request.invalid"),
        ({"more": 1}, "request.invalid"),
        ({"markers": [{"kind": "credentials_shown", "at_ms": -1}]}, "request.invalid"),
        ({"markers": [{"kind": "credentials_shown", "at_ms": 1.5}]}, "request.invalid"),
        ({"markers": [{"kind": "credentials_shown", "at_ms": 1}] * 10_000}, "request.invalid"),
        ({"dialogue": [{"from_ms": 0, "to_ms": 5, "text": "好", "speaker": "nobody"}]}, "request.invalid"),
        ({"markers": [{"kind": "no_such_word", "at_ms": 1}]}, "annotation.invalid"),
        ([], "request.invalid"),
    ],
)
async def test_annotations_that_break_a_rule(shared: RunningService, content: Any, code: str) -> None:
    clip = await shared.clip(b"never annotated")
    reply = await annotate(shared, clip, content)
    assert (reply.status, reply.code) == (400, code)
    versions = await shared.ask("GET", f"/v1/clips/{clip}/annotations", role=Role.AUDITOR)
    assert versions.json()["items"] == []


async def test_a_history_is_told_in_order_and_in_pages(shared: RunningService) -> None:
    clip = await fresh_clip(shared)
    await annotate(shared, clip)
    await shared.derive(clip, b"proxy")
    path = f"/v1/clips/{clip}/history"
    first = (await shared.ask("GET", path, role=Role.ARCHIVIST, params={"limit": "2"})).json()
    rest = (await shared.ask("GET", path, role=Role.ARCHIVIST, params={"cursor": first["next"]})).json()
    assert [item["type"] for item in first["items"] + rest["items"]] == [
        "clip.sealed",
        "clip.annotated",
        "clip.derived",
    ]
    assert rest["next"] is None


@pytest.mark.parametrize("rest", ["", "/annotations", "/history"])
async def test_clips_nobody_sealed(shared: RunningService, rest: str) -> None:
    reply = await shared.ask("GET", f"/v1/clips/{uuid4()}{rest}", role=Role.AUDITOR)
    assert (reply.status, reply.code) == (404, "clip.unknown")
    assert (await annotate(shared, uuid4())).code == "clip.unknown"


@pytest.mark.parametrize("cursor", ["0", "-1", "x", "99999999999", "１"])
async def test_versions_have_cursors_of_their_own(shared: RunningService, cursor: str) -> None:
    clip = await shared.clip(b"never annotated")
    path = f"/v1/clips/{clip}/annotations"
    assert (await shared.ask("GET", path, role=Role.AUDITOR, params={"cursor": cursor})).code == "request.cursor"
