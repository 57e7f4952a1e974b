"""Putting an audit on record: its result is itself an entry of the ledger, whoever ran it."""

from __future__ import annotations

from collections.abc import Mapping

from evidence.core.clock import Clock, Entropy
from evidence.custody.record import record
from evidence.db.pool import Pool
from ledger.checkpoint import Checkpoint


async def record_audit(
    pool: Pool, newest: Checkpoint, counts: Mapping[str, int], *, clock: Clock, entropy: Entropy
) -> None:
    """Record that everything up to a checkpoint was audited.

    Args:
        newest: The published checkpoint at the end of the audit.
        counts: Differences by code.
    """
    async with pool.acquire() as conn, conn.transaction():
        await record(
            conn,
            type="audit.completed",
            actor="service",
            subject="log",
            payload={"size": newest.size, "root": newest.root.hex(), "findings": {**counts}},
            clock=clock,
            entropy=entropy,
        )
