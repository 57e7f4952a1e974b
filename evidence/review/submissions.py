"""Submitting a case to review: what is checked, and all that stands against it (R5, R6, R29, R31, R32).

The whole of it happens in one transaction that holds the case's evidence still (`standing.hold_still`): the declaration
is over the root that the case has at the entry's place in the log.

    crash before the commit     nothing was submitted
    crash after it              it is; asked again with the same key of idempotency it is the same answer, without one
                                it is refused, because a case under review is not submitted again unchanged
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from evidence.cases.cases import require_open
from evidence.cases.statement_store import blocked_among
from evidence.core.clock import Clock, Entropy
from evidence.custody.record import Recorded
from evidence.db.pool import Connection
from evidence.review.errors import EvidenceChanged, SignatureInvalid, StepRefused, SubmissionRefused
from evidence.review.machine import SUBMITTED_AGAIN_IF_CHANGED, Move, after
from evidence.review.persons import key_of
from evidence.review.standing import Standing, hold_still
from evidence.review.statements import Declaration, check_signature
from evidence.review.steps import record_step, require_undecided, staff_of
from ledger.canonical import JsonObject
from ledger.lexemes import format_base64

REASONS: Mapping[str, str] = MappingProxyType(
    {
        "evidence_missing": "the case has neither exhibits nor documents",
        "material_missing": "a required material is not handed in",
        "material_unknown": "the rules ask for no such material, or it is handed in twice",
        "document_unknown": "the document is none of the case",
        "argument_missing": "the footage is off the list and has no 合法性论证",
        "covert_without_basis": "the footage was recorded covertly, and nobody states basis and approver",
        "attribution_blocked": "the clip is blocked until somebody says whose it is",
        "problem_unanswered": "a problem of the last opinion has no answer",
        "answer_without_problem": "the last opinion has no such problem to answer, or it is answered twice",
    }
)
"""Code -> why a case cannot be submitted like this."""

_REASONS_SHOWN = 500


async def submit(
    conn: Connection, *, declaration: Declaration, signature: bytes, actor: str, clock: Clock, entropy: Entropy
) -> Recorded:
    """Submit a case as it stands, in the caller's transaction.

    Args:
        signature: 64 bytes, by the handler's key over the declaration.

    Raises:
        CaseUnknown, CaseIsArchived, RulesUnknown: There is no such case, it changes no more, nobody can judge it.
        DecisionMade: It is decided.
        StepRefused: The review is not where this can be done, or nothing changed since the last submission.
        EvidenceChanged: The declaration is over another root than the case has now, or under other rules.
        KeyMissing, SignatureInvalid: The handler has no key, or it did not sign this.
        SubmissionRefused: Something stands against it; `details["reasons"]` lists everything.
        ClockBehind: The clock was set back.
    """
    standing = await hold_still(conn, declaration.case, clock())
    review = standing.review
    await require_open(conn, declaration.case)
    await require_undecided(conn, declaration.case)
    after(review.state, Move.SUBMIT)
    if review.round is not None and review.state in SUBMITTED_AGAIN_IF_CHANGED and standing.root == review.round.root:
        raise StepRefused("nothing changed since the last submission", state=str(review.state))
    _check_statement(declaration, standing, actor)
    key = await key_of(conn, declaration.by)
    check_signature(declaration.as_json(), key=key, signature=signature)
    blocked = await blocked_among(conn, [one.clip for one in standing.file.footage])
    against = list(_reasons(declaration, standing))
    against += [
        _reason("attribution_blocked", exhibit=one.exhibit, clip=str(one.clip))
        for one in standing.file.footage
        if one.clip in blocked
    ]
    if against:
        raise SubmissionRefused(
            f"{len(against)} things stand against submitting, first: {against[0]['means']}",
            count=len(against),
            reasons=against[:_REASONS_SHOWN],
        )
    more: JsonObject = {
        "statement": declaration.as_json(),
        "manifest": standing.manifest,
        "key": format_base64(key),
        "signature": format_base64(signature),
    }
    return await record_step(conn, standing, "review.submitted", more, actor=actor, clock=clock, entropy=entropy)


def submission_reasons(standing: Standing) -> list[JsonObject]:
    """Return what stands against submitting a case whatever is declared: its footage, not the declaration."""
    return list(_of_evidence(standing))


def _check_statement(declaration: Declaration, standing: Standing, actor: str) -> None:
    expected = len(standing.review.rounds) + 1
    if declaration.by != staff_of(actor):
        raise SignatureInvalid("the declaration names another person than the one who submits")
    if declaration.round != expected:
        raise StepRefused(f"the next round is {expected}, not {declaration.round}", round=expected)
    if declaration.root != standing.root or declaration.rules != standing.rules.rules:
        raise EvidenceChanged(
            "the declaration is over another root than the case has now, or under other rules",
            root=standing.root.hex(),
            rules=str(standing.rules.rules),
            changes=list(standing.verdict.changes)[:_REASONS_SHOWN],
        )


def _reasons(declaration: Declaration, standing: Standing) -> Iterator[JsonObject]:
    yield from _of_evidence(standing)
    asked = {one.key: one for one in standing.rules.content.materials}
    given = [one.key for one in declaration.materials]
    documents = {said.document for said in standing.file.dossier.documents}
    for material in asked.values():
        if material.required and material.key not in given:
            yield _reason("material_missing", material=material.key, title=material.title)
    for place, one in enumerate(declaration.materials):
        if one.key not in asked or one.key in given[:place]:
            yield _reason("material_unknown", material=one.key)
        if one.document is not None and one.document not in documents:
            yield _reason("document_unknown", material=one.key, document=str(one.document))
        if one.document is None and one.note is None and one.key in asked and asked[one.key].required:
            yield _reason("material_missing", material=one.key, title=asked[one.key].title)
    owed, answered = standing.review.owed, [one.problem for one in declaration.answers]
    for problem in owed:
        if problem not in answered:
            yield _reason("problem_unanswered", problem=problem)
    for place, answer in enumerate(answered):
        if answer not in owed or answer in answered[:place]:
            yield _reason("answer_without_problem", problem=answer)


def _of_evidence(standing: Standing) -> Iterator[JsonObject]:
    file = standing.file
    if not file.footage and not file.dossier.documents:
        yield _reason("evidence_missing")
    for stray in file.coverage.off_list:
        if stray.argument is None:
            yield _reason("argument_missing", exhibit=stray.exhibit, clip=str(stray.clip), item=stray.item)
    for one in standing.covert:
        if not one.based:
            yield _reason("covert_without_basis", exhibit=one.exhibit, clip=str(one.clip))


def _reason(code: str, **about: str | int) -> JsonObject:
    return {"code": code, "means": REASONS[code], **about}
