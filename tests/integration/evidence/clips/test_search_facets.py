"""Facets alone, negated and in all pairs (R16), generated over the fields of the language; what was disposed of."""

from __future__ import annotations

from itertools import combinations
from uuid import UUID

import pytest

from evidence.access.scope import WHOLE, Scope
from evidence.clips.count_store import count_facets
from evidence.clips.query import ClipQuery
from evidence.clips.query_fields import FIELDS
from evidence.clips.search import list_clips
from ledger.canonical import JsonObject, JsonValue
from tests.support.payloads import Scribe

UNIT = UUID(int=41)

ASKED: dict[str, str] = {
    "case": "晋环罚〔2026〕9号",
    "unit": "一中队",
    "attribution": "officer_unknown",
    "recorder": "A100001",
    "dock": "",
    "officer": "000042",
    "state": "reviewable",
    "key_mark": "yes",
    "sha256": "",
    "item": "现场检查",
    "place": "朔州市",
    "marker": "亮证",
    "speaker": "当事人",
    "document": "现场检查笔录",
    "covert": "yes",
    "near": "39.3313,112.4329,500m",
    "kind": "video",
    "action": "penalty",
    "findings": "damaged",
    "late": "yes",
    "recorded": "2026-03-02",
    "received": "2026-03-09",
    "duration": "61m",
    "size": ">1000",
    "missing": "dialogue",
    "has": "case",
}
"""What is asked of each field; bit by bit, a clip has what its number says."""

CLIPS = 8


@pytest.fixture
async def clips(scribe: Scribe) -> list[UUID]:
    """Eight clips: field number n holds of clip number k if bit n mod 3 of k is set."""
    await scribe.conn.execute(
        """INSERT INTO unit (entry_id, unit, version, name, registered_at, registered_by)
           VALUES ($1, $1, 1, '一中队', now(), 'staff:1')""",
        UNIT,
    )
    case = await scribe.open_case(ASKED["case"])
    await scribe.conn.execute("ALTER TABLE case_file DISABLE TRIGGER forbid_change")
    await scribe.conn.execute("UPDATE case_file SET kind = 'penalty'")
    return [await _make(scribe, number, case) for number in range(CLIPS)]


def _has(field: str, number: int) -> bool:
    bit = _BITS.get(field, list(ASKED).index(field) % 3)
    return bool(number >> bit & 1)


_BITS = {"case": 0, "action": 0, "has": 0, "state": 1, "kind": 1, "received": 2, "late": 2}
"""Fields that follow from one another share a bit."""


async def _make(scribe: Scribe, number: int, case: UUID) -> UUID:
    def has(field: str) -> bool:
        return _has(field, number)

    clip = await scribe.seal(
        recorder="A100001" if has("recorder") else "B200002",
        dock=str(UUID(int=5 if has("dock") else 6)),
        officer="000042" if has("officer") else "000043",
        key_mark=has("key_mark"),
        size=2_000 if has("size") else 1_000,
        sha256=f"{number + (16 if has('sha256') else 0):064x}",
        recorded_at="2026-03-02T02:00:00.000Z" if has("recorded") else "2026-03-03T02:00:00.000Z",
        received_at="2026-03-09T02:00:00.000Z" if has("received") else "2026-03-03T09:00:00.000Z",
    )
    place: JsonObject | None = {"latitude_e6": 39_331_300, "longitude_e6": 112_432_900} if has("near") else None
    container = {"missing_bytes": int(has("findings")), "duration_ms": 3_660_000 if has("duration") else 60_000}
    probe: JsonObject = {"place": place, "container": container}
    await scribe.derive(clip, outcome="reviewable" if has("state") else "still", probe=probe)
    content: dict[str, object] = {"remark": "查封"}
    content |= {"item": "现场检查"} if has("item") else {}
    content |= {"place": "朔州市"} if has("place") else {}
    content |= {"markers": [{"kind": "credentials_shown", "at_ms": 0}]} if has("marker") else {}
    content |= {"speakers": [{"key": "s1", "role": "party"}]} if has("speaker") else {}
    content |= {"documents": [{"kind": "现场检查笔录", "number": "1号"}]} if has("document") else {}
    content |= {"covert": {"basis": "行政处罚法第四十一条", "approver": "局长"}} if has("covert") else {}
    content |= {} if has("missing") else {"not_needed_because": "空镜"}
    await scribe.conn.execute(
        """INSERT INTO clip_attribution_version
               (clip, version, unit, flags, blocked, attributed_at, attributed_by, entry_id)
           VALUES ($1, 1, $2, $3, false, now(), 'service', $4)""",
        *(clip, UNIT if has("unit") else None, ["officer_unknown"] if has("attribution") else [], scribe.new_id()),
    )
    if has("case"):
        await scribe.link(case, clip)
    await scribe.annotate(clip, expected_version=0, **content)
    return clip


