"""What happens to a submission: opinion, supplements, disagreement and its coordination, corrections, transfers.

Each is one step, one entry, in one transaction that holds the case's evidence still. Nobody judges what they worked on,
nobody gives an opinion without a qualification that is valid that day, and what was given is never changed: another
opinion takes another round (R28).

    crash before the commit     nothing happened; the number of an opinion goes to the next one
    crash after it              it is on record; asked again it is refused as out of its place, or answered as before
                                where the request had a key of idempotency
"""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import ValidationError

from evidence.cases.facts import CaseFacts
from evidence.cases.items import day_of
from evidence.core.clock import Clock, Entropy
from evidence.custody.record import Recorded
from evidence.db.locks import lock_subject
from evidence.db.pool import Connection
from evidence.review.adopting import get_rules
from evidence.review.errors import (
    CorrectionRefused,
    EvidenceChanged,
    OpinionRefused,
    SamePerson,
    SignatureInvalid,
    StepRefused,
    TransferUnknown,
)
from evidence.review.machine import Move, Round, after
from evidence.review.persons import key_of, require_qualified
from evidence.review.rules import FactValue
from evidence.review.standing import Standing, hold_still
from evidence.review.statements import Opinion, check_opinion, check_signature
from evidence.review.steps import record_step, require_undecided, require_uninvolved, staff_of
from evidence.review.store import last_sequence
from ledger.canonical import JsonObject
from ledger.lexemes import format_base64


async def opine(
    conn: Connection, *, opinion: Opinion, signature: bytes, actor: str, clock: Clock, entropy: Entropy
) -> tuple[str, Recorded]:
    """Put a written opinion on record, in the caller's transaction; return its number and its entry.

    Raises:
        CaseUnknown, RulesUnknown, DecisionMade, StepRefused, ClockBehind: See `evidence.review.submissions.submit`.
        SamePerson: The reviewer worked on the case (R32).
        NotQualified: They have no qualification that is valid today (R33).
        OpinionRefused: It is about another submission, leaves a row blank, or contradicts itself (R27).
        EvidenceChanged: It approves, and the evidence is not what was submitted any more.
        KeyMissing, SignatureInvalid: The reviewer has no key, or it did not sign this.
    """
    standing, current = await _under_review(conn, opinion.case, actor, clock)
    after(standing.review.state, Move.APPROVE if opinion.conclusion == "approve" else Move.OBJECT)
    if opinion.by != staff_of(actor):
        raise SignatureInvalid("the opinion names another person than the one who gives it")
    named = (opinion.round, opinion.submission, opinion.root)
    if named != (current.number, current.submission.entry_id, current.root):
        raise OpinionRefused(
            "the opinion is about another submission",
            round=current.number,
            submission=str(current.submission.entry_id),
            root=current.root.hex(),
        )
    rules = await get_rules(conn, UUID(current.submission.content["statement"]["rules"]))
    check_opinion(opinion, rules.content.rows(covert=bool(standing.covert)))
    if opinion.conclusion == "approve":
        _require_unchanged(standing, current)
    key = await key_of(conn, opinion.by)
    check_signature(opinion.as_json(), key=key, signature=signature)
    year = day_of(clock()).year
    await lock_subject(conn, f"opinion-number:{year}")
    sequence = await last_sequence(conn, year) + 1
    number = f"法审〔{year}〕{sequence}号"
    more: JsonObject = {
        "number": number,
        "year": year,
        "sequence": sequence,
        "statement": opinion.as_json(),
        "key": format_base64(key),
        "signature": format_base64(signature),
    }
    return number, await record_step(conn, standing, "review.opined", more, actor=actor, clock=clock, entropy=entropy)


async def request_supplement(
    conn: Connection, *, case_id: UUID, request: str, actor: str, clock: Clock, entropy: Entropy
) -> Recorded:
    """Ask for supplements, in the caller's transaction: the clock stands still until they come (R31).

    Raises:
        SamePerson, NotQualified: See `opine`.
        CaseUnknown, RulesUnknown, DecisionMade, StepRefused, ClockBehind: See `evidence.review.submissions.submit`.
    """
    standing, _ = await _under_review(conn, case_id, actor, clock)
    after(standing.review.state, Move.PAUSE)
    more: JsonObject = {"request": request}
    return await record_step(conn, standing, "review.paused", more, actor=actor, clock=clock, entropy=entropy)


async def answer_request(
    conn: Connection, *, case_id: UUID, answer: str, actor: str, clock: Clock, entropy: Entropy
) -> Recorded:
    """Answer a request for supplements in words, in the caller's transaction. What changes evidence is submitted.

    Raises:
        EvidenceChanged: The evidence is not what was submitted any more: submit it again.
        CaseUnknown, RulesUnknown, DecisionMade, StepRefused, ClockBehind: See `evidence.review.submissions.submit`.
    """
    standing, current = await _current(conn, case_id, clock)
    after(standing.review.state, Move.RESUME)
    _require_unchanged(standing, current)
    more: JsonObject = {"answer": answer}
    return await record_step(conn, standing, "review.resumed", more, actor=actor, clock=clock, entropy=entropy)


