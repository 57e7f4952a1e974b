"""Recorders: the register, what their sequence tells, and whose they are."""

from __future__ import annotations

from aiohttp import web
from pydantic import BaseModel

from api.answers import json_answer
from api.call import Call
from api.equipment import equipment_of
from api.models.common import Recorded
from api.models.recorders import (
    AssignRecorder,
    ExplainFinding,
    Explanation,
    Holder,
    HolderSpan,
    HolderSpans,
    OneRecorderQuery,
    RecorderFindingItem,
    RecorderFindingPage,
    RecorderItem,
    RecorderPage,
    RecorderQuery,
    RecordersQuery,
)
from api.preconditions import once
from api.route import NoQuery
from evidence.core.clock import parse_time
from evidence.db.pool import Connection
from evidence.recorders import register, register_store, store
from evidence.recorders.meanings import MEANINGS, Weight
from evidence.recorders.register_store import Holding, RecorderRow
from evidence.recorders.store import FindingRow


async def list_all(call: Call[None, RecordersQuery]) -> web.Response:
    """List recorders as they stand."""
    limit = call.query.limit
    async with call.services.pool.acquire() as conn:
        now = call.services.clock()
        rows = await register_store.list_recorders(conn, now=now, after=call.query.cursor or "", limit=limit + 1)
        found = await store.open_findings(conn, [row.recorder for row in rows])
    items = [recorder_item(row, findings_open=found.get(row.recorder, 0)) for row in rows[:limit]]
    return json_answer(RecorderPage(items=items, next=items[-1].recorder if len(rows) > limit else None))


async def findings(call: Call[None, RecorderQuery]) -> web.Response:
    """List what the sequence of a recorder, or of all, tells."""
    limit, recorder = call.query.limit, call.query.recorder
    async with call.services.pool.acquire() as conn:
        if recorder is not None:
            await register.require_recorder(conn, recorder)
        rows = await store.findings_of(conn, recorder, before=call.query.after_finding(), limit=limit + 1)
    items = [finding_item(row) for row in rows[:limit]]
    behind = f"{items[-1].finding}.{items[-1].place}" if len(rows) > limit else None
    return json_answer(RecorderFindingPage(items=items, next=behind))


async def holders(call: Call[None, OneRecorderQuery]) -> web.Response:
    """Say whose a recorder was when."""
    recorder = call.query.recorder
    async with call.services.pool.acquire() as conn:
        await register.require_recorder(conn, recorder)
        spans = await register_store.holdings_of(conn, recorder)
    return json_answer(HolderSpans(recorder=recorder, items=[holder_span(span) for span in spans]))


async def assign(call: Call[AssignRecorder, NoQuery]) -> web.Response:
    """Give a recorder to an officer, or take it back."""
    services, body = call.services, call.body
    since = None if body.since is None else parse_time(body.since)

    async def work(conn: Connection) -> BaseModel:
        entry = await register.assign_recorder(
            conn,
            recorder=body.recorder,
            number=body.officer,
            since=since,
            actor=call.actor,
            clock=services.clock,
            entropy=services.entropy,
        )
        return Recorded(entry=entry)

    return await once(call, route="assign_recorder", work=work)


async def explain(call: Call[ExplainFinding, NoQuery]) -> web.Response:
    """Say how a finding came about."""
    services, body = call.services, call.body

    async def work(conn: Connection) -> BaseModel:
        entry = await register.explain_finding(
            conn,
            recorder=body.recorder,
            finding=body.finding,
            place=body.place,
            text=body.text,
            actor=call.actor,
            clock=services.clock,
            entropy=services.entropy,
        )
        return Recorded(entry=entry)

    return await once(call, route="explain_finding", work=work)


async def equipment(call: Call[None, NoQuery]) -> web.Response:
    """Say how many recorders each unit's officers hold."""
    services = call.services
    async with services.pool.acquire() as conn:
        found = await equipment_of(conn, now=services.clock(), target=services.config.recorders_per_officer_target)
    return json_answer(found)


def recorder_item(row: RecorderRow, *, findings_open: int) -> RecorderItem:
    """Show a recorder as it stands."""
    return RecorderItem(
        recorder=row.recorder,
        docked_at=row.docked_at,
        dock=row.dock,
        dock_name=row.dock_name,
        files=row.files,
        files_waiting=row.waiting,
        findings_open=findings_open,
        holder=_holder(row),
    )


def finding_item(row: FindingRow) -> RecorderFindingItem:
    """Show a finding with the meaning of its code."""
    meaning = MEANINGS[row.code]
    return RecorderFindingItem(
        finding=row.entry_id,
        place=row.place,
        recorder=row.recorder,
        inventory=row.inventory,
        dock=row.dock,
        code=row.code,
        weight=Weight(row.weight),
        message=meaning.en,
        message_zh=meaning.zh,
        causes=meaning.causes_en,
        causes_zh=meaning.causes_zh,
        facts=dict(row.facts),
        noticed_at=row.compared_at,
        settled=row.settled,
        explanations=[Explanation(text=one["text"], by=one["by"], at=one["at"]) for one in row.explanations],
    )


def holder_span(span: Holding) -> HolderSpan:
    """Show whose a recorder was for a while."""
    return HolderSpan(
        holder=_holder(span),
        since=span.since,
        until=span.until,
        assigned_at=span.assigned_at,
        assigned_by=span.assigned_by,
    )


def _holder(row: RecorderRow | Holding) -> Holder | None:
    if row.officer is None:
        return None
    return Holder(officer=row.officer, number=row.number or "", name=row.name or "", unit=row.unit or "")
