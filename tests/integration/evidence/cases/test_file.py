"""Case files: stating, withdrawing, amending, arranging, unlinking; what is refused, and that a replay agrees."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any
from uuid import UUID

import pytest

from evidence.cases.cases import list_exhibits, unlink_clip
from evidence.cases.errors import CaseNotArchived, CaseStale, ExemptionRefused, ExhibitUnknown, StatementRefused
from evidence.cases.facts import CaseFacts
from evidence.cases.file import Amendment, amend, arrange, coverage_of, dossier_of, open_file
from evidence.cases.statements import Place, Section
from evidence.cases.structure import print_structure, structure
from evidence.clips.query import ClipQuery
from evidence.clips.search import list_clips
from evidence.custody.replay import replay
from evidence.errors import CaseInvalid
from evidence.retention.store import clip_facts
from tests.support.case_files import CONCLUDED, activity, exemption, gap, item, item_list, opened, publish, say, text
from tests.support.payloads import STAFF, Scribe

LIST = item_list(item("seizure", mode="full", when="stated"), item("visit", exemptible=True), item("talk"))


async def unlink(scribe: Scribe, case: UUID, exhibit: int, reason: str = "错关联") -> None:
    async with scribe.conn.transaction():
        await unlink_clip(
            scribe.conn,
            case_id=case,
            exhibit=exhibit,
            reason=reason,
            actor=STAFF,
            clock=scribe.clock,
            entropy=scribe.entropy,
        )


async def change(scribe: Scribe, case: UUID, amendment: Amendment, version: int) -> int:
    async with scribe.conn.transaction():
        return await amend(
            scribe.conn,
            case_id=case,
            amendment=amendment,
            expected_version=version,
            actor=STAFF,
            clock=scribe.clock,
            entropy=scribe.entropy,
        )


async def order(scribe: Scribe, case: UUID, sections: list[Section], version: int) -> int:
    async with scribe.conn.transaction():
        return await arrange(
            scribe.conn,
            case_id=case,
            sections=sections,
            expected_version=version,
            actor=STAFF,
            clock=scribe.clock,
            entropy=scribe.entropy,
        )


async def differences(scribe: Scribe) -> list[Any]:
    async with aclosing(replay(scribe.conn)) as found:
        return [one async for one in found]


async def test_r13_an_unlinked_number_stays_used_and_a_clip_comes_back_under_another(scribe: Scribe) -> None:
    case = await opened(scribe)
    clips = [await scribe.seal() for _ in range(3)]
    for clip in clips:
        await scribe.link(case, clip)
    await unlink(scribe, case, 2)
    assert [(one.exhibit, one.clip) for one in await list_exhibits(scribe.conn, case)] == [(1, clips[0]), (3, clips[2])]
    again = await scribe.link(case, clips[1])
    assert (again.exhibit, again.repeated) == (4, False)
    for gone in (2, 5, 0, -1):
        with pytest.raises(ExhibitUnknown):
            await unlink(scribe, case, gone)
    with pytest.raises(CaseInvalid):
        await unlink(scribe, case, 1, reason=" ")
    assert (await dossier_of(scribe.conn, case)).unlinked == {2: "错关联"}
    assert await differences(scribe) == []


async def test_statements_count_until_they_are_withdrawn(scribe: Scribe) -> None:
    await publish(scribe, LIST)
    case = await opened(scribe)
    entry = await say(scribe, case, exemption("visit"))
    await say(scribe, case, activity("seizure", 0, 10))
    await say(scribe, case, gap("seizure", 0, 10))
    found = await coverage_of(scribe.conn, case)
    assert (found.in_state("exempted"), found.missing) == (["visit"], ["seizure", "talk"])
    await say(scribe, case, {"kind": "withdrawal", "entry": str(entry), "reason": "另有录像"})
    assert (await coverage_of(scribe.conn, case)).missing == ["seizure", "visit", "talk"]
    with pytest.raises(StatementRefused):
        await say(scribe, case, {"kind": "withdrawal", "entry": str(entry), "reason": "再撤"})
    await say(scribe, case, CONCLUDED)
    assert (await dossier_of(scribe.conn, case)).state == "concluded"
    assert await differences(scribe) == []


async def test_r4_an_exemption_of_what_is_recorded_in_full_is_refused(scribe: Scribe) -> None:
    await publish(scribe, LIST)
    case = await opened(scribe)
    for key, ground in (("seizure", "text_record"), ("seizure", "not_held"), ("talk", "text_record")):
        with pytest.raises(ExemptionRefused):
            await say(scribe, case, exemption(key, ground))
    await say(scribe, case, exemption("talk", "not_held"))


NOBODY = "00000000-0000-7000-8000-000000000001"


@pytest.mark.parametrize(
    "said",
    [
        {"kind": "document", "document": NOBODY, "name": "笔录", "title": "x"},
        activity("送达", 0, 1) | {"item": "service"},
        gap("service", 0, 1),
        exemption("service", "not_held"),
        {"kind": "argument", "clip": NOBODY, "reference": "x", "reason": "x", "approver": "x"},
        {"kind": "conclusion", "on": "2999-01-01"},
        {"kind": "withdrawal", "entry": NOBODY, "reason": "x"},
    ],
    ids=lambda said: said["kind"],
)
async def test_a_statement_that_names_what_is_not_there_is_refused(scribe: Scribe, said: dict[str, Any]) -> None:
    await publish(scribe, LIST)
    case = await opened(scribe)
    with pytest.raises(StatementRefused):
        await say(scribe, case, said)
    with pytest.raises(CaseNotArchived):
        await say(scribe, case, {"kind": "addendum", "text": "后来知道的"})
    assert not (await dossier_of(scribe.conn, case)).said


async def test_a_title_is_amended_with_its_reason_and_found_under_it(scribe: Scribe) -> None:
    case, clip = await opened(scribe), await scribe.seal()
    await scribe.link(case, clip)
    assert await change(scribe, case, Amendment(reason="当事人更名", title="某集团案"), 1) == 2
    with pytest.raises(CaseStale) as caught:
        await change(scribe, case, Amendment(reason="x", title="y"), 1)
    assert caught.value.details["version"] == 2
    facts = CaseFacts(amount_fen=1)
    assert await change(scribe, case, Amendment(reason="补", facts=facts, handlers=["王五"]), 2) == 3
    file = await open_file(scribe.conn, case)
    assert (file.case.title, file.dossier.title, file.dossier.facts) == ("某集团案", "某集团案", facts)
    assert file.dossier.handlers == ("王五",)
    page = await list_clips(scribe.conn, ClipQuery(text="某集团案"))
    assert [hit.clip for hit in page.items] == [clip]
    for empty in (Amendment(reason="x"), Amendment(reason="", title="y"), Amendment(reason="x", title="\n")):
        with pytest.raises(CaseInvalid):
            await change(scribe, case, empty, 3)
    assert await differences(scribe) == []


async def test_the_file_is_arranged_and_printed(scribe: Scribe) -> None:
    case = await opened(scribe)
    clips = [await scribe.seal() for _ in range(3)]
    for clip in clips:
        await scribe.link(case, clip)
    await scribe.annotate(clips[1], remark="查封现场")
    paper = await scribe.seal(name="笔录.pdf", recorder=None, recorded_at=None)
    await say(
        scribe, case, {"kind": "document", "document": str(paper), "name": "询问笔录", "title": "王某", "number": "3"}
    )
    sections = [
        Section(title="证据材料", places=[Place(exhibit=2), Place(document=paper)]),
        Section(title="其他", places=[Place(exhibit=1)]),
    ]
    assert await order(scribe, case, sections, 1) == 2
    # A document is bound like an exhibit: no schedule lets go of it.
    (facts,) = (await clip_facts(scribe.conn, [paper])).values()
    assert [one["number"] for one in facts.cases] == ["1号"]
    file = await open_file(scribe.conn, case)
    shown = [(one.title, [place.exhibit or place.document for place in one.places]) for one in structure(file)]
    assert shown == [("证据材料", [2, paper]), ("其他", [1]), ("", [3])]
    printed = print_structure(file)
    assert "1号-002" in printed
    assert "询问笔录 王某" in printed
    await unlink(scribe, case, 1)
    assert [len(one.places) for one in structure(await open_file(scribe.conn, case))] == [2, 0, 1]
    for wrong in ([Place(exhibit=1)], [Place(exhibit=3), Place(exhibit=3)], [Place(document=clips[0])]):
        with pytest.raises(StatementRefused):
            await order(scribe, case, [Section(title="x", places=wrong)], 2)
    assert await differences(scribe) == []


async def test_r10_times_of_annotated_and_of_filed_documents_are_compared(scribe: Scribe) -> None:
    await publish(scribe, LIST)
    case = await opened(scribe)
    clip = await scribe.seal(recorded_at=text(5))
    await scribe.derive(clip, probe={"duration_ms": 25 * 60_000})
    await scribe.annotate(clip, remark="询问", item="talk")
    await scribe.link(case, clip)
    paper = await scribe.seal(name="笔录.pdf", recorder=None, recorded_at=None)
    said = {"kind": "document", "document": str(paper), "name": "询问笔录", "title": "王某", "item": "talk"}
    await say(scribe, case, said | {"starts_at": text(0), "ends_at": text(40)})
    (differ,) = (await coverage_of(scribe.conn, case)).times
    assert (differ.start_seconds, differ.end_seconds) == (300, -600)
