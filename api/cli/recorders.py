"""`shilu recorders`: the register of recorders, what their sequence tells, and whose they are, on the database itself.

Every assignment and explanation is an entry of the ledger under the actor `service`. Exit codes are those of every
command; `findings` exits with 1 when something is open.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer

from api.cli.context import ask, parse_uuid
from api.cli.exits import Exit
from api.cli.options import DatabaseOption, DataOption, JsonOption, config_from
from api.cli.output import print_json, print_table
from api.cli.run import run
from api.equipment import equipment_of
from api.handlers.recorders import finding_item, holder_span, recorder_item
from api.models.recorders import Equipment, RecorderFindingItem
from api.services import Services
from evidence.core.clock import format_time, parse_time
from evidence.recorders import register, register_store, store
from evidence.recorders.register_store import Holding
from evidence.recorders.store import FindingRow
from evidence.registers.officers import CertificateField, OfficerWords, register_officer
from evidence.registers.validity import Validity, parse_day

_ACTOR = "service"
_LISTED_MAX = 1000

app = typer.Typer(
    help="Recorders: last docking, findings, holders. 执法记录仪台账、编号与时间核对、领用记录。",
    no_args_is_help=True,
    add_completion=False,
)

RecorderArgument = Annotated[str, typer.Argument(metavar="RECORDER", help="Number of a recorder.")]


@app.command("list")
def list_all(data: DataOption = None, database: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """List recorders: last docking and dock, files that wait to be sealed, open findings, whose it is."""

    async def question(services: Services) -> list[dict[str, object]]:
        async with services.pool.acquire() as conn:
            rows = await register_store.list_recorders(conn, now=services.clock(), after="", limit=_LISTED_MAX)
            found = await store.open_findings(conn, [row.recorder for row in rows])
        items = [recorder_item(row, findings_open=found.get(row.recorder, 0)) for row in rows]
        return [item.model_dump(mode="json") for item in items]

    recorders = run(ask(config_from(data, database), question))
    if as_json:
        print_json({"recorders": recorders})
        return
    columns = ("recorder", "last docking", "dock", "files", "waiting", "open findings", "holder")
    names = ("recorder", "docked_at", "dock_name", "files", "files_waiting", "findings_open")
    print_table(columns, ([*(_cell(one[name]) for name in names), _person(one["holder"])] for one in recorders))


@app.command("findings")
def findings(
    recorder: Annotated[
        str | None, typer.Argument(metavar="[RECORDER]", help="Of one recorder only.", show_default=False)
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also what is explained, settled or mere information.")
    ] = False,
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what sequences tell: numbers, files and times that are missing, clocks; leads with their innocent causes.

    Exits with 1 when anything is open.
    """

    async def question(services: Services) -> list[FindingRow]:
        async with services.pool.acquire() as conn:
            if recorder is not None:
                await register.require_recorder(conn, recorder)
            return list(await store.findings_of(conn, recorder, before=None, limit=_LISTED_MAX))

    rows = [row for row in run(ask(config_from(data, database), question)) if everything or row.is_open]
    items = [finding_item(row) for row in rows]
    if as_json:
        print_json({"findings": [item.model_dump(mode="json") for item in items]})
    else:
        for item in items:
            _print_finding(item)
    if any(row.is_open for row in rows):
        raise typer.Exit(Exit.CHECK_FAILED)


