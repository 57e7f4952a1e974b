"""Cases: open, list, and make clips their exhibits."""

from __future__ import annotations

from datetime import date

from aiohttp import web

from api.answers import json_answer
from api.call import Call
from api.errors import CursorInvalid
from api.models.cases import (
    CaseDue,
    CaseItem,
    CaseItems,
    CaseMade,
    CasePage,
    ExhibitItem,
    ExhibitItems,
    ExhibitMade,
    LinkClip,
    OpenCase,
)
from api.models.common import PageQuery
from api.preconditions import once
from api.route import NoQuery
from evidence.access.errors import AccessDenied
from evidence.access.policy import Because
from evidence.access.sight import known_clips
from evidence.cases.cases import Opening, link_clip, list_cases, list_exhibits, open_case
from evidence.cases.facts import CaseFacts
from evidence.cases.file import CaseFile, open_file
from evidence.cases.items import day_of
from evidence.cases.store import CaseRow
from evidence.db.paging import LAST_INTEGER
from evidence.db.pool import Connection
from evidence.deadlines.archiving import archive_due
from evidence.deadlines.rules import RuleBook
from evidence.deadlines.store import rule_book


async def create(call: Call[OpenCase, NoQuery]) -> web.Response:
    """Open a case."""
    services, body = call.services, call.body

    if body.unit is not None and not (call.person.all_units or body.unit in call.person.units):
        raise AccessDenied("this unit is out of reach", because=Because.REACH.value)

    async def work(conn: Connection) -> CaseMade:
        opened = await open_case(
            conn,
            number=body.number,
            title=body.title,
            actor=call.actor,
            clock=services.clock,
            entropy=services.entropy,
            more=Opening(kind=body.kind, unit=body.unit, agency=body.agency, handlers=body.handlers, facts=body.facts),
        )
        return CaseMade(case=opened.case_id, number=body.number, title=body.title, entry=opened.entry_id)

    return await once(call, route="open_case", work=work)


async def list_all(call: Call[None, PageQuery]) -> web.Response:
    """List cases."""
    limit = call.query.limit
    async with call.services.pool.acquire() as conn:
        cases = await list_cases(conn, before=call.query.after_id(), limit=limit + 1, scope=call.scope())
    items = [_item(case) for case in cases[:limit]]
    return json_answer(CaseItems(items=items, next=str(items[-1].case) if len(cases) > limit else None))


async def get(call: Call[None, NoQuery]) -> web.Response:
    """Return a case."""
    async with call.services.pool.acquire() as conn:
        file = await open_file(conn, call.id("case"))
        book = await rule_book(conn)
    answer = json_answer(case_page(file, today=day_of(call.services.clock()), book=book))
    answer.headers["ETag"] = f'"{file.dossier.version}"'
    return answer


async def link(call: Call[LinkClip, NoQuery]) -> web.Response:
    """Make a clip the next exhibit of a case; one that is an exhibit already keeps its number."""
    services = call.services
    async with services.pool.acquire() as conn, conn.transaction():
        linked = await link_clip(
            conn,
            case_id=call.id("case"),
            clip=call.body.clip,
            actor=call.actor,
            clock=services.clock,
            entropy=services.entropy,
        )
    status = 200 if linked.repeated else 201
    return json_answer(ExhibitMade(exhibit=linked.exhibit, entry=linked.entry_id), status=status)


async def exhibits(call: Call[None, PageQuery]) -> web.Response:
    """List the exhibits of a case."""
    limit = call.query.limit
    after = _exhibit_number(call.query.cursor)
    async with call.services.pool.acquire() as conn:
        links = await list_exhibits(conn, call.id("case"), after=after, limit=limit + 1)
        known = await known_clips(conn, call.person, [link.clip for link in links])
    items = [
        ExhibitItem(
            exhibit=link.exhibit,
            clip=link.clip,
            linked_by=link.linked_by,
            linked_at=link.linked_at,
            entry=link.entry_id,
        )
        for link in links[:limit]
        if link.clip in known
    ]
    return json_answer(ExhibitItems(items=items, next=str(links[limit - 1].exhibit) if len(links) > limit else None))


def _exhibit_number(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not cursor.isascii() or not cursor.isdigit() or int(cursor[:12]) > LAST_INTEGER:
        raise CursorInvalid("the cursor is not from this list")
    return int(cursor)


def case_page(file: CaseFile, *, today: date, book: RuleBook) -> CasePage:
    """Return a case as its page shows it; `book` holds the agency's deadlines."""
    dossier = file.dossier
    due = archive_due(file.content, action=file.case.kind, concluded_on=dossier.concluded_on, book=book)
    shown = _item(file.case).model_dump() | {
        "title": dossier.title,
        "handlers": list(dossier.handlers),
        "facts": dossier.facts,
        "state": dossier.state,
    }
    return CasePage(
        **shown,
        version=dossier.version,
        due=None
        if due is None
        else CaseDue(
            concluded_on=due.concluded_on,
            due_on=due.due_on,
            overdue=dossier.archived is None and due.is_overdue(today),
            source=due.source,
        ),
        archived_at=dossier.archived.stated_at if dossier.archived else None,
        archive_entry=dossier.archived.entry_id if dossier.archived else None,
        addenda=len(dossier.addenda),
    )


def _item(case: CaseRow) -> CaseItem:
    return CaseItem(
        case=case.case_id,
        number=case.number,
        title=case.title,
        opened_by=case.opened_by,
        opened_at=case.opened_at,
        exhibits=case.exhibits,
        entry=case.entry_id,
        kind=case.kind,
        unit=case.unit,
        items=case.items,
        handlers=list(case.handlers),
        facts=CaseFacts.model_validate(case.facts),
        state=case.state,
    )