def _text(field: str) -> str:
    value = str(UUID(int=5)) if field == "dock" else ASKED[field]
    return f"{field}:{value}"


async def test_r16_each_facet_alone_negated_and_with_every_other(scribe: Scribe, clips: list[UUID]) -> None:
    fields = [field for field in FIELDS if field != "sha256"]
    assert set(ASKED) == set(FIELDS), "a new field has a line here"
    for field in fields:
        expected = {clips[number] for number in range(CLIPS) if _has(field, number)}
        assert 0 < len(expected) < CLIPS
        assert await _found(scribe, _text(field)) == expected, field
        assert await _found(scribe, f"-{_text(field)}") == set(clips) - expected, field
    for one, other in combinations(fields, 2):
        both = {clips[number] for number in range(CLIPS) if _has(one, number) and _has(other, number)}
        assert await _found(scribe, f"{_text(one)} {_text(other)}") == both, (one, other)
    digest = await scribe.conn.fetchval("SELECT encode(sha256, 'hex') FROM clip WHERE clip = $1", clips[3])
    assert await _found(scribe, f"sha256:{digest}") == {clips[3]}


async def test_r16_counts_are_of_what_pages_show(scribe: Scribe, clips: list[UUID]) -> None:
    for scope in (WHOLE, Scope(units=frozenset((UNIT,)), classes=frozenset(("covert",)))):
        for field in ("recorder", "marker", "case", "findings", "near"):
            condition = ClipQuery(text=_text(field)).condition(None, scope)
            counted = await count_facets(scribe.conn, condition, names=["state"])
            page = await list_clips(scribe.conn, ClipQuery(text=_text(field)), scope=scope)
            assert counted.clips == len(page.items) == sum(value.clips for value in counted.values), field
    assert len(clips) == CLIPS


async def _found(scribe: Scribe, text: str) -> set[UUID]:
    page = await list_clips(scribe.conn, ClipQuery(text=text))
    return {item.clip for item in page.items}


async def test_what_was_disposed_of_is_found_by_those_who_ask_for_it_only(scribe: Scribe) -> None:
    gone, kept = await scribe.seal(sha256="e" * 64), await scribe.seal()
    for clip in (gone, kept):
        await scribe.annotate(clip, remark="查封")
    tombstone: dict[str, JsonValue] = {
        "clip": str(gone),
        "appraisal": str(scribe.new_id()),
        "expired_on": "2026-03-01",
        "because": ["保管期满"],
        "objects": [{"kind": "original", "sha256": "e" * 64, "size": 1_000}],
        "stores": ["local"],
    }
    await scribe.write("clip.disposed", f"clip:{gone}", tombstone)
    for text, clips in (
        ("", {kept}),
        ("查封", {kept}),
        ("state:sealed", {kept}),
        (f"sha256:{'e' * 64}", set()),
        ("state:disposed", {gone}),
        ("status:disposed 查封", {gone}),
        (f"状态:disposed sha256:{'e' * 64}", {gone}),
        ("state:disposed,sealed", {gone, kept}),
        ("-state:disposed", {kept}),
    ):
        assert await _found(scribe, text) == clips, text
        counted = await count_facets(scribe.conn, ClipQuery(text=text).condition(None), names=["missing"])
        assert counted.clips == len(clips), text
