"""SQL of the term for storing (R20) as it counts now: by the calendar that was loaded, the rules that were published.

What was loaded and published never changes, so a term is made once and known by what it is made of.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from evidence.calendar.store import calendar_of, find_loaded
from evidence.calendar.workdays import OFFICIAL
from evidence.db.pool import Connection
from evidence.deadlines.rules import RuleBook
from evidence.deadlines.store import rule_book
from evidence.deadlines.storing import StoringTerm

KEPT_MAX = 64
"""Most terms that a program remembers."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What a term is made of: the calendar and the rules that were newest; None where there was none."""

    calendar: UUID | None = None
    rules: UUID | None = None


_USUAL = StoringTerm()
_KNOWN: dict[tuple[str, Basis], StoringTerm] = {}
"""By the database as well: ids are one's own there alone."""


async def basis_in_force(conn: Connection) -> Basis:
    """Return what counts now."""
    row = await conn.fetchrow(
        """SELECT (SELECT calendar FROM work_calendar ORDER BY entry_id DESC LIMIT 1) AS calendar,
                  (SELECT rules FROM deadline_rules ORDER BY version DESC LIMIT 1) AS rules"""
    )
    return Basis() if row is None else Basis(row["calendar"], row["rules"])


async def term_of(conn: Connection, basis: Basis) -> StoringTerm:
    """Return the term that counts, or counted, by a calendar and rules on record."""
    if basis == Basis():
        return _USUAL
    database: str = await conn.fetchval("SELECT current_database()")
    if (term := _KNOWN.get((database, basis))) is None:
        loaded = None if basis.calendar is None else await find_loaded(conn, basis.calendar)
        book = RuleBook() if basis.rules is None else await rule_book(conn, newest=basis.rules)
        if len(_KNOWN) >= KEPT_MAX:
            _KNOWN.clear()
        term = StoringTerm(OFFICIAL if loaded is None else calendar_of(loaded), book)
        _KNOWN[database, basis] = term
    return term
