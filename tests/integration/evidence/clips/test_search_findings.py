"""Findings in the search: of derivations, of recorders' sequences, of audits; by code, weight and state."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from evidence.access.scope import Scope
from evidence.audit import findings as codes
from evidence.audit.clip_store import KEPT_MAX, clip_of, keep_findings
from evidence.audit.findings import found
from evidence.clips.count_store import count_facets
from evidence.clips.query import ClipQuery
from evidence.clips.search import list_clips
from evidence.errors import SearchInvalid
from ledger.canonical import JsonObject, JsonValue
from ledger.findings import Finding, Severity
from tests.support.payloads import Scribe

AT = datetime(2026, 3, 9, tzinfo=UTC)
ALL = tuple(Severity)


async def _asked(scribe: Scribe, text: str) -> set[UUID]:
    page = await list_clips(scribe.conn, ClipQuery(text=text), limit=200)
    return {item.clip for item in page.items}


async def _keep(scribe: Scribe, *findings: Finding, days: int = 0, resolves: tuple[Severity, ...] = ALL) -> int:
    async with scribe.conn.transaction():
        return await keep_findings(scribe.conn, findings, resolves=resolves, at=AT + timedelta(days=days))


async def test_r16_what_an_audit_named_is_found_by_code_and_weight_until_an_audit_names_it_no_more(
    scribe: Scribe,
) -> None:
    altered, elsewhere, sound = [await scribe.seal() for _ in range(3)]
    first = found(codes.OBJECT_ALTERED, "object:" + "a" * 64, "other bytes", clip=str(altered))
    second = found(codes.OBJECT_ELSEWHERE, "object:" + "b" * 64, "not here", clip=str(elsewhere))
    assert await _keep(scribe, first, second, found(codes.AUDITED, "house", "done")) == 2
    for text, clips in (
        ("findings:open", {altered, elsewhere}),
        ("has:open-findings", {altered, elsewhere}),
        ("有:未决", {altered, elsewhere}),
        ("-has:open-findings", {sound}),
        ("finding:审计", {altered, elsewhere}),
        ("finding:error", {altered}),
        ("finding:warning", {elsewhere}),
        ("finding:object.altered", {altered}),
        ("finding:object.altered,object.elsewhere", {altered, elsewhere}),
        ("finding:row.altered", set()),
        ("finding:resolved", set()),
        ("finding:open -finding:error", {elsewhere}),
    ):
        assert await _asked(scribe, text) == clips, text
    await _keep(scribe, second, days=1)
    assert await _asked(scribe, "findings:open") == {elsewhere}
    assert await _asked(scribe, "findings:已决") == {altered}
    assert await _asked(scribe, "findings:object.altered") == set()
    await _keep(scribe, first, second, days=2)
    assert await _asked(scribe, "findings:open") == {altered, elsewhere}, "what comes back is open again"
    assert await _asked(scribe, "findings:resolved") == set()


async def test_only_what_an_audit_looked_for_counts_as_resolved(scribe: Scribe) -> None:
    clip = await scribe.seal()
    error = found(codes.OBJECT_ALTERED, "object:" + "a" * 64, "other bytes", clip=str(clip))
    warning = found(codes.OBJECT_ELSEWHERE, "object:" + "a" * 64, "not here", clip=str(clip))
    await _keep(scribe, error, warning)
    await _keep(scribe, days=1, resolves=())
    assert await _asked(scribe, "findings:error findings:warning") == {clip}
    await _keep(scribe, days=2, resolves=(Severity.ERROR,))
    assert await _asked(scribe, "findings:error") == set()
    assert await _asked(scribe, "findings:warning") == {clip}
    await _keep(scribe, *[found(codes.GUARD_MISSING, "table:clip", "")] * (KEPT_MAX + 1), days=3)
    assert await _asked(scribe, "findings:warning") == {clip}, "an audit that is cut off resolves nothing"


async def test_a_finding_leads_to_its_clip(scribe: Scribe) -> None:
    clip = await scribe.seal(sha256="c" * 64)
    derived = await scribe.derive(clip)
    made = await scribe.conn.fetchval("SELECT encode(sha256, 'hex') FROM clip_object WHERE clip = $1 LIMIT 1", clip)
    case = await scribe.open_case()
    opened = await scribe.conn.fetchval("SELECT entry_id FROM case_file WHERE case_id = $1", case)
    leads: list[tuple[str, dict[str, object], UUID | None]] = [
        (f"clip:{clip}", {}, clip),
        ("object:" + "c" * 64, {}, clip),
        (f"object:{made}", {}, clip),
        ("object:" + "d" * 64, {}, None),
        ("object:no hex", {}, None),
        (f"entry:{derived.entry_id}", {}, clip),
        (f"entry:{opened}", {}, None),
        ("entry:17", {}, None),
        (f"clip_source:{derived.entry_id}", {"key": {"clip": str(clip)}}, clip),
        ("table:clip", {"key": "clip"}, None),
        ("house", {"clip": "nobody"}, None),
    ]
    for subject, details, expected in leads:
        finding = Finding(codes.ROW_ALTERED, Severity.ERROR, subject, "", details)
        assert await clip_of(scribe.conn, finding) == expected, subject


async def test_r16_observations_are_found_by_code_and_weight(scribe: Scribe) -> None:
    gap, cadence, old, sound = [await scribe.seal() for _ in range(4)]
    observed: list[tuple[UUID, JsonObject]] = [
        (gap, {"high": 1, "notice": 0, "info": 3, "codes": ["bitstream.frame_gap"]}),
        (cadence, {"high": 0, "notice": 2, "info": 0, "codes": ["bitstream.cadence", "timeline.black"]}),
        (old, {"high": 1, "notice": 1, "info": 0}),
        (sound, {"high": 0, "notice": 0, "info": 5, "codes": []}),
    ]
    for clip, continuity in observed:
        await scribe.derive(clip, probe={"continuity": continuity})
    for text, clips in (
        ("findings:continuity", {gap, cadence, old}),
        ("findings:high", {gap, old}),
        ("findings:notice", {cadence, old}),
        ("findings:严重,注意", {gap, cadence, old}),
        ("findings:bitstream.frame_gap", {gap}),
        ("findings:timeline.black,bitstream.frame_gap", {gap, cadence}),
        ("findings:bitstream.cadence findings:timeline.black", {cadence}),
        ("-findings:open", {sound}),
    ):
        assert await _asked(scribe, text) == clips, text


async def test_r16_what_was_noticed_about_a_recorder_is_found_by_code_and_when_it_is_settled(scribe: Scribe) -> None:
    clip = await scribe.seal()
    source = await scribe.conn.fetchrow("SELECT dock, recorder, inventory FROM clip_source WHERE clip = $1", clip)
    assert source is not None
    gone: JsonObject = {"path": "DCIM/later.mp4", "size": 1_000}
    said: list[JsonValue] = [
        {"code": "recorder.file_vanished", "weight": "high", "facts": {"count": 1, "files": [gone]}},
        {"code": "recorder.clock_off", "weight": "notice", "facts": {}},
    ]
    told = {"dock": str(source["dock"]), "recorder": source["recorder"], "inventory": str(source["inventory"])}
    compared = await scribe.write(
        "recorder.compared", f"dock:{source['dock']}", told | {"previous": None, "findings": said}
    )
    for text in ("recorder", "high", "notice", "recorder.file_vanished", "recorder.clock_off", "open"):
        assert await _asked(scribe, f"findings:{text}") == {clip}, text
    assert await _asked(scribe, "findings:recorder.two_docks") == set()
    await scribe.seal(path=gone["path"])
    assert await _asked(scribe, "findings:high") == set(), "what was missing came"
    assert await _asked(scribe, "findings:resolved") == {clip}
    explained = {"finding": str(compared.entry_id), "place": 1, "recorder": source["recorder"], "text": "校时"}
    await scribe.write("recorder.finding_explained", f"finding:{compared.entry_id}", explained)
    assert await _asked(scribe, "findings:open") == set()


UNIT, OTHER = UUID(int=1), UUID(int=2)
MISSING: dict[str, dict[str, object]] = {
    "missing:remark": {"remark": "现场检查"},
    "missing:亮证": {"markers": [{"kind": "credentials_shown", "at_ms": 0}]},
    "缺:告知正在录音录像": {"markers": [{"kind": "recording_announced", "at_ms": 0}]},
    "missing:item": {"item": "现场检查"},
    "missing:dialogue": {"not_needed_because": "空镜"},
}
"""What is asked for as missing (R8, R9 among them), and the annotation that puts an end to it."""


async def test_r8_r9_what_is_missing_is_listed_and_counted_of_what_one_may_see_only(scribe: Scribe) -> None:
    clips = [await scribe.seal() for _ in range(4)]
    for clip, unit in zip(clips, (UNIT, UNIT, OTHER, OTHER), strict=True):
        await scribe.conn.execute(
            """INSERT INTO clip_attribution_version
                   (clip, version, unit, flags, blocked, attributed_at, attributed_by, entry_id)
               VALUES ($1, 1, $2, '{}', false, now(), 'service', $3)""",
            *(clip, unit, scribe.new_id()),
        )
        await scribe.annotate(clip, place="朔州市")
    late = found(codes.OBJECT_ALTERED, "object:" + "a" * 64, "", clip=str(clips[2]))
    await _keep(scribe, late)
    own = Scope(units=frozenset((UNIT,)), classes=frozenset())
    version = 1
    for text, annotation in MISSING.items():
        assert await _listed(scribe, text, own) == set(clips[:2]), text
        await scribe.annotate(clips[0], expected_version=version, **annotation)
        version += 1
        assert await _listed(scribe, text, own) == {clips[1]}, text
        assert await _counted(scribe, text, own) == 1, text
        assert await _counted(scribe, text, Scope(units=None, classes=None)) == 3, text
    await scribe.link(await scribe.open_case(), clips[0])
    assert await _listed(scribe, "missing:case", own) == {clips[1]}
    assert await _listed(scribe, "has:case", own) == {clips[0]}
    assert await _counted(scribe, "has:open-findings", own) == 0, "what is open is another unit's"
    assert await _counted(scribe, "late:no", own) + await _counted(scribe, "late:yes", own) == 2


async def _listed(scribe: Scribe, text: str, scope: Scope) -> set[UUID]:
    page = await list_clips(scribe.conn, ClipQuery(text=text), scope=scope)
    return {item.clip for item in page.items}


async def _counted(scribe: Scribe, text: str, scope: Scope) -> int:
    counted = await count_facets(scribe.conn, ClipQuery(text=text).condition(None, scope), names=["missing"])
    assert not counted.more
    return counted.clips


@pytest.mark.parametrize("text", ["findings:guilty", "finding:bitstream.framegap", "findings:object.", "has:nothing"])
async def test_a_finding_that_there_is_none_of_is_refused(scribe: Scribe, text: str) -> None:
    with pytest.raises(SearchInvalid):
        await _asked(scribe, text)
