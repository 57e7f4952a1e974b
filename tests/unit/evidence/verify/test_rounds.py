"""Rounds of legal review judged as values: lists that somebody edited, and logs that say false things."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from evidence.core.wire.case_manifest import manifest_root
from evidence.core.wire.receipt import Receipt, format_receipt
from evidence.verify.rounds import judge_rounds
from evidence.verify.rounds_reading import REVIEW_BYTES_MAX
from ledger.canonical import decode_entry
from ledger.findings import Finding
from ledger.lexemes import format_base64
from ledger.policy import Policy
from ledger.proof import parse_proof
from tests.support.paper_log import AT, PaperLog
from tests.support.reviews import ADMINISTRATOR, DECIDER, HAND, OTHER_REVIEWER, REVIEWER, Signer
from tests.unit.evidence.verify.test_archived import CASE, MANIFEST

OTHER_CASE = str(UUID(int=8))
FIRST, SECOND = (MANIFEST | {"title": title} for title in ("送审", "补正"))
ROOTS = tuple(manifest_root(manifest).hex() for manifest in (FIRST, SECOND))
GOOD = [
    "rounds.declared",
    "rounds.objected",
    "rounds.declared",
    "rounds.approved",
    "rounds.decided",
    "rounds.revoked",
]

Change = Callable[[dict[str, Any]], object]


@dataclass(frozen=True)
class Act:
    """One entry in the making; what is signed is signed after the changes."""

    kind: str
    by: str
    content: dict[str, Any]
    key: Signer | None = None
    late: timedelta = timedelta()


def key_of(person: Signer, number: int = 1, *, staff: Signer | None = None) -> Act:
    owner = staff or person
    proof = person.sign(
        {"format": "shilu-person-key/1", "key": format_base64(person.public), "staff": str(owner.staff)}
    )
    stated = {"staff": str(owner.staff), "number": number, "key": format_base64(person.public)}
    return Act("person.key_stated", owner.actor, stated | {"proof": format_base64(proof)})


def qualified(person: Signer, until: str = "2099-01-01", number: int = 1) -> Act:
    stated = {"staff": str(person.staff), "number": number, "certificate": "A", "source": "聘任文件"}
    return Act("reviewer.qualified", ADMINISTRATOR, stated | {"valid_from": "2020-01-01", "valid_until": until})


def statement(kind: str, person: Signer, number: int, **more: Any) -> dict[str, Any]:
    named = {"format": f"shilu-review-{kind}/1", "case": CASE, "round": number, "root": ROOTS[number - 1]}
    return {**named, "by": str(person.staff), **more}


def submitted(number: int, step: int, manifest: Mapping[str, Any]) -> Act:
    said = {"case": CASE, "step": step, "manifest": dict(manifest), "statement": statement("declaration", HAND, number)}
    return Act("review.submitted", HAND.actor, said, key=HAND)


def opined(number: int, step: int, conclusion: str, person: Signer = REVIEWER) -> Act:
    said = statement("opinion", person, number, conclusion=conclusion, submission=f"submission of {number}")
    return Act(
        "review.opined", person.actor, {"case": CASE, "step": step, "number": f"意{number}", "statement": said}, person
    )


def acts() -> dict[str, Act]:
    """Return a review of two rounds, its decision and the end of that, in the order of the log."""
    decided = {"case": CASE, "decision": "d", "number": "罚1号", "root": ROOTS[1], "approval": "opinion of 2"}
    ended = {
        "case": CASE,
        "decision": "d",
        "number": 1,
        "effect": "revoked",
        "document": "复决3号",
        "authority": "市政府",
    }
    return {
        "hand": key_of(HAND),
        "key": key_of(REVIEWER),
        "qualified": qualified(REVIEWER),
        "submitted1": submitted(1, 1, FIRST),
        "opined1": opined(1, 2, "problems"),
        "submitted2": submitted(2, 3, SECOND),
        "opined2": opined(2, 4, "approve"),
        "decided": Act("case.decided", DECIDER.actor, decided | {"scope": {"in_scope": True}}),
        "revoked": Act("decision.revoked", DECIDER.actor, ended | {"on": "2026-11-21"}),
    }


def logged(acts: Iterable[Act], *, subject: str = f"case:{CASE}") -> tuple[PaperLog, list[Receipt]]:
    """Put acts into a log; every signature is made over what is said then, names of entries are filled in."""
    log, receipts, ids = PaperLog(), list[Receipt](), dict[str, str]()
    for act in acts:
        said, signed = dict(act.content), act.content.get("statement")
        if isinstance(signed, dict):
            signed = signed | {name: ids.get(value, value) for name, value in signed.items() if name == "submission"}
            said |= {"statement": signed}
        if act.key is not None and isinstance(signed, dict):
            key = said.get("key", format_base64(act.key.public))
            said |= {"key": key, "signature": format_base64(act.key.sign(signed))}
        if isinstance(said.get("approval"), str):
            said["approval"] = ids.get(said["approval"], said["approval"])
        about = f"staff:{said['staff']}" if "staff" in said else subject
        receipt = log.record(said, kind=act.kind, subject=about, actor=act.by, at=AT + act.late)
        receipts.append(receipt)
        if isinstance(signed, dict):
            name = "submission" if act.kind == "review.submitted" else "opinion"
            ids[f"{name} of {signed['round']}"] = str(decode_entry(receipt.entry).id)
    return log, [replace(one, proof=log.prove(parse_proof(one.proof).index)) for one in receipts]


def judged(log: PaperLog, raw: bytes, *, case: str | None = CASE) -> list[Finding]:
    policy = Policy.parse(f"log {log.signer.verifier.vkey}\nquorum none\n")
    return judge_rounds(raw, policy=policy, subject="package:p", stated_case=case)


def codes(found: Iterable[Finding]) -> list[str]:
    return [one.code for one in found]


def joined(receipts: Iterable[Receipt]) -> bytes:
    return b"".join(map(format_receipt, receipts))


@pytest.fixture(scope="module")
def review() -> tuple[PaperLog, list[Receipt]]:
    return logged(acts().values())


def test_r32_rounds_opinions_and_decision_verify_without_the_house(review: tuple[PaperLog, list[Receipt]]) -> None:
    log, receipts = review
    found = judged(log, joined(receipts))
    assert codes(found) == GOOD
    assert found[3].details["by"] == REVIEWER.actor
    assert "撤销" in str(found[-1].details["effect_zh"])


def test_every_prefix_of_the_list_is_consistent_and_never_says_more(review: tuple[PaperLog, list[Receipt]]) -> None:
    log, receipts = review
    for count in range(4, len(receipts)):
        assert codes(judged(log, joined(receipts[:count]))) == GOOD[: count - 3]


@pytest.mark.parametrize(
    ("left_out", "expected"),
    [
        ("hand", "rounds.signature_invalid"),
        ("key", "rounds.signature_invalid"),
        ("qualified", "rounds.not_qualified"),
        ("submitted1", "rounds.entry_missing"),
        ("opined1", "rounds.entry_missing"),
        ("submitted2", "rounds.entry_missing"),
        ("opined2", "rounds.decision_unapproved"),
        ("decided", "rounds.entry_missing"),
    ],
)
def test_a_missing_receipt(review: tuple[PaperLog, list[Receipt]], left_out: str, expected: str) -> None:
    log, receipts = review
    place = list(acts()).index(left_out)
    assert expected in codes(judged(log, joined(receipts[:place] + receipts[place + 1 :])))


def test_lists_that_were_cut_doubled_or_turned(review: tuple[PaperLog, list[Receipt]]) -> None:
    log, receipts = review
    raw = joined(receipts)
    for cut in (b"", raw[:1], raw[:-1], raw[: len(raw) // 2], raw + b"\n", raw[raw.index(b"\n") + 1 :]):
        assert codes(judged(log, cut)) == ["rounds.malformed"]
    assert codes(judged(log, bytes(REVIEW_BYTES_MAX + 1))) == ["rounds.malformed"]
    for place in range(len(receipts)):
        doubled = [*receipts[: place + 1], *receipts[place:]]
        assert codes(judged(log, joined(doubled))) == ["rounds.out_of_order"]
    opinions_swapped = [*receipts[:4], receipts[6], receipts[5], receipts[4], *receipts[7:]]
    assert set(codes(judged(log, joined(opinions_swapped)))) == {"rounds.out_of_order"}


def test_bytes_that_are_not_those_on_record(review: tuple[PaperLog, list[Receipt]]) -> None:
    log, receipts = review
    for place, one in enumerate(receipts):
        edited = replace(
            one, payload=one.payload.replace(b'"number"', b'"numbes"').replace("送审".encode(), "伪造".encode())
        )
        if edited != one:
            assert codes(judged(log, joined([*receipts[:place], edited, *receipts[place + 1 :]]))) == [
                "rounds.malformed"
            ]
    older = replace(receipts[0], proof=logged(list(acts().values())[:1])[1][0].proof)
    assert "rounds.not_proved" in codes(judged(log, joined([older, *receipts[1:]])))
    stranger = PaperLog(signer=log.signer.generate("other.example/log", lambda count: bytes(count)))
    assert set(codes(judged(stranger, joined(receipts)))) == {"rounds.not_proved"}


def test_another_case() -> None:
    log, receipts = logged(acts().values())
    assert set(codes(judged(log, joined(receipts), case=OTHER_CASE))) == {"rounds.other_case"}
    assert set(codes(judged(log, joined(receipts), case=None))) == {"rounds.other_case"}
    log, receipts = logged(acts().values(), subject=f"case:{OTHER_CASE}")
    assert set(codes(judged(log, joined(receipts)))) == {"rounds.other_case"}


def signed(name: str, **changes: Any) -> Callable[[dict[str, Act]], object]:
    """Return what changes a statement before it is signed."""
    return lambda known: known[name].content["statement"].update(changes)


def said(name: str, **changes: Any) -> Callable[[dict[str, Act]], object]:
    return lambda known: known[name].content.update(changes)


def put(name: str, **changes: Any) -> Callable[[dict[str, Act]], object]:
    return lambda known: known.update({name: replace(known[name], **changes)})


def between(before: str, act: Act) -> Callable[[dict[str, Act]], object]:
    """Return what puts one more entry into the log before another."""

    def change(known: dict[str, Act]) -> None:
        kept = dict(known)
        known.clear()
        for name, one in kept.items():
            if name == before:
                known["more"] = act
            known[name] = one

    return change


LIES: list[tuple[str, Callable[[dict[str, Act]], object], str]] = [
    ("opinion of another round", signed("opined2", round=1), "rounds.other_round"),
    ("opinion on another submission", signed("opined2", submission="submission of 1"), "rounds.other_round"),
    ("opinion of another case", signed("opined2", case=OTHER_CASE), "rounds.other_round"),
    ("opinion over another root", signed("opined2", root=ROOTS[0]), "rounds.root_differs"),
    ("opinion that is a declaration", signed("opined2", format="shilu-review-declaration/1"), "rounds.other_round"),
    ("opinion in another's name", signed("opined2", by=str(OTHER_REVIEWER.staff)), "rounds.signature_invalid"),
    ("opinion recorded by another", put("opined2", by=OTHER_REVIEWER.actor), "rounds.signature_invalid"),
    ("opinion by another's key", put("opined2", key=OTHER_REVIEWER), "rounds.signature_invalid"),
    ("key said to be theirs", said("opined2", key=format_base64(HAND.public)), "rounds.signature_invalid"),
    ("declaration of another case", signed("submitted2", case=OTHER_CASE), "rounds.other_round"),
    ("declaration of another round", signed("submitted2", round=1), "rounds.other_round"),
    ("declaration over another root", signed("submitted2", root=ROOTS[0]), "rounds.root_differs"),
    ("declaration by another's key", put("submitted2", key=REVIEWER), "rounds.signature_invalid"),
    ("edited manifest", said("submitted2", manifest=SECOND | {"title": "改"}), "rounds.root_differs"),
    ("manifest of another case", said("submitted2", manifest=SECOND | {"case": OTHER_CASE}), "rounds.root_differs"),
    (
        "the key was replaced before",
        between("opined2", key_of(OTHER_REVIEWER, 2, staff=REVIEWER)),
        "rounds.signature_invalid",
    ),
    ("a key without proof", said("key", proof=format_base64(bytes(64))), "rounds.signature_invalid"),
    ("expired that day", said("qualified", valid_until="2026-11-20"), "rounds.not_qualified"),
    ("not valid yet", said("qualified", valid_from="2026-11-22"), "rounds.not_qualified"),
    ("ended before", between("opined2", qualified(REVIEWER, "2026-01-01", 2)), "rounds.not_qualified"),
    ("expired at midnight in Beijing", put("opined2", late=timedelta(days=36500)), "rounds.not_qualified"),
    ("qualified by themselves", put("qualified", by=REVIEWER.actor), "rounds.same_person"),
    ("a step left out", said("opined2", step=5), "rounds.entry_missing"),
    ("rests on an older opinion", said("decided", approval="opinion of 1"), "rounds.decision_unapproved"),
    ("rests on nothing", said("decided", approval=None), "rounds.decision_unapproved"),
    ("another root decided", said("decided", root=ROOTS[0]), "rounds.decision_unapproved"),
    ("rests on an objection", signed("opined2", conclusion="problems"), "rounds.decision_unapproved"),
    ("decided by whoever approved", put("decided", by=REVIEWER.actor), "rounds.same_person"),
    ("revocation of another decision", said("revoked", decision="e"), "rounds.entry_missing"),
    ("a revocation left out", said("revoked", number=2), "rounds.entry_missing"),
    ("something else", put("revoked", kind="clip.sealed"), "rounds.strange"),
    ("a truth value for a number", said("revoked", number=True), "rounds.entry_missing"),
]


@pytest.mark.parametrize(("change", "expected"), [one[1:] for one in LIES], ids=[one[0] for one in LIES])
def test_a_log_that_says_false_things(change: Callable[[dict[str, Act]], object], expected: str) -> None:
    known = acts()
    change(known)
    log, receipts = logged(known.values())
    found = codes(judged(log, joined(receipts)))
    assert expected in found
    assert "rounds.decided" not in found or expected in {"rounds.entry_missing", "rounds.strange", "rounds.same_person"}


def test_a_manifest_of_another_case_with_its_own_root() -> None:
    strange = SECOND | {"case": OTHER_CASE}
    known, root = acts(), manifest_root(strange).hex()
    known["submitted2"].content["manifest"] = strange
    for name in ("submitted2", "opined2"):
        known[name].content["statement"]["root"] = root
    known["decided"].content["root"] = root
    log, receipts = logged(known.values())
    expected = [*GOOD[:2], "rounds.other_round", "rounds.approved", "rounds.decision_unapproved", "rounds.revoked"]
    assert codes(judged(log, joined(receipts))) == expected


def test_a_handler_does_not_review() -> None:
    known = acts()
    known["opined2"] = opined(2, 4, "approve", HAND)
    log, receipts = logged([qualified(HAND), *known.values()])
    assert codes(judged(log, joined(receipts)))[-3:] == [
        "rounds.same_person",
        "rounds.decision_unapproved",
        "rounds.revoked",
    ]


def test_a_decision_that_needed_no_review() -> None:
    decided = acts()["decided"].content | {"approval": None, "scope": {"in_scope": False}}
    log, receipts = logged([Act("case.decided", DECIDER.actor, decided)])
    assert codes(judged(log, joined(receipts))) == ["rounds.decided_unreviewed"]


@pytest.mark.parametrize("name", ["key", "qualified", "submitted1", "opined1", "decided", "revoked"])
def test_payloads_of_another_form(name: str) -> None:
    for field, value in itertools.product(acts()[name].content, (None, 5, "x")):
        known = acts()
        known[name].content[field] = value
        log, receipts = logged(known.values())
        assert isinstance(judged(log, joined(receipts)), list)
