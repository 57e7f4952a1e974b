"""What is told the public, for those who make it: drafted, judged, approved, published, corrected, withdrawn."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from aiohttp import web

from api.answers import json_answer
from api.call import Call
from api.models.common import PageQuery, Recorded
from api.models.publicity import (
    ApprovePublication,
    CorrectPublication,
    DraftPublication,
    FormField,
    FormItem,
    FormItems,
    JudgeSpans,
    KindItem,
    MakeReport,
    PublicationItem,
    PublicationQuery,
    PublicationRow,
    PublicationRows,
    PublishPublication,
    RecountedReport,
    ReportItem,
    ReportItems,
    SpanItem,
    StateTerm,
    TermItem,
    Terms,
    WithdrawPublication,
)
from api.permits import known_cases, require_case
from api.preconditions import once
from api.route import NoQuery
from evidence.custody.record import Recorded as Entry
from evidence.db.pool import Connection
from evidence.errors import CaseUnknown
from evidence.publicity import records
from evidence.publicity.errors import PublicationUnknown
from evidence.publicity.forms import DAY_FIELDS, REGISTER, known_forms
from evidence.publicity.masking import Decision, Verdict, newest, undecided
from evidence.publicity.report_store import Report, reports_before
from evidence.publicity.reports import recounted, report_period
from evidence.publicity.span import Span
from evidence.publicity.standing import Publication
from evidence.publicity.store import newest_of, newest_versions, terms_in_force, that_must_go


async def draft(call: Call[DraftPublication, NoQuery]) -> web.Response:
    """Draft and scan."""
    body = call.body

    async def work(conn: Connection) -> PublicationItem:
        row = await records.draft(
            conn,
            form=body.form,
            kind=body.kind,
            fields=body.fields,
            case=body.case,
            until=body.until,
            actor=call.actor,
            clock=call.services.clock,
            entropy=call.services.entropy,
        )
        return publication_item(await records.publication_of(conn, row.publication))

    return await once(call, route="draft_publication", work=work)


async def list_all(call: Call[None, PublicationQuery]) -> web.Response:
    """List publications; those of cases that the caller may not know of are left out."""
    limit, before = call.query.limit, call.query.after_id()
    must_go: Mapping[UUID, UUID] = {}
    async with call.services.pool.acquire() as conn:
        if call.query.must_go:
            must_go = await that_must_go(conn, before=before, limit=limit + 1)
            rows = await newest_of(conn, list(must_go))
        else:
            rows = await newest_versions(conn, before=before, limit=limit + 1)
        cases = {row.case_id for row in rows if row.case_id is not None}
        known = await known_cases(conn, call.services, call.person, cases)
    items = [
        PublicationRow(
            publication=row.publication,
            form=row.form,
            kind=row.kind,
            version=row.version,
            case=row.case_id,
            drafted_by=row.drafted_by,
            drafted_at=row.drafted_at,
            must_go=must_go.get(row.publication),
        )
        for row in rows[:limit]
        if row.case_id is None or row.case_id in known
    ]
    following = str(rows[limit - 1].publication) if len(rows) > limit else None
    return json_answer(PublicationRows(items=items, next=following))


async def get(call: Call[None, NoQuery]) -> web.Response:
    """Return a publication with its spans."""
    async with call.services.pool.acquire() as conn:
        known = await _known(call, conn)
    return json_answer(publication_item(known))


async def correct(call: Call[CorrectPublication, NoQuery]) -> web.Response:
    """Draft the next version."""
    body, publication = call.body, call.id("publication")

    async def work(conn: Connection) -> PublicationItem:
        await _known(call, conn)
        await records.correct(
            conn,
            publication,
            seen=body.version,
            fields=body.fields,
            reason=body.reason,
            until=body.until,
            actor=call.actor,
            clock=call.services.clock,
            entropy=call.services.entropy,
        )
        return publication_item(await records.publication_of(conn, publication))

    return await once(call, route="correct_publication", work=work)


async def judge(call: Call[JudgeSpans, NoQuery]) -> web.Response:
    """Decide about spans."""
    body = call.body
    decisions = [Decision(**{**one.model_dump(), "verdict": Verdict(one.verdict)}) for one in body.decisions]
    return await _step(call, records.judge, version=body.version, decisions=decisions)


async def approve(call: Call[ApprovePublication, NoQuery]) -> web.Response:
    """Approve, as another person."""
    return await _step(call, records.approve, version=call.body.version, note=call.body.note)


async def publish(call: Call[PublishPublication, NoQuery]) -> web.Response:
    """Make public what was approved."""
    return await _step(call, records.publish, version=call.body.version)


async def withdraw(call: Call[WithdrawPublication, NoQuery]) -> web.Response:
    """End a publication."""
    return await _step(call, records.withdraw, cause=call.body.cause, reason=call.body.reason)


async def _step(call: Call[Any, NoQuery], take: Callable[..., Awaitable[Entry]], **how: object) -> web.Response:
    services = call.services
    async with services.pool.acquire() as conn, conn.transaction():
        await _known(call, conn)
        recorded = await take(
            conn,
            call.id("publication"),
            **how,
            actor=call.actor,
            clock=services.clock,
            entropy=services.entropy,
        )
    return json_answer(Recorded(entry=recorded.entry_id), status=201)


async def _known(call: Call[Any, Any], conn: Connection) -> Publication:
    """Return a publication whose case the caller may know of.

    Raises:
        PublicationUnknown: There is none, or they may not.
    """
    publication: UUID = call.id("publication")
    known = await records.publication_of(conn, publication)
    if known.newest.case_id is not None:
        try:
            await require_case(conn, call.services, call.person, known.newest.case_id)
        except CaseUnknown as error:
            raise PublicationUnknown(f"there is no publication {publication}") from error
    return known


async def term(call: Call[StateTerm, NoQuery]) -> web.Response:
    """State a term."""
    body = call.body

    async def work(conn: Connection) -> Recorded:
        recorded = await records.state_term(
            conn,
            kind=body.kind,
            months=body.months,
            citation=body.citation,
            actor=call.actor,
            clock=call.services.clock,
            entropy=call.services.entropy,
        )
        return Recorded(entry=recorded.entry_id)

    return await once(call, route="state_publication_term", work=work)


async def terms(call: Call[None, NoQuery]) -> web.Response:
    """List the terms in force."""
    async with call.services.pool.acquire() as conn:
        found = await terms_in_force(conn)
    items = [
        TermItem(kind=one.kind, months=one.months, citation=one.citation, stated_at=one.stated_at, entry=one.entry_id)
        for one in found.values()
    ]
    return json_answer(Terms(items=items))


async def forms(call: Call[None, NoQuery]) -> web.Response:
    """List forms and kinds."""
    known = known_forms()

    def fields(names: Sequence[str]) -> list[FormField]:
        return [
            FormField(
                field=name,
                zh=known.fields[name].zh,
                en=known.fields[name].en,
                chars_max=known.fields[name].chars_max,
                is_day=name in DAY_FIELDS,
            )
            for name in names
        ]

    items = [
        FormItem(
            form=name,
            zh=form.zh,
            en=form.en,
            required=fields(form.required),
            optional=fields(form.optional),
            kinds=list(known.registers if name == REGISTER else known.kinds),
            source=form.source,
        )
        for name, form in known.forms.items()
    ]
    kinds = [
        KindItem(kind=name, zh=kind.zh, en=kind.en, days=kind.days, source=kind.source)
        for name, kind in (*known.kinds.items(), *known.registers.items())
    ]
    return json_answer(FormItems(items=items, kinds=kinds))


async def report(call: Call[MakeReport, NoQuery]) -> web.Response:
    """Count a period and put the figures on record."""
    body = call.body

    async def work(conn: Connection) -> ReportItem:
        made = await report_period(
            conn,
            period=body.period,
            stated=body.stated,
            size=body.size,
            actor=call.actor,
            clock=call.services.clock,
            entropy=call.services.entropy,
        )
        return report_item(made)

    return await once(call, route="make_publicity_report", work=work)


async def recount(call: Call[None, NoQuery]) -> web.Response:
    """Count a report's figures again at its checkpoint."""
    async with call.services.pool.acquire() as conn:
        known, again = await recounted(conn, call.id("report"))
    return json_answer(RecountedReport(report=report_item(known), figures=again, identical=again == known.figures))


