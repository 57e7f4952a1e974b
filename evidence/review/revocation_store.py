"""SQL of what became of decisions, and the projection of `decision.revoked`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from evidence.custody.recorded import RecordedEvent
from evidence.custody.review_payloads import DecisionRevoked
from evidence.db.pool import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """One statement that a decision stands no more as it was made.

    Attributes:
        number: Counts within the case from 1; a decision may be changed first and revoked later.
        effect, basis: See `evidence.custody.review_payloads`.
        took_effect_on: The day from which the term of withdrawal runs.
    """

    case_id: UUID
    number: int
    decision: UUID
    effect: str
    basis: str
    document: str
    authority: str
    took_effect_on: date
    reason: str
    stated_by: str
    stated_at: datetime
    entry_id: UUID


async def project_decision_revoked(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `decision.revoked`."""
    body = DecisionRevoked.model_validate(event.payload)
    await conn.execute(
        """INSERT INTO decision_revocation (case_id, number, decision, effect, basis, document, authority,
                                            took_effect_on, reason, stated_by, stated_at, entry_id)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)""",
        *(body.case, body.number, body.decision, body.effect, body.basis, body.document, body.authority),
        *(date.fromisoformat(str(event.payload["on"])), body.reason, event.actor, event.at, event.entry_id),
    )


async def revocations_of(conn: Connection, case_id: UUID) -> Sequence[Revocation]:
    """Return what became of a case's decision, the oldest first."""
    rows = await conn.fetch("SELECT * FROM decision_revocation WHERE case_id = $1 ORDER BY number", case_id)
    return [Revocation(**dict(row)) for row in rows]
