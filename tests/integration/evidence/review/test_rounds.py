"""Submissions and opinions on a real database: who, over what, signed, answered; hostile ones outnumber the good."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from evidence.cases.errors import CaseIsArchived
from evidence.clips.parts import read_part
from evidence.errors import CaseUnknown
from evidence.review.adopting import adopt_rules, get_rules
from evidence.review.errors import (
    CorrectionRefused,
    EvidenceChanged,
    KeyMissing,
    NotQualified,
    OpinionRefused,
    RulesBackdated,
    RulesInvalid,
    RulesUnknown,
    SamePerson,
    SignatureInvalid,
    StepRefused,
    SubmissionRefused,
    TransferUnknown,
)
from evidence.review.machine import State
from evidence.review.persons import qualify, state_key
from evidence.review.rounds import answer_request, correct_fact, opine, transfer
from evidence.review.statements import Declaration, Opinion, signature_holds
from evidence.review.submissions import submit
from ledger.lexemes import parse_base64
from tests.support.case_files import CONCLUDED, activity, say
from tests.support.payloads import STAFF, Scribe
from tests.support.reviews import (
    ADMINISTRATOR,
    COORDINATOR,
    HAND,
    OTHER_REVIEWER,
    REVIEWER,
    Chamber,
    heard_case,
    rules,
    signer,
)

STRANGER = signer(0x77)


async def reasons(house: Chamber, case: UUID, **changes: Any) -> list[str]:
    with pytest.raises(SubmissionRefused) as caught:
        await house.submit(case, **changes)
    found: Any = caught.value.details["reasons"]
    return [one["code"] for one in found]


async def test_r5_footage_off_the_list_without_an_argument_blocks_submission(scribe: Scribe, house: Chamber) -> None:
    case, _ = await heard_case(scribe)
    stray = await scribe.seal()
    await scribe.annotate(stray, remark="巡查", item="patrol")
    await scribe.link(case, stray)
    assert await reasons(house, case) == ["argument_missing"]
    argued = {
        "kind": "argument",
        "clip": str(stray),
        "reference": "论证1号",
        "reason": "确有必要",
        "approver": "李主任",
    }
    await say(scribe, case, argued)
    await house.submit(case)


async def test_r6_covert_footage_without_basis_blocks_submission_and_has_a_row_of_its_own(
    scribe: Scribe, house: Chamber
) -> None:
    case, clips = await heard_case(scribe)
    edition = {"edition": 1}
    classified: dict[str, Any] = {"clip": str(clips[0]), "classes": ["covert"], "reason": "隐蔽拍摄", **edition}
    await scribe.write("clip.classified", f"clip:{clips[0]}", classified)
    assert await reasons(house, case) == ["covert_without_basis"]
    covert = {"basis": "某法第十条", "approver": "李主任"}
    await scribe.annotate(clips[0], expected_version=1, remark="暗访", item="visit", covert=covert)
    await house.submit(case)
    rows = [one for one in (await house.opinion(case, REVIEWER))["rows"] if one["row"] != "covert"]
    with pytest.raises(OpinionRefused) as caught:
        await house.opine(case, rows=rows)
    assert caught.value.details["problems"] == ["covert is not judged"]
    await house.opine(case)


async def test_r31_required_materials_are_handed_in(scribe: Scribe, house: Chamber) -> None:
    asked = [
        {"key": "report", "title": "调查终结报告", "required": True},
        {"key": "more", "title": "其他", "required": False},
    ]
    async with scribe.conn.transaction():
        await adopt_rules(
            scribe.conn, rules=rules(materials=asked), effective_from=date(2020, 1, 1), actor=STAFF, **house.tools
        )
    case, _ = await heard_case(scribe)
    assert await reasons(house, case) == ["material_missing"]
    assert await reasons(house, case, materials=[{"key": "report"}]) == ["material_missing"]
    given = [
        {"key": "report", "document": str(uuid4())},
        {"key": "report", "note": "见卷"},
        {"key": "other", "note": "x"},
    ]
    assert await reasons(house, case, materials=given) == ["document_unknown", "material_unknown", "material_unknown"]
    filed = await scribe.seal(name="报告.pdf")
    await say(scribe, case, {"kind": "document", "document": str(filed), "name": "报告", "title": "调查终结报告"})
    await house.submit(case, materials=[{"key": "report", "document": str(filed)}])


@pytest.mark.slow
async def test_a_case_without_evidence_or_that_nobody_knows_is_not_submitted(scribe: Scribe, house: Chamber) -> None:
    case, _ = await heard_case(scribe, exhibits=0)
    assert await reasons(house, case) == ["evidence_missing"]
    said = await house.declaration(case)
    with pytest.raises(CaseUnknown):
        await submit_as(house, said | {"case": str(uuid4())}, HAND)
    archived, _ = await heard_case(scribe, "档1号")
    await say(scribe, archived, CONCLUDED)
    payload: dict[str, Any] = {"case": str(archived), "root": "00" * 32, "manifest": {}}
    await scribe.write("case.archived", f"case:{archived}", payload)
    with pytest.raises(CaseIsArchived):
        await house.submit(archived)


async def submit_as(house: Chamber, said: dict[str, Any], by: Any, signature: bytes | None = None) -> None:
    read = Declaration.model_validate(said)
    signed = by.sign(read.as_json()) if signature is None else signature
    async with house.conn.transaction():
        await submit(house.conn, declaration=read, signature=signed, actor=by.actor, **house.tools)


async def test_r32_the_declaration_is_over_the_root_as_it_stands_and_signed_by_its_person(
    scribe: Scribe, house: Chamber
) -> None:
    case, _ = await heard_case(scribe)
    said = await house.declaration(case)
    for wrong, error in (
        ({"root": "ab" * 32}, EvidenceChanged),
        ({"rules": str(uuid4())}, EvidenceChanged),
        ({"round": 2}, StepRefused),
        ({"by": str(REVIEWER.staff)}, SignatureInvalid),
    ):
        with pytest.raises(error):
            await submit_as(house, said | wrong, HAND)
    with pytest.raises(KeyMissing):
        await submit_as(house, said | {"by": str(STRANGER.staff)}, STRANGER)
    with pytest.raises(SignatureInvalid) as caught:
        await submit_as(house, said, HAND, bytes(64))
    forged = REVIEWER.sign(Declaration.model_validate(said).as_json())
    with pytest.raises(SignatureInvalid):
        await submit_as(house, said, HAND, forged)
    # What the refusal shows is what has to be signed.
    text: Any = caught.value.details["signed"]
    await submit_as(house, said, HAND, HAND.key.sign(text.encode()))
    with pytest.raises(StepRefused):
        await house.submit(case)


async def test_r32_signatures_verify_without_the_house(scribe: Scribe, house: Chamber) -> None:
    case, _ = await heard_case(scribe)
    await house.submit(case)
    await house.opine(case)
    for step in (await house.standing(case)).review.rounds[0].submission, (await house.standing(case)).review.last:
        assert step is not None
        content: Any = step.content
        key, signature = parse_base64(content["key"]), parse_base64(content["signature"])
        assert signature_holds(content["statement"], key=key, signature=signature)
        for field, other in (("case", str(uuid4())), ("root", "cd" * 32), ("round", 7)):
            assert not signature_holds({**content["statement"], field: other}, key=key, signature=signature)


async def opine_as(house: Chamber, said: dict[str, Any], by: Any, signature: bytes | None = None) -> None:
    read = Opinion.model_validate(said)
    signed = by.sign(read.as_json()) if signature is None else signature
    async with house.conn.transaction():
        await opine(house.conn, opinion=read, signature=signed, actor=by.actor, **house.tools)


async def test_r32_nobody_reviews_what_they_worked_on(scribe: Scribe, house: Chamber) -> None:
    """Also where one person has both roles, a key and a qualification."""
    await house.qualify(HAND)
    case, _ = await heard_case(scribe)
    await house.submit(case)
    with pytest.raises(SamePerson):
        await house.opine(case, HAND)
    with pytest.raises(SamePerson):
        await house.pause(case, HAND)
    said = await house.opinion(case, REVIEWER)
    read = Opinion.model_validate(said)
    async with scribe.conn.transaction():
        with pytest.raises(SamePerson):
            await opine(house.conn, opinion=read, signature=bytes(64), actor="service", **house.tools)


async def test_r33_an_unqualified_reviewer_gives_no_opinion(scribe: Scribe, house: Chamber) -> None:
    case, _ = await heard_case(scribe)
    await house.submit(case)
    await house.give_key(STRANGER)
    with pytest.raises(NotQualified):
        await house.opine(case, STRANGER)
    await house.qualify(STRANGER, until=date(2026, 3, 1))
    with pytest.raises(NotQualified) as caught:
        await house.opine(case, STRANGER)
    assert caught.value.details["valid_until"] == "2026-03-01"
    await house.qualify(STRANGER, until=date(2026, 3, 2))
    await house.opine(case, STRANGER)
    more: dict[str, Any] = {"valid_from": date(2020, 1, 1), "valid_until": date(2030, 1, 1), "source": "x"}
    async with scribe.conn.transaction():
        with pytest.raises(SamePerson):
            await qualify(
                scribe.conn, staff=COORDINATOR.staff, certificate="A", actor=COORDINATOR.actor, **more, **house.tools
            )


async def test_r27_an_opinion_with_a_blank_row_or_a_contradiction_is_refused(scribe: Scribe, house: Chamber) -> None:
    case, _ = await heard_case(scribe)
    await house.submit(case)
    named = {"row": "facts", "text": "不清"}
    cases: list[tuple[dict[str, Any], str]] = [
        ({"rows": []}, "facts is not judged"),
        ({"conclusion": "problems"}, "an opinion that there are problems names them"),
        ({"problems": [{"problem": 1, **named}]}, "a problem names facts"),
        ({"problems": [{"problem": 2, **named}]}, "problems are numbered from 1"),
        ({"rows": [{"row": "facts", "verdict": "problem", "note": "不清", "evidence": []}]}, "facts is a problem that"),
        ({"rows": [{"row": "mood", "verdict": "ok", "note": "好", "evidence": []}] * 2}, "mood is judged twice"),
    ]
    for changes, problem in cases:
        with pytest.raises(OpinionRefused) as caught:
            await house.opine(case, **changes)
        found: Any = caught.value.details["problems"]
        assert any(one.startswith(problem) for one in found), problem


async def test_r28_an_opinion_is_never_changed_and_never_used_again(scribe: Scribe, house: Chamber) -> None:
    case, clips = await heard_case(scribe)
    other, _ = await heard_case(scribe, "10号")
    for one in (case, other):
        await house.submit(one)
    said = await house.opinion(case, REVIEWER)
    signed = REVIEWER.sign(Opinion.model_validate(said).as_json())
    with pytest.raises(SignatureInvalid):
        await opine_as(house, said, REVIEWER, bytes(64))
    with pytest.raises(SignatureInvalid):
        await opine_as(house, said, OTHER_REVIEWER)
    # Another case, under the same signature or with fields of its own.
    with pytest.raises(OpinionRefused):
        await opine_as(house, said | {"case": str(other)}, REVIEWER, signed)
    right = await house.opinion(other, REVIEWER)
    with pytest.raises(SignatureInvalid):
        await opine_as(house, right, REVIEWER, signed)
    await opine_as(house, said, REVIEWER, signed)
    with pytest.raises(StepRefused):
        await opine_as(house, said, REVIEWER, signed)
    # Another root, in the next round.
    await scribe.annotate(clips[0], expected_version=1, remark="改过", item="visit")
    await house.submit(case)
    with pytest.raises(OpinionRefused):
        await opine_as(house, said, REVIEWER, signed)
    await scribe.annotate(clips[0], expected_version=2, remark="又改", item="visit")
    with pytest.raises(EvidenceChanged) as caught:
        await house.opine(case)
    changes: Any = caught.value.details["changes"]
    assert [(one["what"], one["key"]) for one in changes] == [("exhibits", "1")]


async def test_r29_each_problem_is_answered_and_the_difference_is_shown(scribe: Scribe, house: Chamber) -> None:
    case, _ = await heard_case(scribe)
    await house.submit(case)
    await house.opine(case, bad={"facts": "不清", "law": "不准"})
    assert await reasons(house, case, answers=[{"problem": 2, "answer": "已改"}]) == ["problem_unanswered"]
    strange = [{"problem": number, "answer": "已改"} for number in (1, 2, 2, 3)]
    assert await reasons(house, case, answers=strange) == ["answer_without_problem"] * 2
    await say(scribe, case, activity("visit", 0, 1))
    changed = (await house.standing(case)).verdict.changes
    assert ("statements", "added") in {(one["what"], one["change"]) for one in changed}
    await house.submit(case)
    assert (await house.standing(case)).review.rounds[1].owed == (1, 2)


async def test_r30_who_disagrees_waits_for_a_third_persons_outcome(scribe: Scribe, house: Chamber) -> None:
    case, _ = await heard_case(scribe)
    await house.submit(case)
    await house.opine(case, bad={"facts": "不清"})
    for wrong in (HAND, REVIEWER):
        with pytest.raises(SamePerson):
            await house.disagree(case, wrong)
    await house.disagree(case)
    with pytest.raises(StepRefused):
        await house.submit(case)
    for wrong in (HAND, REVIEWER, STRANGER):
        with pytest.raises(SamePerson):
            await house.coordinate(case, "reopen", wrong)
    await house.coordinate(case, "uphold")
    assert await reasons(house, case, answers=[]) == ["problem_unanswered"]
    await house.disagree(case)
    await house.coordinate(case, "reopen")
    await house.submit(case, answers=[])
    assert (await house.standing(case)).review.state is State.UNDER_REVIEW


async def test_r31_supplements_in_words_or_as_evidence(scribe: Scribe, house: Chamber) -> None:
    case, _ = await heard_case(scribe)
    more: dict[str, Any] = {"answer": "无其他送达", "actor": HAND.actor, **house.tools}
    async with scribe.conn.transaction():
        with pytest.raises(StepRefused):
            await answer_request(scribe.conn, case_id=case, **more)
    await house.submit(case)
    await house.pause(case)
    with pytest.raises(StepRefused):
        await house.opine(case)
    async with scribe.conn.transaction():
        await answer_request(scribe.conn, case_id=case, **more)
    await house.pause(case)
    await say(scribe, case, activity("visit", 0, 1))
    async with scribe.conn.transaction():
        with pytest.raises(EvidenceChanged):
            await answer_request(scribe.conn, case_id=case, **more)
    await house.submit(case)
    pauses = (await house.standing(case)).review.rounds[0].pauses
    assert len(pauses) == 2
    assert all(end is not None and end > start for start, end in pauses)


async def test_r26_a_hearing_is_corrected_by_a_reviewer_never_by_the_handler(scribe: Scribe, house: Chamber) -> None:
    await house.qualify(HAND)
    case, _ = await heard_case(scribe)
    more: dict[str, Any] = {"case_id": case, "reason": "误录", **house.tools}
    async with scribe.conn.transaction():
        with pytest.raises(SamePerson):
            await correct_fact(scribe.conn, fact="hearing_held", value=False, actor=HAND.actor, **more)
    async with scribe.conn.transaction():
        for fact, value in (("complex", True), ("hearing_held", "maybe"), ("weather", True)):
            with pytest.raises(CorrectionRefused):
                await correct_fact(scribe.conn, fact=fact, value=value, actor=REVIEWER.actor, **more)
    assert (await house.standing(case)).scope.in_scope
    async with scribe.conn.transaction():
        await correct_fact(scribe.conn, fact="hearing_held", value=False, actor=REVIEWER.actor, **more)
    assert not (await house.standing(case)).scope.in_scope
    await house.decide(case)


async def test_r27_a_finding_of_crime_opens_a_task_of_transfer(scribe: Scribe, house: Chamber) -> None:
    case, _ = await heard_case(scribe)
    await house.submit(case)
    said = await house.opinion(case, REVIEWER)
    for one in said["rows"]:
        one["verdict"] = "transfer" if one["row"] == "crime" else "ok"
    await opine_as(house, said, REVIEWER)
    task = (await house.standing(case)).review.transfers[0].entry_id
    done: dict[str, Any] = {"to": "某公安局", "number": "移字1号", "note": None, "actor": HAND.actor, **house.tools}
    async with scribe.conn.transaction():
        with pytest.raises(TransferUnknown):
            await transfer(scribe.conn, case_id=case, opinion=uuid4(), **done)
    async with scribe.conn.transaction():
        await transfer(scribe.conn, case_id=case, opinion=task, **done)
    assert (await house.standing(case)).review.transfers == ()
    said["rows"][0]["verdict"] = "transfer"
    other, _ = await heard_case(scribe, "10号")
    await house.submit(other)
    with pytest.raises(OpinionRefused):
        await house.opine(other, rows=said["rows"])


@pytest.mark.slow
async def test_keys_are_proved_and_older_ones_go_on_verifying(scribe: Scribe, house: Chamber) -> None:
    async with scribe.conn.transaction():
        with pytest.raises(SignatureInvalid):
            await state_key(
                scribe.conn, staff=REVIEWER.staff, key=STRANGER.public, proof=REVIEWER.proof(), **house.tools
            )
    case, _ = await heard_case(scribe)
    await house.submit(case)
    await house.opine(case)
    renewed = signer(0xE7, REVIEWER.staff)
    await house.give_key(renewed)
    assert (await house.standing(case)).verdict.is_open
    other, _ = await heard_case(scribe, "10号")
    await house.submit(other)
    with pytest.raises(SignatureInvalid):
        await house.opine(other, REVIEWER)
    await house.opine(other, renewed)


@pytest.mark.slow
async def test_rules_follow_each_other(scribe: Scribe, house: Chamber) -> None:
    more: dict[str, Any] = {"actor": ADMINISTRATOR, **house.tools}
    async with scribe.conn.transaction():
        with pytest.raises(RulesBackdated):
            await adopt_rules(scribe.conn, rules=rules(), effective_from=date(2019, 1, 1), **more)
    with pytest.raises(RulesUnknown):
        await get_rules(scribe.conn, uuid4())
    with pytest.raises(RulesInvalid):
        read_part({}, type(rules()), what="rules", refused=RulesInvalid)
    case, _ = await heard_case(scribe)
    assert (await house.standing(case)).rules.version == 1
    async with scribe.conn.transaction():
        await adopt_rules(scribe.conn, rules=rules(), effective_from=date(2026, 3, 2), **more)
        await adopt_rules(scribe.conn, rules=rules(), effective_from=date(2026, 3, 3), **more)
    assert (await house.standing(case)).rules.version == 2
