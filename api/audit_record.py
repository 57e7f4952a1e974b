"""Putting an audit on record: its result is itself an entry of the ledger, whoever ran it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from evidence.audit.clip_store import keep_findings
from evidence.core.clock import Clock, Entropy
from evidence.custody.record import record
from evidence.db.pool import Pool
from ledger.checkpoint import Checkpoint
from ledger.findings import Finding, Severity


async def record_audit(
    pool: Pool,
    newest: Checkpoint,
    findings: Sequence[Finding],
    *,
    resolves: Collection[Severity],
    clock: Clock,
    entropy: Entropy,
) -> None:
    """Record that everything up to a checkpoint was audited, and keep for the search what was named of clips.

    Args:
        newest: The published checkpoint at the end of the audit.
        findings: What the audit named; what is no error is not counted on record.
        resolves: See `keep_findings`.
    """
    counts = dict(Counter(finding.code for finding in findings if finding.severity is Severity.ERROR))
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
        await keep_findings(conn, findings, resolves=resolves, at=clock())