@app.command("explain")
def explain(
    recorder: RecorderArgument,
    finding: Annotated[str, typer.Argument(metavar="FINDING", help="As `findings` names it: UUID.PLACE.")],
    text: Annotated[str, typer.Option("--text", help="How it came about; goes on record.")],
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say how a finding came about. It stays on record and is not open any more."""
    entry, _, place = finding.partition(".")
    number = parse_uuid(entry)
    if not place.isascii() or not place.isdigit():
        raise typer.BadParameter(f"{finding!r} is not UUID.PLACE")

    async def say(services: Services) -> UUID:
        async with services.pool.acquire() as conn, conn.transaction():
            return await register.explain_finding(
                conn,
                recorder=recorder,
                finding=number,
                place=int(place),
                text=text,
                actor=_ACTOR,
                clock=services.clock,
                entropy=services.entropy,
            )

    _say_entry(run(ask(config_from(data, database), say)), as_json=as_json)


@app.command("officer")
def officer(
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="Number of the officer.")],
    name: Annotated[str, typer.Option("--name", help="The officer's name.")],
    unit: Annotated[str, typer.Option("--unit", help="The officer's unit: its code or name.")],
    duty: Annotated[str | None, typer.Option("--duty", help="职务.", show_default=False)] = None,
    certificate: Annotated[str | None, typer.Option("--certificate", help="证件编号.", show_default=False)] = None,
    category: Annotated[str | None, typer.Option("--category", help="执法类别.", show_default=False)] = None,
    area: Annotated[str | None, typer.Option("--area", help="执法区域.", show_default=False)] = None,
    valid_from: Annotated[str | None, typer.Option("--valid-from", help="First valid day, 2026-01-01.")] = None,
    valid_until: Annotated[str | None, typer.Option("--valid-until", help="Last valid day, 2030-12-31.")] = None,
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Register an officer, or another version of the one who bears this number."""
    stated: dict[CertificateField, str | None] = {"duty": duty, "certificate": certificate, "category": category}
    words = OfficerWords(
        number=number,
        name=name,
        unit=unit,
        certificate={key: text for key, text in {**stated, "area": area}.items() if text is not None},
        validity=Validity(first=parse_day(valid_from), last=parse_day(valid_until)),
    )

    async def do(services: Services) -> UUID:
        async with services.pool.acquire() as conn, conn.transaction():
            done = await register_officer(
                conn,
                words,
                actor=_ACTOR,
                clock=services.clock,
                entropy=services.entropy,
            )
        return done.entry_id

    _say_entry(run(ask(config_from(data, database), do)), as_json=as_json)


@app.command("assign")
def assign(
    recorder: RecorderArgument,
    to: Annotated[str | None, typer.Option("--to", help="Number of the officer.", show_default=False)] = None,
    nobody: Annotated[bool, typer.Option("--nobody", help="Nobody's from now on.")] = False,
    since: Annotated[
        str | None, typer.Option("--since", help="From when on, 2026-11-21T08:00:00.000Z; now without it.")
    ] = None,
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give a recorder to an officer, or take it back."""
    if (to is None) is not nobody:
        raise typer.BadParameter("either --to NUMBER or --nobody")
    begins = None if since is None else parse_time(since)

    async def do(services: Services) -> UUID:
        async with services.pool.acquire() as conn, conn.transaction():
            return await register.assign_recorder(
                conn,
                recorder=recorder,
                number=to,
                since=begins,
                actor=_ACTOR,
                clock=services.clock,
                entropy=services.entropy,
            )

    _say_entry(run(ask(config_from(data, database), do)), as_json=as_json)


@app.command("holders")
def holders(
    recorder: RecorderArgument, data: DataOption = None, database: DatabaseOption = None, as_json: JsonOption = False
) -> None:
    """Say whose a recorder was when."""

    async def question(services: Services) -> list[Holding]:
        async with services.pool.acquire() as conn:
            await register.require_recorder(conn, recorder)
            return list(await register_store.holdings_of(conn, recorder))

    spans = [holder_span(span).model_dump(mode="json") for span in run(ask(config_from(data, database), question))]
    if as_json:
        print_json({"recorder": recorder, "holders": spans})
        return
    print_table(
        ("from", "until", "holder"),
        ([_cell(one["since"]), _cell(one["until"]), _person(one["holder"])] for one in spans),
    )


@app.command("equipment")
def equipment(data: DataOption = None, database: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """Show recorders per officer in every unit; units below SHILU_RECORDERS_PER_OFFICER_TARGET come first."""

    async def question(services: Services) -> Equipment:
        async with services.pool.acquire() as conn:
            target = services.config.recorders_per_officer_target
            return await equipment_of(conn, now=services.clock(), target=target)

    found = run(ask(config_from(data, database), question))
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    rows = ([one.unit, str(one.officers), str(one.recorders), f"{one.ratio:g}"] for one in found.units)
    print_table(("unit", "officers", "recorders", "per officer"), rows, title=f"target: {found.target:g}")


def _print_finding(item: RecorderFindingItem) -> None:
    typer.echo(f"{item.weight.value:<6} {item.code:<28} {item.recorder}  {format_time(item.noticed_at)}")
    typer.echo(f"       {item.message} / {item.message_zh}")
    for name, value in item.facts.items():
        typer.echo(f"       {name}: {_fact(value)}")
    typer.echo(f"       may be innocent: {item.causes} / {item.causes_zh}")
    typer.echo(f"       finding {item.finding}.{item.place}{', settled since' if item.settled else ''}")
    for said in item.explanations:
        typer.echo(f"       explained by {said.by}: {said.text}")


def _fact(value: object) -> str:
    match value:
        case {"path": path, **rest}:
            times = " to ".join(str(rest[name]) for name in ("starts_at", "ends_at") if name in rest)
            return f"{path} ({times})"
        case list():
            return "; ".join(_fact(one) for one in value)
        case _:
            return str(value)


def _person(holder: object) -> str:
    match holder:
        case {"number": number, "name": name, "unit": unit}:
            return f"{name} {number} ({unit})"
        case _:
            return "-"


def _cell(value: object) -> str:
    return "-" if value is None else str(value)


def _say_entry(entry: UUID, *, as_json: bool) -> None:
    if as_json:
        print_json({"entry": entry})
    else:
        typer.echo(f"on record as entry {entry}")
