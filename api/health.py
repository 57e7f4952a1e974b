"""Readiness: what has to be well for this process to do its work, each thing under a name.

Open to anybody, so it says that something is wrong, not what; the reason stands in the log. The exception are
witnesses: who of them is missing is what everybody who waits for a checkpoint has to know.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import asyncpg
import structlog

from api.models.service import Check, Readiness
from api.services import Services
from api.standing_audit import AuditStatus
from api.status_store import read_backlog
from evidence.parties.dock_state_store import heard
from ingest.copies import CopyStatus
from ledger.errors import CodedError

DATABASE_SECONDS_MAX = 2.0
"""How long the database may take to answer before it counts as away."""

_log = structlog.get_logger("shilu.health")


async def check_readiness(services: Services) -> Readiness:
    """Look at everything this process depends on."""
    checks = [*await _check_database(services), _check_disk(services)]
    checks += [*_check_witnesses(services), *_check_timestamps(services), *_check_clock(services)]
    for name, complaint in services.duties.complaints().items():
        checks.append(Check(name=name, ok=complaint is None, detail="runs" if complaint is None else "failed"))
    if services.copier is not None:
        checks.append(_check_copies(services.copier.status))
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
            docks = await heard(conn)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, CodedError):
        return [Check(name="database", ok=False, detail="does not answer")]
    lag = 0.0 if backlog.oldest_at is None else (services.clock() - backlog.oldest_at).total_seconds()
    late = lag > services.config.publication_lag_seconds_max
    return [
        Check(name="database", ok=True, detail="answers"),
        Check(name="publication", ok=not late, detail=f"{max(lag, 0):.1f} s behind"),
        *_check_docks(services, docks),
    ]


def _check_witnesses(services: Services) -> list[Check]:
    if services.cosigning is None or services.sequencer is None:
        return []
    withheld = services.sequencer.status.withheld
    return [Check(name="witnesses", ok=withheld is None, detail=withheld or "the quorum cosigns")]


def _check_timestamps(services: Services) -> list[Check]:
    """Show which authorities give no stamps: somebody has to look, and no answer is wrong because of it."""
    if services.stamping is None:
        return []
    failing = [f"{report.name}: {report.error}" for report in services.stamping.reports if report.error is not None]
    detail = "; ".join(failing) or "every authority stamps"
    return [Check(name="timestamps", ok=not failing, detail=detail, required=False)]


def clock_offsets(services: Services) -> dict[str, float]:
    """Return how many seconds each clock that was heard of is before (positive) or behind ours, by its owner's name."""
    witnesses = services.cosigning.reports if services.cosigning else ()
    authorities = services.stamping.reports if services.stamping else ()
    stated = {report.name: report.offset_seconds for report in witnesses}
    stated |= {report.name: report.offset_seconds for report in authorities}
    return {name: seconds for name, seconds in stated.items() if seconds is not None}


def _check_clock(services: Services) -> list[Check]:
    """Hold our clock against those of witnesses and authorities; the middle one of them is taken for the truth."""
    offsets = sorted(clock_offsets(services).values())
    if not offsets:
        return []
    middle = offsets[len(offsets) // 2] if len(offsets) % 2 else min(offsets[len(offsets) // 2 - 1 :][:2], key=abs)
    is_right = abs(middle) <= services.config.clock_tolerance_seconds
    detail = f"{abs(middle):.0f} s {'behind' if middle > 0 else 'ahead of'} witnesses and time stamp authorities"
    return [Check(name="clock", ok=is_right, detail="agrees with others" if is_right else detail, required=False)]


def _check_copies(status: CopyStatus) -> Check:
    """Show what keeps objects from the second store: somebody has to look, and what waits is copied afterwards."""
    detail = status.error or (f"{len(status.refused)} objects cannot be copied" if status.refused else "go on")
    return Check(name="second copies", ok=detail == "go on", detail=detail, required=False)


def _check_audit(status: AuditStatus) -> Check:
    """Show what the last round found: it has to be looked into, and no request is wrong because of it."""
    counts = status.counts()
    named = ", ".join(f"{code} ({count})" for code, count in sorted(counts.items()))
    detail = named or ("no round is complete yet" if status.completed_at is None else "clean")
    return Check(name="findings", ok=not counts, detail=detail, required=False)


def _check_docks(services: Services, docks: Mapping[UUID, datetime]) -> list[Check]:
    """Count the docks that used to speak and do not: somebody has to look, and no request is wrong because of it."""
    if not docks:
        return []
    now, limit = services.clock(), services.config.dock_silence_seconds
    silent = sum((now - at).total_seconds() > limit for at in docks.values())
    detail = f"{silent} of {len(docks)} docks are silent" if silent else "every dock that used to speak does"
    return [Check(name="docks", ok=not silent, detail=detail, required=False)]


def _check_disk(services: Services) -> Check:
    free = shutil.disk_usage(services.folders.root).free
    ok = free >= services.config.disk_reserve_bytes
    return Check(name="disk", ok=ok, detail="above its reserve" if ok else "below its reserve")
