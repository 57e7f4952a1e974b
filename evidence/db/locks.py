"""Deciding one at a time: advisory locks by subject, held until the transaction ends."""

from __future__ import annotations

from evidence.db.pool import Connection


async def lock_subject(conn: Connection, subject: str) -> None:
    """Wait until no other transaction decides about a subject, for example `case:<uuid>`, and then keep them out.

    Needs no right to change rows, and works for things that have no row yet, such as a number about to be taken.
    """
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", subject)


async def share_subject(conn: Connection, subject: str) -> None:
    """Keep a subject from being decided about until the transaction ends, beside any number of others who do the same.

    Whoever records what rests on a decision takes this before the first write of the transaction: the ledger orders
    entries by transactions, so what comes after the decision also stands behind it.
    """
    await conn.execute("SELECT pg_advisory_xact_lock_shared(hashtextextended($1, 0))", subject)