async def disagree(
    conn: Connection, *, case_id: UUID, position: str, coordinator: UUID, actor: str, clock: Clock, entropy: Entropy
) -> Recorded:
    """State the handler's position against an opinion and who coordinates, in the caller's transaction (R30).

    Raises:
        SamePerson: The coordinator worked on the case, or gave the opinion.
        CaseUnknown, RulesUnknown, DecisionMade, StepRefused, ClockBehind: See `evidence.review.submissions.submit`.
    """
    standing, current = await _current(conn, case_id, clock)
    after(standing.review.state, Move.DISAGREE)
    await _require_third(conn, case_id, current, coordinator)
    if staff_of(actor) == coordinator:
        raise SamePerson("whoever disagrees does not coordinate")
    more: JsonObject = {"position": position, "coordinator": str(coordinator)}
    return await record_step(conn, standing, "review.disagreed", more, actor=actor, clock=clock, entropy=entropy)


async def coordinate(
    conn: Connection,
    *,
    case_id: UUID,
    outcome: Literal["uphold", "reopen"],
    minutes: str,
    reason: str,
    actor: str,
    clock: Clock,
    entropy: Entropy,
) -> Recorded:
    """Put the outcome of a coordination on record, in the caller's transaction (R30).

    Raises:
        SamePerson: Somebody else was named to coordinate, or who was named has worked on the case meanwhile.
        CaseUnknown, RulesUnknown, DecisionMade, StepRefused, ClockBehind: See `evidence.review.submissions.submit`.
    """
    standing, current = await _current(conn, case_id, clock)
    after(standing.review.state, Move.UPHOLD if outcome == "uphold" else Move.REOPEN)
    named = None if current.disagreement is None else UUID(current.disagreement.content["coordinator"])
    if named is None or staff_of(actor) != named:
        raise SamePerson("another person was named to coordinate")
    await _require_third(conn, case_id, current, named)
    more: JsonObject = {"outcome": outcome, "minutes": minutes, "reason": reason}
    return await record_step(conn, standing, "review.coordinated", more, actor=actor, clock=clock, entropy=entropy)


async def correct_fact(
    conn: Connection,
    *,
    case_id: UUID,
    fact: str,
    value: FactValue | None,
    reason: str,
    actor: str,
    clock: Clock,
    entropy: Entropy,
) -> Recorded:
    """Say that what was stated of a fact so far was a mistake, in the caller's transaction (R26).

    Args:
        value: What is right; None when it is not known.

    Raises:
        CorrectionRefused: Nothing was stated of this fact, or the value is none that it can have.
        SamePerson, NotQualified: See `opine`.
        CaseUnknown, RulesUnknown, DecisionMade, ClockBehind: See `evidence.review.submissions.submit`.
    """
    standing = await hold_still(conn, case_id, clock())
    await require_undecided(conn, case_id)
    await _require_reviewer(conn, case_id, actor, clock)
    if fact not in standing.facts:
        raise CorrectionRefused(f"nothing is stated of {fact[:40]}", known=sorted(standing.facts))
    try:
        CaseFacts.model_validate({fact: value})
    except ValidationError as error:
        raise CorrectionRefused(f"{fact} cannot be so", fact=fact) from error
    more: JsonObject = {"fact": fact, "upto": standing.file.dossier.version, "value": value, "reason": reason}
    return await record_step(conn, standing, "review.corrected", more, actor=actor, clock=clock, entropy=entropy)


async def transfer(
    conn: Connection,
    *,
    case_id: UUID,
    opinion: UUID,
    to: str,
    number: str | None,
    note: str | None,
    actor: str,
    clock: Clock,
    entropy: Entropy,
) -> Recorded:
    """Say that a case was transferred to the judiciary as an opinion demands (移送), in the caller's transaction.

    Raises:
        TransferUnknown: No open task comes from this opinion.
        CaseUnknown, RulesUnknown, ClockBehind: See `evidence.review.submissions.submit`.
    """
    standing = await hold_still(conn, case_id, clock())
    if opinion not in {step.entry_id for step in standing.review.transfers}:
        raise TransferUnknown("no open task of transfer comes from this opinion", opinion=str(opinion))
    said = {"opinion": str(opinion), "to": to, "number": number, "note": note}
    more: JsonObject = {name: value for name, value in said.items() if value is not None}
    return await record_step(conn, standing, "review.transferred", more, actor=actor, clock=clock, entropy=entropy)


async def _current(conn: Connection, case_id: UUID, clock: Clock) -> tuple[Standing, Round]:
    """Return an undecided case and its last round."""
    standing = await hold_still(conn, case_id, clock())
    await require_undecided(conn, case_id)
    if standing.review.round is None:
        raise StepRefused("the case was not submitted yet", state=str(standing.review.state), possible=["submit"])
    return standing, standing.review.round


async def _under_review(conn: Connection, case_id: UUID, actor: str, clock: Clock) -> tuple[Standing, Round]:
    standing, current = await _current(conn, case_id, clock)
    await _require_reviewer(conn, case_id, actor, clock)
    return standing, current


async def _require_reviewer(conn: Connection, case_id: UUID, actor: str, clock: Clock) -> None:
    staff = staff_of(actor)
    if staff is None:
        raise SamePerson("only a person reviews")
    await require_uninvolved(conn, case_id, actor)
    await require_qualified(conn, staff, clock())


async def _require_third(conn: Connection, case_id: UUID, current: Round, coordinator: UUID) -> None:
    await require_uninvolved(conn, case_id, f"staff:{coordinator}")
    if current.opinion is not None and staff_of(current.opinion.stated_by) == coordinator:
        raise SamePerson("whoever gave the opinion does not coordinate")


def _require_unchanged(standing: Standing, current: Round) -> None:
    if standing.root != current.root:
        raise EvidenceChanged(
            "the evidence is not what was submitted any more",
            root=standing.root.hex(),
            submitted=current.root.hex(),
            changes=list(standing.verdict.changes)[:500],
        )
