"""Readiness: what has to be well for this process to do its work, each thing under a name.

Open to anybody, so it says that something is wrong, not what; the reason stands in the log. The exception are
witnesses: who of them is missing is what everybody who waits for a checkpoint has to know.
"""

from __future__ import annotations

import asyncio
import shutil

import asyncpg
import structlog

from api.models.service import Check, Readiness
from api.services import Services
from api.standing_audit import AuditStatus
from api.status_store import read_backlog
from ledger.errors import CodedError

DATABASE_SECONDS_MAX = 2.0
"""How long the database may take to answer before it counts as away."""

_log = structlog.get_logger("shilu.health")


async def check_readiness(services: Services) -> Readiness:
    """Look at everything this process depends on."""
    checks = [*await _check_database(services), _check_disk(services)]
    checks += _check_witnesses(services)
    for name, complaint in services.duties.complaints().items():
        checks.append(Check(name=name, ok=complaint is None, detail="runs" if complaint is None else "failed"))
    if services.audit is not None:
        checks.append(_check_audit(services.audit.status))
    for check in checks:
        if not check.ok and check.required:
            await _log.awarning("not ready", check=check.name, detail=check.detail)
    return Readiness(ready=all(check.ok for check in checks if check.required), checks=checks)


async def _check_database(services: Services) -> list[Check]:
    try:
        async with asyncio.timeout(DATABASE_SECONDS_MAX), services.pool.acquire() as conn:
            backlog = await read_backlog(conn)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, CodedError):
        return [Check(name="database", ok=False, detail="does not answer")]
    lag = 0.0 if backlog.oldest_at is None else (services.clock() - backlog.oldest_at).total_seconds()
    late = lag > services.config.publication_lag_seconds_max
    return [
        Check(name="database", ok=True, detail="answers"),
        Check(name="publication", ok=not late, detail=f"{max(lag, 0):.1f} s behind"),
    ]


def _check_witnesses(services: Services) -> list[Check]:
    if services.cosigning is None or services.sequencer is None:
        return []
    withheld = services.sequencer.status.withheld
    return [Check(name="witnesses", ok=withheld is None, detail=withheld or "the quorum cosigns")]


def _check_audit(status: AuditStatus) -> Check:
    """Show what the last round found: it has to be looked into, and no request is wrong because of it."""
    counts = status.counts()
    named = ", ".join(f"{code} ({count})" for code, count in sorted(counts.items()))
    detail = named or ("no round is complete yet" if status.completed_at is None else "clean")
    return Check(name="findings", ok=not counts, detail=detail, required=False)


def _check_disk(services: Services) -> Check:
    free = shutil.disk_usage(services.folders.root).free
    ok = free >= services.config.disk_reserve_bytes
    return Check(name="disk", ok=ok, detail="above its reserve" if ok else "below its reserve")
