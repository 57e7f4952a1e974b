"""The audit's look at legal review: what opinions and decisions rest on, judged again from the record alone.

1. The declaration and the opinion of each round name one root, and it is the root of the manifest in the submission.
2. Both are signed, by keys that were on record for the persons they name before they signed.
3. A decision in scope rests on an approving opinion over the root that it names; one without says that none was needed.

What the evidence was at the time is what the submission's manifest says; whether rows agree with payloads is the
replay's question, asked before.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from uuid import UUID

from evidence.audit import findings as codes
from evidence.audit.findings import found
from evidence.custody.events import checked_payload
from evidence.db.pool import Connection
from evidence.errors import EventInvalid
from evidence.review.errors import StepRefused
from evidence.review.gate import faults_of
from evidence.review.machine import Round, Step, fold_review
from evidence.review.store import Decision, find_decision, keys_of, reviewed_cases, steps_of
from ledger.findings import Finding

_CODES = {"root_differs": codes.REVIEW_ROOT_DIFFERS, "signature_invalid": codes.REVIEW_SIGNATURE_INVALID}


async def judge_reviews(conn: Connection) -> AsyncIterator[Finding]:
    """Name every round whose roots or signatures do not hold, and every decision without the approval it needs."""
    for case_id in await reviewed_cases(conn):
        subject = f"case:{case_id}"
        try:
            rounds = fold_review(_well_formed(await steps_of(conn, case_id))).rounds
        except (StepRefused, EventInvalid) as error:
            yield found(codes.REVIEW_OUT_OF_ORDER, subject, f"the steps of the review do not follow: {error.message}")
            continue
        for one in rounds:
            for fault in faults_of(one, await _keys(conn, one)):
                message = f"round {one.number} of the review does not hold: {fault}"
                yield found(_CODES[fault], subject, message, round=one.number)
        made = await find_decision(conn, case_id)
        if made is not None and not _is_approved(made, rounds):
            message = f"decision {made.number} rests on no approval of the evidence it names"
            yield found(codes.DECISION_UNAPPROVED, subject, message, decision=str(made.decision))


def _well_formed(steps: Sequence[Step]) -> Sequence[Step]:
    """Return the steps after seeing that each is what its kind demands: rows may have been written by anybody.

    Raises:
        EventInvalid: One is not.
    """
    for step in steps:
        content: object = step.content  # any JSON, whatever its type says
        checked_payload(f"review.{step.kind}", dict(content) if isinstance(content, Mapping) else {})
    return steps


def _is_approved(made: Decision, rounds: Sequence[Round]) -> bool:
    if not made.scope.get("in_scope"):
        return made.approval is None
    return any(
        one.approves and one.opinion is not None and one.opinion.entry_id == made.approval and one.root == made.root
        for one in rounds
    )


async def _keys(conn: Connection, one: Round) -> dict[str, list[bytes]]:
    signers = {step.stated_by for step in (one.submission, one.opinion) if step is not None}
    staff = {who: person for who in sorted(signers) if (person := _person(who)) is not None}
    return {who: await keys_of(conn, person) for who, person in staff.items()}


def _person(actor: str) -> UUID | None:
    try:
        return UUID(actor.removeprefix("staff:")) if actor.startswith("staff:") else None
    except ValueError:
        return None
