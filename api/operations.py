"""How the house does, gathered for the person who looks after it: what the process knows, and what the rows say."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from uuid import UUID

from api.health import check_readiness
from api.models.operations import (
    AuditFindingItem,
    AuditItem,
    JobsItem,
    LogItem,
    OperationsItem,
    OutboxItem,
    StamperItem,
    StorageItem,
    WitnessItem,
)
from api.operations_store import Published, count_jobs, count_outbox, newest_published
from api.services import Services
from api.standing_audit import AuditStatus
from api.status_store import LedgerBacklog, read_backlog
from evidence.access.policy import Person
from evidence.access.sight import known_clips
from evidence.audit.findings import FINDINGS as HOUSE_FINDINGS
from evidence.db.pool import Connection
from evidence.objects.copy_store import read_copy_backlog
from ingest.audit import FINDINGS as UPLOAD_FINDINGS
from ledger.audit_findings import FINDINGS as LEDGER_FINDINGS

CLIPS_SHOWN = 20
"""Most clips that are named beside one code."""

_MEANINGS: Mapping[str, str] = {**LEDGER_FINDINGS, **HOUSE_FINDINGS, **UPLOAD_FINDINGS}
_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


async def gather(services: Services, person: Person | None) -> OperationsItem:
    """Look at everything.

    Args:
        person: Who is led to clips, as far as they may know of them; None for whoever sees no footage.
    """
    readiness = await check_readiness(services)
    async with services.pool.acquire() as conn:
        backlog = await read_backlog(conn)
        published = await newest_published(conn)
        jobs = await count_jobs(conn)
        outbox = await count_outbox(conn)
        audit = None if services.audit is None else await _audit(conn, services.audit.status, person)
        storage = await _storage(conn, services)
    return OperationsItem(
        at=services.clock(),
        checks=readiness.checks,
        log=_log(services, backlog, published),
        witnesses=[WitnessItem(**asdict(one)) for one in (services.cosigning.reports if services.cosigning else ())],
        stampers=[StamperItem(**asdict(one)) for one in (services.stamping.reports if services.stamping else ())],
        audit=audit,
        jobs=[JobsItem(**asdict(one)) for one in jobs],
        outbox=OutboxItem(**asdict(outbox)),
        storage=storage,
    )


def _log(services: Services, backlog: LedgerBacklog, published: Published | None) -> LogItem:
    behind = 0.0 if backlog.oldest_at is None else (services.clock() - backlog.oldest_at).total_seconds()
    return LogItem(
        origin=services.origin,
        sequenced=backlog.sequenced,
        published=backlog.published,
        pending=backlog.pending,
        behind_seconds=max(behind, 0.0),
        root=None if published is None else published.root,
        published_at=None if published is None else published.published_at,
        withheld=None if services.sequencer is None else services.sequencer.status.withheld,
    )


async def _audit(conn: Connection, status: AuditStatus, person: Person | None) -> AuditItem:
    """Group what the audit named by code, errors first; clips beside it as far as the person may know of them."""
    groups: dict[str, list[Mapping[str, object]]] = {}
    for one in tuple(status.findings):
        groups.setdefault(str(one["code"]), []).append(one)
    named = {clip for found in groups.values() for clip in _clips_of(found)}
    known = set[UUID]() if person is None else await known_clips(conn, person, named)
    items = [
        AuditFindingItem(
            code=code,
            means=_MEANINGS.get(code, code),
            severity=str(found[0]["severity"]),
            count=len(found),
            clips=[clip for clip in _clips_of(found) if clip in known][:CLIPS_SHOWN],
        )
        for code, found in groups.items()
        if found[0]["severity"] != "ok"
    ]
    items.sort(key=lambda item: (item.severity != "error", item.code))
    return AuditItem(completed_at=status.completed_at, coverage=status.coverage, findings=items)


def _clips_of(found: Sequence[Mapping[str, object]]) -> list[UUID]:
    named = [details.get("clip") for one in found if isinstance(details := one.get("details"), Mapping)]
    return list(dict.fromkeys(UUID(clip) for clip in named if isinstance(clip, str) and _UUID.fullmatch(clip)))


async def _storage(conn: Connection, services: Services) -> StorageItem:
    disk = await asyncio.to_thread(shutil.disk_usage, services.folders.root)
    copier = services.copier
    waiting = None if copier is None else (await read_copy_backlog(conn, store=copier.store)).waiting
    return StorageItem(
        total=disk.total,
        free=disk.free,
        reserve=services.config.disk_reserve_bytes,
        copies_waiting=waiting,
        copies_error=None if copier is None else copier.status.error,
    )
