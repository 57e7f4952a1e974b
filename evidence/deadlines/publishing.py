"""Publishing tables of deadlines: each version is one ledger entry, in force from its day on until the next version's.

No version begins before the one it follows, so what was in force on a past day can be told for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from evidence.core.clock import Clock, Entropy
from evidence.core.ids import uuid7
from evidence.custody.record import record
from evidence.db.locks import lock_subject
from evidence.db.pool import Connection
from evidence.deadlines.errors import RulesBackdated
from evidence.deadlines.rules import RuleTable
from evidence.deadlines.store import newest_rules


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedRules:
    """A version on record."""

    rules: UUID
    version: int
    entry_id: UUID


async def publish_rules(
    conn: Connection, *, table: RuleTable, effective_from: date, actor: str, clock: Clock, entropy: Entropy
) -> PublishedRules:
    """Put the next version of the agency's deadlines on record, in the caller's transaction.

    Raises:
        RulesBackdated: It would be in force before the version that it follows.
    """
    await lock_subject(conn, "deadline-rules")
    before = await newest_rules(conn)
    if before is not None and effective_from < before.effective_from:
        raise RulesBackdated(
            f"version {before.version} is in force from {before.effective_from}, later than {effective_from}",
            version=before.version,
            effective_from=before.effective_from.isoformat(),
        )
    rules, version = uuid7(clock=clock, entropy=entropy), before.version + 1 if before else 1
    recorded = await record(
        conn,
        type="deadline.rules_published",
        actor=actor,
        subject=f"rules:{rules}",
        payload={
            "rules": str(rules),
            "version": version,
            "effective_from": effective_from.isoformat(),
            "table": table.as_json(),
        },
        clock=clock,
        entropy=entropy,
    )
    return PublishedRules(rules=rules, version=version, entry_id=recorded.entry_id)
