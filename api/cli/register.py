"""`shilu register`: lists of units, officers and recorders into the registers, on the database itself.

A dry run names every row that cannot be taken and changes nothing; `--apply` takes all rows in one transaction, or
none. What was taken is on record under the actor `service`, with the file's SHA-256. Exit codes are those of every
command; 1 when a row cannot be taken.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli.context import ask
from api.cli.exits import Exit
from api.cli.options import DatabaseOption, DataOption, JsonOption, config_from
from api.cli.output import print_json, print_table
from api.cli.run import run
from api.handlers.imports import import_item
from api.services import Services
from evidence.registers.errors import SheetInvalid
from evidence.registers.importers import template_of
from evidence.registers.importing import ImportReport, RegisterKind, import_register
from evidence.registers.sheets import FILE_BYTES_MAX

app = typer.Typer(
    help="Registers of units, officers and recorders from lists. 由表格导入单位、人员、设备台账。",
    no_args_is_help=True,
    add_completion=False,
)

KindOption = Annotated[RegisterKind, typer.Option("--kind", help="What the list is a list of.")]


@app.command("import")
def import_list(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV (UTF-8, GB18030) or XLSX.", dir_okay=False)],
    kind: KindOption = RegisterKind.OFFICERS,
    apply: Annotated[
        bool, typer.Option("--apply/--dry-run", help="Take the rows; without it, only say what is wrong with them.")
    ] = False,
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Import a list: a dry run names every bad row, --apply takes all rows or none. Exits with 1 when a row is bad.

    Rows that say what is on record already change nothing, so the same file may be applied again.
    """

    async def do(services: Services, *, take: bool) -> ImportReport:
        return await import_register(
            services.pool,
            content,
            kind=kind,
            name=file.name,
            apply=take,
            actor="service",
            clock=services.clock,
            entropy=services.entropy,
        )

    async def both(services: Services) -> ImportReport:
        report = await do(services, take=False)
        return await do(services, take=True) if apply and not report.bad else report

    content = _read(file)
    report = run(ask(config_from(data, database), both))
    if as_json:
        print_json(import_item(report).model_dump(mode="json"))
    else:
        _print(report)
    if report.bad:
        raise typer.Exit(Exit.CHECK_FAILED)


@app.command("template")
def template(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The CSV file to write; it must not exist.")],
    kind: KindOption = RegisterKind.OFFICERS,
) -> None:
    """Write an empty list with its headings."""
    try:
        with file.open("xb") as target:
            target.write(template_of(kind.value))
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be written: {error.strerror}") from error


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as source:
            content = source.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be read: {error.strerror}") from error
    if len(content) > FILE_BYTES_MAX:
        raise SheetInvalid(f"the file has more than {FILE_BYTES_MAX} bytes")
    return content


def _print(report: ImportReport) -> None:
    if report.bad:
        rows = ([str(one.row), one.column, one.code, one.value, one.message] for one in report.bad)
        print_table(("row", "column", "code", "value", "why"), rows)
    done = "applied" if report.applied else "nothing was changed"
    typer.echo(f"{report.rows} rows, {report.changed} would change or changed the register: {done}")
    typer.echo(f"sha256 {report.sha256.hex()}")
