"""Adopting rules of review, and which version is in force for a case.

A case is judged by the rules in force on the day of its decision (Beijing time), of the agency whose recording-item
list it keeps. Where none are in force nobody can say that it needs no review, so nothing is decided.
"""

from __future__ import annotations

from datetime import date
from uuid import UUID

from evidence.cases.file import CaseFile
from evidence.cases.numbers import number_key
from evidence.core.clock import Clock, Entropy
from evidence.core.ids import uuid7
from evidence.custody.record import record
from evidence.db.locks import lock_subject
from evidence.db.pool import Connection
from evidence.review.errors import RulesBackdated, RulesUnknown
from evidence.review.rules import ReviewRules
from evidence.review.store import RulesRow, find_rules, newest_rules, rules_on


async def adopt_rules(
    conn: Connection, *, rules: ReviewRules, effective_from: date, actor: str, clock: Clock, entropy: Entropy
) -> RulesRow:
    """Put the next version of an agency's rules on record, in the caller's transaction; return it.

    Raises:
        RulesBackdated: It would be in force before the version that it follows.
    """
    await lock_subject(conn, f"review-rules:{number_key(rules.agency)}")
    before = await newest_rules(conn, agency=rules.agency)
    if before is not None and effective_from < before.effective_from:
        raise RulesBackdated(
            f"version {before.version} is in force from {before.effective_from}, not later than {effective_from}",
            version=before.version,
            effective_from=before.effective_from.isoformat(),
        )
    made = uuid7(clock=clock, entropy=entropy)
    await record(
        conn,
        type="review.rules_adopted",
        actor=actor,
        subject=f"rules:{made}",
        payload={
            "rules": str(made),
            "agency": rules.agency,
            "version": before.version + 1 if before else 1,
            "effective_from": effective_from.isoformat(),
            "content": rules.as_json(),
        },
        clock=clock,
        entropy=entropy,
    )
    return await get_rules(conn, made)


async def get_rules(conn: Connection, rules: UUID) -> RulesRow:
    """Return a version.

    Raises:
        RulesUnknown: There is none with this id.
    """
    row = await find_rules(conn, rules)
    if row is None:
        raise RulesUnknown(f"there are no rules {rules}", rules=str(rules))
    return row


async def rules_for(conn: Connection, file: CaseFile, day: date) -> RulesRow:
    """Return the rules that a case is judged by on a day.

    Raises:
        RulesUnknown: Its agency has none in force; or it keeps no list, and not exactly one agency has.
    """
    rows = await rules_on(conn, day)
    if file.items is not None:
        key = number_key(file.items.agency)
        rows = [row for row in rows if number_key(row.agency) == key]
    if len(rows) != 1:
        raise RulesUnknown(
            f"{len(rows)} rules of review could be meant on {day}", agencies=[row.agency for row in rows][:20]
        )
    return rows[0]
