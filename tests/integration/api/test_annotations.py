"""Annotating over HTTP: circumstances, versions and what they changed, stale writers, strange texts."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from evidence.cases.item_list import read_list
from evidence.cases.items import publish_list
from evidence.parties.roles import Role
from tests.support.service import Reply, RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def fresh_clip(service: RunningService) -> UUID:
    return await service.clip(uuid4().bytes, path=f"DCIM/{uuid4()}.mp4")


async def annotate(service: RunningService, clip: UUID, content: Any, *, seen: int = 0) -> Reply:
    return await service.ask(
        "POST",
        f"/v1/clips/{clip}/annotations",
        role=Role.INVESTIGATOR,
        json=content,
        headers={"If-Match": f'"{seen}"'},
    )


async def find(service: RunningService, q: str) -> set[str]:
    reply = await service.ask("GET", "/v1/clips", role=Role.REVIEWER, params={"q": q, "limit": "200"})
    assert reply.status == 200, reply
    return {item["clip"] for item in reply.json()["items"]}


async def test_r6_covert_without_basis_or_approver_is_refused(shared: RunningService) -> None:
    clip = await fresh_clip(shared)
    for covert in (
        True,
        {},
        {"basis": "暗访方案〔2026〕3号"},
        {"approver": "王某某"},
        {"basis": " ", "approver": "王"},
    ):
        refused = await annotate(shared, clip, {"covert": covert})
        assert (refused.status, refused.code) == (400, "request.invalid")
    covert = {"basis": f"暗访方案{uuid4()}", "approver": "王某某"}
    assert (await annotate(shared, clip, {"covert": covert})).status == 201
    assert str(clip) in await find(shared, "covert:yes")
    assert str(clip) not in await find(shared, "隐蔽:否")
    assert await find(shared, covert["basis"]) == {str(clip)}


async def test_r8_r9_clips_lacking_the_notice_or_the_credentials_are_listed(shared: RunningService) -> None:
    word = uuid4().hex
    marks = {"both": ["recording_announced", "credentials_shown"], "notice": ["recording_announced"], "none": []}
    clips = {}
    for name, kinds in marks.items():
        clips[name] = str(clip := await fresh_clip(shared))
        markers = [{"kind": kind, "at_ms": 1500} for kind in kinds]
        assert (await annotate(shared, clip, {"remark": word, "markers": markers})).status == 201
    assert await find(shared, f"{word} missing:亮证") == {clips["notice"], clips["none"]}
    assert await find(shared, f"{word} 缺:告知正在录音录像") == {clips["none"]}
    (hit,) = (await shared.ask("GET", f"/v1/clips?q={word} 亮证", role=Role.REVIEWER)).json()["items"]
    assert (hit["clip"], next((one["field"], one["at_ms"]) for one in hit["hits"])) == (clips["both"], ("marker", 1500))


async def test_documents_are_found_by_kind_and_number(shared: RunningService) -> None:
    clip, number = await fresh_clip(shared), f"晋环检〔2026〕{uuid4().hex[:8]}号"
    document = {"kind": "现场检查笔录", "number": number, "from": "2026-03-02T09:00+08:00"}
    assert (await annotate(shared, clip, {"documents": [document], "item": "现场检查"})).status == 201
    assert await find(shared, f'document:"{number}"') == {str(clip)}
    assert str(clip) in await find(shared, "文书:现场检查笔录")
    newest = await shared.ask("GET", f"/v1/clips/{clip}/annotations/1", role=Role.REVIEWER)
    assert newest.json()["content"] == {"documents": [document], "item": "现场检查"}


async def test_a_version_tells_why_and_what_it_changed(shared: RunningService) -> None:
    clip = await fresh_clip(shared)
    path = f"/v1/clips/{clip}/annotations"
    first = {"remark": "检察", "markers": [{"kind": "other", "at_ms": 5}]}
    assert (await annotate(shared, clip, first)).status == 201
    assert (await annotate(shared, clip, {"remark": "检查", "reason": "更正错别字"}, seen=1)).status == 201
    newest = (await shared.ask("GET", f"{path}/2", role=Role.AUDITOR)).json()
    assert (newest["reason"], newest["content"]) == ("更正错别字", {"remark": "检查"})
    told = (await shared.ask("GET", f"{path}/2/difference", role=Role.AUDITOR)).json()
    assert (told["since"], told["reason"]) == (1, "更正错别字")
    assert [(one["where"], one["change"], one["before"], one["after"]) for one in told["changes"]] == [
        ("markers[other@5]", "removed", {"at_ms": 5, "kind": "other"}, None),
        ("remark", "changed", "检察", "检查"),
    ]
    since = {"since": "0"}
    whole = (await shared.ask("GET", f"{path}/2/difference", role=Role.AUDITOR, params=since)).json()
    assert [(one["where"], one["change"]) for one in whole["changes"]] == [("remark", "added")]
    same = (await shared.ask("GET", f"{path}/2/difference", role=Role.AUDITOR, params={"since": "2"})).json()
    assert same["changes"] == []


async def test_versions_that_are_not_there(shared: RunningService) -> None:
    clip = await fresh_clip(shared)
    for path in (f"{clip}/annotations/1", f"{clip}/annotations/1/difference"):
        reply = await shared.ask("GET", f"/v1/clips/{path}", role=Role.AUDITOR)
        assert (reply.status, reply.code) == (404, "annotation.unknown")
    assert (await annotate(shared, clip, {"remark": "一"})).status == 201
    later = await shared.ask("GET", f"/v1/clips/{clip}/annotations/1/difference?since=2", role=Role.AUDITOR)
    assert later.code == "annotation.unknown"
    for number in ("999999999", "1/difference?since=2147483647"):
        assert (await shared.ask("GET", f"/v1/clips/{clip}/annotations/{number}", role=Role.AUDITOR)).status == 404
    for path in (f"{uuid4()}/annotations/1", f"{uuid4()}/annotations/1/difference"):
        assert (await shared.ask("GET", f"/v1/clips/{path}", role=Role.AUDITOR)).code == "clip.unknown"
    for query in ("since=-1", "since=x", "since=2147483648", "until=1"):
        reply = await shared.ask("GET", f"/v1/clips/{clip}/annotations/1/difference?{query}", role=Role.AUDITOR)
        assert (reply.status, reply.code) == (400, "request.query")


async def test_a_stale_writer_is_told_who_wrote_what_meanwhile(shared: RunningService) -> None:
    clip = await fresh_clip(shared)
    assert (await annotate(shared, clip, {"remark": "一"})).status == 201
    assert (await annotate(shared, clip, {"remark": "二", "reason": "补充"}, seen=1)).status == 201
    stale = await annotate(shared, clip, {"remark": "三"}, seen=1)
    assert (stale.status, stale.code) == (412, "annotation.stale")
    details = stale.json()["details"]
    assert (details["version"], [(one["version"], one["reason"]) for one in details["versions"]]) == (2, [(2, "补充")])
    assert details["changes"] == [{"where": "remark", "change": "changed", "before": "一", "after": "二"}]
    fresh = (await annotate(shared, clip, {"remark": "三"})).json()["details"]
    assert [(one["where"], one["change"]) for one in fresh["changes"]] == [("remark", "added")]
    ahead = await annotate(shared, clip, {"remark": "三"}, seen=7)
    assert (ahead.code, "changes" in ahead.json()["details"]) == ("annotation.stale", False)


async def test_an_item_is_a_key_of_a_list_or_in_words(shared: RunningService) -> None:
    clip, key = await fresh_clip(shared), "sampling_on_site"
    content = {"item": key, "item_from": "list"}
    refused = await annotate(shared, clip, content)
    assert (refused.status, refused.code) == (400, "annotation.invalid")
    assert (await annotate(shared, clip, {"item": key})).status == 201
    items = [item_of(key), item_of("other_item")]
    async with shared.services.pool.acquire() as conn, conn.transaction():
        await publish_list(
            conn,
            content=read_list(
                {"agency": "甲局", "title": "清单", "source": "甲", "action_types": ACTIONS, "items": items}
            ),
            effective_from=date(2026, 1, 1),
            actor="service",
            clock=shared.services.clock,
            entropy=shared.services.entropy,
        )
    assert (await annotate(shared, clip, content, seen=1)).status == 201
    assert (await annotate(shared, clip, {**content, "item": "抽样取证"}, seen=2)).code == "annotation.invalid"


ACTIONS = [{"key": "penalty", "title": "行政处罚", "title_en": "penalty"}]


def item_of(key: str) -> dict[str, Any]:
    """Return an item of a recording-item list."""
    words = dict.fromkeys(("stage", "starts", "ends", "source"), "现场")
    return {**words, "key": key, "title": key, "means": ["video"], "mode": "partial", "retention": 6}


SCRIPT = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)> ${7*7} {{7*7}}"


async def test_script_in_every_text_comes_back_as_text(shared: RunningService) -> None:
    clip = await fresh_clip(shared)
    content = {
        **dict.fromkeys(("remark", "item", "place", "not_needed_because", "exemption", "legality_argument"), SCRIPT),
        "markers": [{"kind": "other", "at_ms": 0, "note": SCRIPT}],
        "speakers": [{"key": "s", "role": "party", **dict.fromkeys(("name", "identity", "description"), SCRIPT)}],
        "dialogue": [{"from_ms": 0, "to_ms": 1, "text": SCRIPT}],
        "documents": [{"kind": SCRIPT, "number": SCRIPT}],
        "covert": {"basis": SCRIPT, "approver": SCRIPT},
    }
    assert (await annotate(shared, clip, {**content, "reason": SCRIPT})).status == 201
    for path in (f"/v1/clips/{clip}", f"/v1/clips/{clip}/annotations/1", f"/v1/clips/{clip}/history"):
        reply = await shared.ask("GET", path, role=Role.AUDITOR)
        assert reply.headers["Content-Type"].startswith("application/json")
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert SCRIPT.replace('"', '\\"') in reply.body.decode()
    # An auditor does not read who speaks.
    stored = (await shared.ask("GET", f"/v1/clips/{clip}/annotations/1", role=Role.INVESTIGATOR)).json()
    assert (stored["content"], stored["reason"]) == (content, SCRIPT)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ({"remark": "王\u202e强"}, "annotation.invalid"),
        ({"reason": "\u2067更正\u2069"}, "annotation.invalid"),
        ({"documents": [{"kind": "笔录", "number": "9\u200b号"}]}, "annotation.invalid"),
        ({"reason": "字" * 401}, "request.invalid"),
        ({"dialogue": [{"from_ms": 0, "to_ms": 1, "text": "好", "reviewed_by": "staff:else"}]}, "annotation.invalid"),
        ({"documents": [{"kind": "笔录"}] * 10_000}, "request.invalid"),
        ({"position": {"latitude_e6": 1e6, "longitude_e6": 0}}, "request.invalid"),
    ],
)
async def test_what_is_not_written_leaves_no_trace(shared: RunningService, content: Any, code: str) -> None:
    clip = await shared.clip(b"never annotated")
    reply = await annotate(shared, clip, content)
    assert (reply.status, reply.code) == (400, code)
    versions = await shared.ask("GET", f"/v1/clips/{clip}/annotations", role=Role.AUDITOR)
    assert versions.json()["items"] == []


async def test_bytes_that_are_no_utf8_are_refused(shared: RunningService) -> None:
    clip = await shared.clip(b"never annotated")
    for raw in (b'{"remark": "\xff\xfe"}', b'{"remark": "\xed\xa0\x80"}', b'{"remark": "\\ud800"}', b'{"remark": "'):
        reply = await shared.ask(
            "POST",
            f"/v1/clips/{clip}/annotations",
            role=Role.INVESTIGATOR,
            data=raw,
            headers={"If-Match": '"0"', "Content-Type": "application/json"},
        )
        assert (reply.status, reply.code) in {(400, "request.malformed"), (400, "request.invalid")}


async def test_writers_who_begin_again_when_they_are_stale_lose_no_word(shared: RunningService) -> None:
    clip = await fresh_clip(shared)
    path = f"/v1/clips/{clip}/annotations"

    async def add_marker(at_ms: int) -> None:
        version = 0
        markers: list[dict[str, Any]] = []
        while True:
            markers = [*markers, {"kind": "other", "at_ms": at_ms}]
            made = await annotate(shared, clip, {"markers": markers}, seen=version)
            if made.status == 201:
                return
            newest = (await shared.ask("GET", path, role=Role.REVIEWER, params={"limit": "1"})).json()["items"][0]
            version, markers = newest["version"], newest["content"]["markers"]

    await asyncio.gather(*(add_marker(number) for number in range(10)))
    newest = (await shared.ask("GET", path, role=Role.REVIEWER, params={"limit": "1"})).json()["items"][0]
    assert newest["version"] == 10
    assert sorted(marker["at_ms"] for marker in newest["content"]["markers"]) == list(range(10))
