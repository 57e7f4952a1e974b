"""`shilu case`: a case against its recording-item list, its order, what stands against archiving, and archiving it.

Works on the database itself; what it puts on record stands under the actor `service`. Exit codes are those of every
command; `coverage` exits with 1 when something is missing, `archive` when it is refused.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from pydantic import TypeAdapter, ValidationError

from api.cli.context import ask
from api.cli.exits import Exit
from api.cli.options import DatabaseOption, DataOption, JsonOption, config_from
from api.cli.output import print_json, print_table
from api.cli.progress import showing_bytes
from api.cli.run import run
from api.handlers.case_files import coverage_item, structure_of, verify_files
from api.handlers.cases import case_page
from api.models.case_files import CaseCoverage
from api.services import Services
from evidence.cases.archive import Archived, archive_case
from evidence.cases.errors import ArchiveRefused
from evidence.cases.file import CaseFile, open_file, state
from evidence.cases.items import day_of
from evidence.cases.statements import Statement
from evidence.cases.store import find_case_by_number
from evidence.cases.structure import print_structure
from evidence.core.clock import format_time
from evidence.deadlines.store import rule_book
from evidence.errors import CaseUnknown

_ACTOR = "service"
_STATEMENT: TypeAdapter[Statement] = TypeAdapter(Statement)

app = typer.Typer(
    help="Cases: coverage, order of the file, archiving. 案件：应录未录、案卷目录、归档。",
    no_args_is_help=True,
    add_completion=False,
)

CaseArgument = Annotated[str, typer.Argument(metavar="CASE", help="Number or id of a case.")]


@app.command("coverage")
def coverage(
    case: CaseArgument, data: DataOption = None, database: DatabaseOption = None, as_json: JsonOption = False
) -> None:
    """Show what of the recording-item list is recorded, exempted or missing, with gaps to the second.

    Exits with 1 when something that had to be recorded is missing, has unexplained gaps, or is off the list.
    """
    found = coverage_item(run(ask(config_from(data, database), lambda services: _file(services, case))))
    if as_json:
        print_json(found.model_dump(mode="json"))
    else:
        _print_coverage(found)
    wanting = {"missing", "gaps", "unstated"}
    if any(one.state in wanting for one in found.standings) or any(one.argument is None for one in found.off_list):
        raise typer.Exit(Exit.CHECK_FAILED)


@app.command("show")
def show(
    case: CaseArgument, data: DataOption = None, database: DatabaseOption = None, as_json: JsonOption = False
) -> None:
    """Show a case and print its 案卷目录: exhibits and documents in their order."""

    async def question(services: Services) -> tuple[CaseFile, dict[str, object]]:
        file = await _file(services, case)
        async with services.pool.acquire() as conn:
            book = await rule_book(conn)
        return file, case_page(file, today=day_of(services.clock()), book=book).model_dump(mode="json")

    file, page = run(ask(config_from(data, database), question))
    if as_json:
        print_json({"case": page, "structure": structure_of(file).model_dump(mode="json")})
        return
    typer.echo(print_structure(file))
    typer.echo(f"state {page['state']}, version {page['version']}, action {page['kind'] or '-'}")
    match page["due"]:
        case {"due_on": str(last), "source": source, "overdue": overdue}:
            typer.echo(f"to be archived by {last} ({source}){': OVERDUE' if overdue else ''}")
        case _:
            pass


@app.command("state")
def say(
    case: CaseArgument,
    statement: Annotated[
        str,
        typer.Argument(
            metavar="JSON|@FILE",
            help='Such as {"kind":"conclusion","on":"2026-11-21"}; kinds: document, activity, gap, exemption, '
            "argument, conclusion, withdrawal, addendum (see /openapi.json).",
        ),
    ],
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a statement about a case on record: a document, an activity, an exemption, its conclusion."""
    said = _statement(statement)

    async def do(services: Services) -> UUID:
        async with services.pool.acquire() as conn, conn.transaction():
            return await state(
                conn,
                case_id=await _id(services, case),
                statement=said,
                actor=_ACTOR,
                clock=services.clock,
                entropy=services.entropy,
            )

    entry = run(ask(config_from(data, database), do))
    if as_json:
        print_json({"entry": entry})
    else:
        typer.echo(f"on record as entry {entry}")


@app.command("archive")
def archive(
    case: CaseArgument,
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Archive a case: verify every original, freeze the whole. Refused with every reason at once, exit code 1."""

    async def do(services: Services) -> Archived:
        id_ = await _id(services, case)
        with showing_bytes("verifying") as advance:
            verified = await verify_files(services, id_, advance=advance)
        async with services.pool.acquire() as conn, conn.transaction():
            return await archive_case(
                conn,
                case_id=id_,
                verified=verified,
                actor=_ACTOR,
                clock=services.clock,
                entropy=services.entropy,
            )

    try:
        done = run(ask(config_from(data, database), do))
    except ArchiveRefused as error:
        _print_refusal(error, as_json=as_json)
        raise typer.Exit(Exit.CHECK_FAILED) from None
    if as_json:
        print_json({"entry": done.entry_id, "root": done.root.hex()})
    else:
        typer.echo(f"archived, on record as entry {done.entry_id}, root {done.root.hex()}")


def _print_refusal(error: ArchiveRefused, *, as_json: bool) -> None:
    if as_json:
        print_json({"archived": False, **error.details})
        return
    reasons = error.details["reasons"]
    for reason in reasons if isinstance(reasons, list) else ():
        about = ", ".join(f"{name} {value}" for name, value in reason.items() if name not in {"code", "means"})
        typer.echo(f"{reason['code']:<20} {reason['means']}{': ' + about if about else ''}")
    typer.echo(f"{error.details['count']} things stand against archiving")


def _print_coverage(found: CaseCoverage) -> None:
    rows = (
        [one.state, one.mode, one.item, one.title, ",".join(map(str, one.exhibits)) or "-", one.source]
        for one in found.standings
    )
    print_table(("state", "mode", "item", "事项", "exhibits", "source"), rows)
    for one in found.standings:
        for hole in one.gaps:
            span = f"{format_time(hole.starts_at)} to {format_time(hole.ends_at)}"
            typer.echo(f"gap in {one.item}: {span}, {hole.seconds:g} s: {hole.reason or '?'}")
        for lack in one.elements_missing:
            typer.echo(f"{one.item}: no {lack.element} in exhibits {lack.exhibits}")
    for stray in found.off_list:
        typer.echo(f"off the list: exhibit {stray.exhibit} ({stray.item}), 合法性论证: {stray.argument or 'missing'}")
    for differ in found.times:
        deltas = f"starts {differ.start_seconds:+g} s, ends {differ.end_seconds:+g} s"
        typer.echo(f"{differ.document} {differ.number or ''}: footage {deltas}")
    if found.unclassified:
        typer.echo(f"exhibits without a recording item: {found.unclassified}")


def _statement(text: str) -> Statement:
    raw = Path(text[1:]).read_text(encoding="utf-8") if text.startswith("@") else text
    try:
        return _STATEMENT.validate_python(json.loads(raw))
    except (ValidationError, ValueError) as error:
        raise typer.BadParameter(f"this is no statement: {error}") from None


async def _file(services: Services, case: str) -> CaseFile:
    id_ = await _id(services, case)
    async with services.pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        return await open_file(conn, id_)


async def _id(services: Services, case: str) -> UUID:
    try:
        return UUID(case)
    except ValueError:
        async with services.pool.acquire() as conn:
            found = await find_case_by_number(conn, case)
    if found is None:
        raise CaseUnknown(f"there is no case with the number {case}")
    return found.case_id