async def list_reports(call: Call[None, PageQuery]) -> web.Response:
    """List reports; what is on record is public."""
    limit = call.query.limit
    async with call.services.pool.acquire() as conn:
        rows = await reports_before(conn, before=call.query.after_id(), limit=limit + 1)
    items = [report_item(row) for row in rows[:limit]]
    return json_answer(ReportItems(items=items, next=str(items[-1].report) if len(rows) > limit else None))


def report_item(row: Report) -> ReportItem:
    """Return a report as it is shown."""
    return ReportItem(
        report=row.report,
        period=row.period,
        rules=row.rules,
        size=row.size,
        root=row.root,
        figures=row.figures,
        stated=row.stated,
        reported_at=row.reported_at,
        entry=row.entry_id,
    )


def publication_item(known: Publication) -> PublicationItem:
    """Return a publication as those who make it see it."""
    row, found = known.newest, known.spans()
    said = {one.place: one for one in newest(known.decisions())}
    open_ones = {(field, span) for field, span in undecided(found, list(said.values()))}
    return PublicationItem(
        publication=row.publication,
        form=row.form,
        kind=row.kind,
        state=known.state.value,
        version=row.version,
        case=row.case_id,
        until=row.until,
        fields=row.fields,
        reason=row.reason,
        drafted_by=row.drafted_by,
        drafted_at=row.drafted_at,
        spans=[
            _span_item(field, span, said.get((field, span.start, span.end)), is_open=(field, span) in open_ones)
            for field, spans in found.items()
            for span in spans
        ],
        published_version=known.issues[-1].version if known.issues else None,
    )


def _span_item(field: str, span: Span, said: Decision | None, *, is_open: bool) -> SpanItem:
    """Return a span with what was said of it last; one within a wider mask is decided without a word of its own."""
    return SpanItem(
        field=field,
        start=span.start,
        end=span.end,
        kind=span.kind.value,
        certainty=span.certainty.value,
        decided=not is_open,
        verdict=None if said is None else said.verdict.value,
        reason="" if said is None else said.reason,
    )
