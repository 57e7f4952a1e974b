"""How reviews and decisions are shown: values of the domain as models of the API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from api.models.review import (
    DecisionItem,
    ReviewPage,
    ReviewPauseItem,
    ReviewRulesItem,
    RevocationItem,
    RoundItem,
    RoundPage,
    ScopeItem,
)
from evidence.core.clock import format_time
from evidence.core.wire.receipt import format_receipt
from evidence.db.pool import Connection
from evidence.receipts import build_receipt
from evidence.review.difference import manifest_difference
from evidence.review.errors import RoundUnknown
from evidence.review.machine import Review, Round, Step
from evidence.review.revocation_store import Revocation
from evidence.review.rules import Scope
from evidence.review.standing import Standing
from evidence.review.store import Decision, RulesRow
from evidence.review.submissions import submission_reasons
from ledger.reader import LogReader


def rules_item(row: RulesRow) -> ReviewRulesItem:
    """Show a version of rules."""
    return ReviewRulesItem(
        rules=row.rules,
        agency=row.agency,
        version=row.version,
        effective_from=row.effective_from,
        content=row.content,
        adopted_by=row.adopted_by,
        adopted_at=row.adopted_at,
        entry=row.entry_id,
    )


def decision_item(made: Decision, revocations: Sequence[Revocation] = ()) -> DecisionItem:
    """Show a decision, and what became of it."""
    return DecisionItem(
        decision=made.decision,
        case=made.case_id,
        number=made.number,
        kind=made.kind,
        summary=made.summary,
        rules=made.rules,
        scope=ScopeItem.model_validate(dict(made.scope)),
        root=made.root,
        approval=made.approval,
        decided_by=made.decided_by,
        decided_at=made.decided_at,
        entry=made.entry_id,
        revocations=[
            RevocationItem(
                number=one.number,
                effect=one.effect,
                basis=one.basis,
                document=one.document,
                authority=one.authority,
                on=one.took_effect_on,
                reason=one.reason,
                stated_by=one.stated_by,
                stated_at=one.stated_at,
                entry=one.entry_id,
            )
            for one in revocations
        ],
    )


def review_page(standing: Standing, made: DecisionItem | None) -> ReviewPage:
    """Show a case in its review."""
    review, rules = standing.review, standing.rules.content
    return ReviewPage(
        case=standing.file.case.case_id,
        state=str(review.state) if made is None else "decided",
        scope=_scope(standing.scope),
        facts={name: list(values) for name, values in standing.facts.items()},
        rules=standing.rules.rules,
        rules_version=standing.rules.version,
        limit_working_days=rules.limit_working_days,
        next_round=len(review.rounds) + 1,
        root=standing.root,
        may_be_decided=made is None and standing.verdict.is_open,
        obstacles=[dict(one) for one in standing.verdict.obstacles],
        changes=[dict(one) for one in standing.verdict.changes],
        against_submission=[dict(one) for one in submission_reasons(standing)],
        owed=list(review.owed),
        checklist=standing.rows,
        materials=rules.materials,
        rounds=[_round(one, review) for one in review.rounds],
        transfers=[step.entry_id for step in review.transfers],
        decision=made,
    )


async def round_page(conn: Connection, reader: LogReader, standing: Standing, number: int) -> RoundPage:
    """Show one round, whole.

    Raises:
        RoundUnknown: The review has no such round.
    """
    review = standing.review
    if number > len(review.rounds):
        raise RoundUnknown(f"the review has no round {number}", rounds=len(review.rounds))
    one = review.rounds[number - 1]
    receipts = []
    for step in (one.submission, one.opinion):
        receipt = None if step is None else await build_receipt(conn, reader, step.entry_id)
        if receipt is not None:
            receipts.append(format_receipt(receipt).decode())
    shown = _round(one, review).model_dump()
    return RoundPage(**shown, manifest=one.submission.content["manifest"], receipts=receipts)


def _scope(scope: Scope) -> ScopeItem:
    return ScopeItem(in_scope=scope.in_scope, rule=scope.rule, source=scope.source, because=scope.because)


def _round(one: Round, review: Review) -> RoundItem:
    content = one.submission.content
    before = review.rounds[one.number - 2].submission.content["manifest"] if one.number > 1 else None
    return RoundItem(
        round=one.number,
        root=one.root,
        submission=one.submission.entry_id,
        submitted_by=one.submission.stated_by,
        submitted_at=one.submission.stated_at,
        declaration={name: content[name] for name in ("statement", "key", "signature")},
        opinion=_step(one.opinion),
        pauses=[ReviewPauseItem(starts_at=start, ends_at=end) for start, end in one.pauses],
        disagreement=_step(one.disagreement),
        coordination=_step(one.coordination),
        changes=[] if before is None else [dict(change) for change in manifest_difference(before, content["manifest"])],
    )


def _step(step: Step | None) -> dict[str, Any] | None:
    if step is None:
        return None
    content = {name: value for name, value in step.content.items() if name not in {"case", "step"}}
    return {"entry": str(step.entry_id), "by": step.stated_by, "at": format_time(step.stated_at), **content}
