"""What is said about cases: statements, amendments, the order of the file, coverage."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from aiohttp import web

from api import archiving
from api.answers import json_answer
from api.archiving import archive_step
from api.call import Call
from api.case_sight import (
    files_of,
    hidden_files,
    seen_coverage,
    seen_readiness,
    seen_statements,
    seen_structure,
)
from api.models.case_files import (
    AmendCase,
    ArchiveGoing,
    ArchiveMade,
    ArrangeCase,
    CaseArchive,
    CaseCoverage,
    CaseReadiness,
    CaseStructure,
    CaseVersion,
    ElementItem,
    GapItem,
    ItemStanding,
    OffListItem,
    PlaceItem,
    ReasonItem,
    SectionItem,
    StateAboutCase,
    StatementItem,
    StatementItems,
    TimesItem,
    UnlinkClip,
)
from api.models.common import PageQuery, Recorded
from api.preconditions import expected_version, once
from api.route import NoQuery
from api.services import Services
from api.tasks import Advance, verify_clips
from evidence.cases.archive import files_to_verify, readiness
from evidence.cases.cases import get_case, unlink_clip
from evidence.cases.coverage import EXEMPTED, NOT_HELD, RECORDED, ItemCoverage
from evidence.cases.errors import CaseNotArchived
from evidence.cases.file import Amendment, CaseFile, amend, arrange, dossier_of, open_file, state
from evidence.cases.readiness import Reason
from evidence.cases.statement_store import statements_of
from evidence.cases.structure import structure
from evidence.core.wire.receipt import format_receipt
from evidence.db.pool import Connection
from evidence.receipts import build_receipt
from ledger.findings import Severity


def _silent(_name: str, _done: int, _total: int) -> None:
    """Nobody watches."""


async def say(call: Call[StateAboutCase, NoQuery]) -> web.Response:
    """Put a statement about a case on record."""
    services = call.services

    async def work(conn: Connection) -> Recorded:
        entry = await state(
            conn,
            case_id=call.id("case"),
            statement=call.body.statement,
            actor=call.actor,
            clock=services.clock,
            entropy=services.entropy,
        )
        return Recorded(entry=entry)

    return await once(call, route="state_about_case", work=work)


async def statements(call: Call[None, PageQuery]) -> web.Response:
    """List what was said about a case."""
    limit = call.query.limit
    async with call.services.pool.acquire() as conn:
        await get_case(conn, call.id("case"))
        rows = await statements_of(conn, call.id("case"), after=call.query.after_id(), limit=limit + 1)
    items = [
        StatementItem(
            entry=row.entry_id,
            kind=row.kind,
            content=dict(row.content),
            stated_by=row.stated_by,
            stated_at=row.stated_at,
        )
        for row in rows[:limit]
    ]
    following = str(items[-1].entry) if len(rows) > limit else None
    hidden, _ = await _hidden(call, await _file(call))
    return json_answer(StatementItems(items=seen_statements(items, hidden), next=following))


async def unlink(call: Call[UnlinkClip, NoQuery]) -> web.Response:
    """Take an exhibit out of a case; its number stays used."""
    services = call.services

    async def work(conn: Connection) -> Recorded:
        entry = await unlink_clip(
            conn,
            case_id=call.id("case"),
            exhibit=call.body.exhibit,
            reason=call.body.reason,
            actor=call.actor,
            clock=services.clock,
            entropy=services.entropy,
        )
        return Recorded(entry=entry)

    return await once(call, route="unlink_clip", work=work)


async def change(call: Call[AmendCase, NoQuery]) -> web.Response:
    """Amend a case, based on the version the caller has seen."""
    services, body = call.services, call.body
    async with services.pool.acquire() as conn, conn.transaction():
        version = await amend(
            conn,
            case_id=call.id("case"),
            amendment=Amendment(reason=body.reason, title=body.title, handlers=body.handlers, facts=body.facts),
            expected_version=expected_version(call.request),
            actor=call.actor,
            clock=services.clock,
            entropy=services.entropy,
        )
    return _at(version)


async def order(call: Call[ArrangeCase, NoQuery]) -> web.Response:
    """Arrange the 案卷, based on the version the caller has seen."""
    services = call.services
    async with services.pool.acquire() as conn, conn.transaction():
        version = await arrange(
            conn,
            case_id=call.id("case"),
            sections=call.body.sections,
            expected_version=expected_version(call.request),
            actor=call.actor,
            clock=services.clock,
            entropy=services.entropy,
        )
    return _at(version)


async def read_order(call: Call[None, NoQuery]) -> web.Response:
    """Return the 案卷 in its order."""
    file = await _file(call)
    hidden, _ = await _hidden(call, file)
    shown = seen_structure(structure_of(file), hidden)
    answer = json_answer(shown)
    answer.headers["ETag"] = f'"{shown.version}"'
    return answer


async def read_coverage(call: Call[None, NoQuery]) -> web.Response:
    """Return a case against its list."""
    file = await _file(call)
    _, numbers = await _hidden(call, file)
    return json_answer(seen_coverage(coverage_item(file), numbers))


def structure_of(file: CaseFile) -> CaseStructure:
    """Return the 案卷 of a case in its order."""
    return CaseStructure(
        case=file.case.case_id,
        number=file.case.number,
        title=file.dossier.title,
        version=file.dossier.version,
        sections=[
            SectionItem(
                title=section.title,
                places=[
                    PlaceItem(
                        exhibit=one.exhibit,
                        document=one.document,
                        clip=one.clip,
                        title=one.title,
                        number=one.number,
                    )
                    for one in section.places
                ],
            )
            for section in structure(file)
        ],
    )


def coverage_item(file: CaseFile) -> CaseCoverage:
    """Return a case against its list, as it is shown."""
    found = file.coverage
    return CaseCoverage(
        case=file.case.case_id,
        items=file.case.items,
        required=[one.item.key for one in found.items if one.required],
        recorded=found.in_state(RECORDED),
        exempted=found.in_state(EXEMPTED),
        not_held=found.in_state(NOT_HELD),
        missing=found.missing,
        gap_seconds=found.gap_seconds,
        standings=[_standing(one) for one in found.items],
        off_list=[
            OffListItem(exhibit=one.exhibit, clip=one.clip, item=one.item, argument=one.argument)
            for one in found.off_list
        ],
        unclassified=list(found.unclassified),
        undated=list(found.undated),
        times=[
            TimesItem(
                document=one.document.name,
                number=one.document.number,
                starts_at=one.document.time.start,
                ends_at=one.document.time.end,
                footage_starts_at=one.footage.start,
                footage_ends_at=one.footage.end,
                start_seconds=one.start_seconds,
                end_seconds=one.end_seconds,
                exhibits=list(one.exhibits),
            )
            for one in found.times
        ],
    )


def _standing(one: ItemCoverage) -> ItemStanding:
    return ItemStanding(
        item=one.item.key,
        title=one.item.title,
        mode=one.item.mode,
        required=one.required,
        state=one.state,
        exhibits=list(one.exhibits),
        gaps=[
            GapItem(starts_at=gap.time.start, ends_at=gap.time.end, seconds=gap.time.seconds, reason=gap.reason)
            for gap in one.gaps
        ],
        elements_missing=[
            ElementItem(element=lack.element, exhibits=list(lack.exhibits)) for lack in one.elements_missing
        ],
        source=one.item.source,
    )


async def _file(call: Call[None, NoQuery] | Call[None, PageQuery]) -> CaseFile:
    case: UUID = call.id("case")
    async with call.services.pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        return await open_file(conn, case)


async def _hidden(
    call: Call[None, NoQuery] | Call[None, PageQuery], file: CaseFile
) -> tuple[set[UUID], set[int | None]]:
    """Return the files of a case that the caller may not know of, and the exhibit numbers of those."""
    files = files_of(file)
    async with call.services.pool.acquire() as conn:
        hidden = await hidden_files(conn, call.person, files)
    return hidden, {files[one] for one in hidden}


def _at(version: int) -> web.Response:
    answer = json_answer(CaseVersion(version=version))
    answer.headers["ETag"] = f'"{version}"'
    return answer


async def close(call: Call[None, NoQuery]) -> web.Response:
    """Verify files of a case for a while; once all of them are, look at the whole under its locks and freeze it."""
    step = await archive_step(call.services, call.id("case"), actor=call.actor, seconds=archiving.STEP_SECONDS)
    if step.archived is None:
        return json_answer(ArchiveGoing(files=step.files, verified=step.verified), status=202)
    return json_answer(ArchiveMade(entry=step.archived.entry_id, root=step.archived.root), status=201)


async def read_readiness(call: Call[None, NoQuery]) -> web.Response:
    """Return what stands against archiving; files are taken to verify, which only archiving finds out."""
    case = call.id("case")
    async with call.services.pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        files = await files_to_verify(conn, case)
        against = await readiness(conn, case, verified=dict.fromkeys(files, ()))
    hidden, numbers = await _hidden(call, await _file(call))
    return json_answer(seen_readiness(readiness_item(case, against), hidden, numbers))


def readiness_item(case: UUID, against: Sequence[Reason]) -> CaseReadiness:
    """Return what stands against archiving, as it is shown."""
    reasons = [ReasonItem.model_validate(reason.as_json()) for reason in against]
    return CaseReadiness(case=case, ready=not reasons, reasons=reasons)


async def read_archive(call: Call[None, NoQuery]) -> web.Response:
    """Return what was frozen when a case was archived, with the receipt of the entry that says so."""
    return json_answer(await archive_item(call.services, call.id("case")))


async def archive_item(services: Services, case: UUID) -> CaseArchive:
    """Return an archived case as it is shown.

    Raises:
        CaseUnknown: There is no such case.
        CaseNotArchived: It is open.
    """
    async with services.pool.acquire() as conn:
        archived = (await dossier_of(conn, case)).archived
        if archived is None:
            raise CaseNotArchived("the case is not archived yet")
        receipt = await build_receipt(conn, services.reader, archived.entry_id)
    content = archived.content
    return CaseArchive.model_validate(
        {
            "case": case,
            "entry": archived.entry_id,
            "archived_at": archived.stated_at,
            "archived_by": archived.stated_by,
            "root": content["root"],
            "manifest": content["manifest"],
            "receipt": None if receipt is None else format_receipt(receipt).decode(),
        }
    )


async def verify_files(services: Services, case: UUID, *, advance: Advance = _silent) -> dict[UUID, list[str]]:
    """Verify every sealed file of a case; return what is wrong with each, nothing for one that holds."""
    async with services.pool.acquire() as conn:
        files = await files_to_verify(conn, case)
    return {
        one.clip: [found.code for found in one.findings if found.severity is Severity.ERROR]
        async for one in verify_clips(services, files, advance=advance)
    }
