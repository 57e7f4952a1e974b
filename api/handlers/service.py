"""The service about itself: alive, ready, metrics, and the document of its interface."""

from __future__ import annotations

import shutil
from collections.abc import Mapping

from aiohttp import web
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from api.answers import json_answer
from api.bodies import JSON
from api.call import Call
from api.dock_register import seconds_since_heard
from api.health import check_readiness, clock_offsets
from api.metrics import METRICS, HttpMetrics
from api.models.clips import Term, Vocabulary
from api.models.service import Liveness
from api.route import NoQuery
from api.services import Services
from api.status_store import count_clips, read_backlog
from evidence.access.classes import access_classes
from evidence.calendar.workdays import CHINA
from evidence.clips.vocabulary import Word
from evidence.clips.vocabulary import vocabulary as shipped_vocabulary
from evidence.deadlines.clock_store import count_open
from evidence.objects.copy_store import read_copy_backlog
from evidence.parties.purposes import PURPOSES
from evidence.parties.roles import ROLE_TITLES
from ingest.copies import Copier

DOCUMENT = web.AppKey("document", bytes)


async def healthz(call: Call[None, NoQuery]) -> web.Response:
    """Say that the process answers."""
    return json_answer(Liveness())


async def readyz(call: Call[None, NoQuery]) -> web.Response:
    """Say whether the process can do its work."""
    readiness = await check_readiness(call.services)
    return json_answer(readiness, status=200 if readiness.ready else 503)


async def metrics(call: Call[None, NoQuery]) -> web.Response:
    """Return the meters, gauges read anew."""
    meters = call.request.app[METRICS]
    await _read_gauges(meters, call.services)
    return web.Response(body=generate_latest(meters.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


async def document(call: Call[None, NoQuery]) -> web.Response:
    """Return the OpenAPI document."""
    return web.Response(body=call.request.app[DOCUMENT], headers={"Content-Type": JSON})


async def vocabulary(call: Call[None, NoQuery]) -> web.Response:
    """Return the words that requests may use, in two languages."""
    words = shipped_vocabulary()

    def terms(titles: Mapping[str, tuple[str, str]]) -> list[Term]:
        return [Term(key=key, zh=zh, en=en) for key, (zh, en) in titles.items()]

    def in_force(found: Mapping[str, Word]) -> list[Term]:
        return [Term(key=key, zh=word.zh, en=word.en) for key, word in found.items() if not word.retired]

    answer = Vocabulary(
        purposes=terms(PURPOSES),
        roles=terms({role.value: titles for role, titles in ROLE_TITLES.items()}),
        markers=in_force(words.markers),
        speakers=in_force(words.speakers),
        access_classes=[
            Term(key=key, zh=one.zh, en=one.en) for key, one in access_classes().classes.items() if not one.retired
        ],
    )
    return json_answer(answer)


async def _read_gauges(meters: HttpMetrics, services: Services) -> None:
    async with services.pool.acquire() as conn:
        backlog = await read_backlog(conn)
        clips = await count_clips(conn)
        deadlines = await count_open(conn, today=services.clock().astimezone(CHINA).date())
    lag = 0.0 if backlog.oldest_at is None else (services.clock() - backlog.oldest_at).total_seconds()
    meters.ledger_entries.labels(place="sequenced").set(backlog.sequenced)
    meters.ledger_entries.labels(place="published").set(backlog.published)
    meters.ledger_pending.set(backlog.pending)
    meters.ledger_lag_seconds.set(max(lag, 0.0))
    meters.clips.clear()
    for state, count in clips.items():
        meters.clips.labels(state=state).set(count)
    meters.deadlines.clear()
    for kind, state, count in deadlines:
        meters.deadlines.labels(kind=kind, state=state).set(count)
    _read_witnesses(meters, services)
    _read_clocks(meters, services)
    if services.audit is not None:
        status = services.audit.status
        meters.audit_completed.set(0.0 if status.completed_at is None else status.completed_at.timestamp())
        meters.audit_findings.set(sum(status.counts().values()))
        meters.audit_coverage.set(status.coverage)
    if services.copier is not None:
        await _read_copies(meters, services, services.copier)
    meters.dock_last_seen.clear()
    for dock, seconds in (await seconds_since_heard(services)).items():
        meters.dock_last_seen.labels(dock=dock).set(seconds)
    meters.disk_free_bytes.set(shutil.disk_usage(services.folders.root).free)


async def _read_copies(meters: HttpMetrics, services: Services, copier: Copier) -> None:
    async with services.pool.acquire() as conn:
        backlog = await read_copy_backlog(conn, store=copier.store)
    lag = 0.0 if backlog.oldest_at is None else (services.clock() - backlog.oldest_at).total_seconds()
    meters.copies_waiting.set(backlog.waiting)
    meters.copies_lag_seconds.set(max(lag, 0.0))
    meters.copies_failing.set(int(bool(copier.status.error or copier.status.refused)))


def _read_witnesses(meters: HttpMetrics, services: Services) -> None:
    if services.cosigning is None or services.sequencer is None:
        return
    meters.log_withheld.set(int(services.sequencer.status.withheld is not None))
    meters.witness_failing.clear()
    for report in services.cosigning.reports:
        if report.size is not None:
            meters.witness_size.labels(witness=report.name).set(report.size)
        if report.succeeded_at is not None:
            meters.witness_success.labels(witness=report.name).set(report.succeeded_at.timestamp())
        if report.error is not None:
            meters.witness_failing.labels(witness=report.name, reason=report.error).set(1)


def _read_clocks(meters: HttpMetrics, services: Services) -> None:
    for name, seconds in clock_offsets(services).items():
        meters.clock_offset.labels(source=name).set(seconds)
    if services.stamping is None:
        return
    meters.timestamp_failing.clear()
    for report in services.stamping.reports:
        if report.stamped_at is not None:
            age = (services.clock() - report.stamped_at).total_seconds()
            meters.timestamp_age.labels(authority=report.name).set(age)
        meters.timestamp_failures.labels(authority=report.name).set(report.failures)
        if report.error is not None:
            meters.timestamp_failing.labels(authority=report.name, reason=report.error).set(1)
