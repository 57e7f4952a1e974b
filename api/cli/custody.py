"""`shilu custody`: who looked at a clip, or what a person looked at, from the record; on screen, as HTML or as PDF.

Works on the database itself, for whoever keeps the house. A PDF holds 500 lines: of a longer report the further parts
are written beside it, numbered (`report.pdf`, `report-2.pdf` ...). Exit codes are those of every command.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from api.cli.context import ask, parse_uuid
from api.cli.options import DatabaseOption, DataOption, JsonOption, config_from
from api.cli.output import print_json, print_table
from api.cli.run import run
from api.custody_reports import Asked, every_line, html_of, pdf_of, read_head
from api.handlers.custody import line_item
from api.services import Services
from evidence.core.clock import parse_time
from evidence.custody.report import ReportLine
from evidence.export.custody_paper import ReportHead, both_times, words_of
from ledger.durable import sync_file, sync_folder, write_file


def custody_command(
    clip: Annotated[str | None, typer.Argument(metavar="[CLIP]", help="Id of a clip.", show_default=False)] = None,
    staff: Annotated[str | None, typer.Option("--staff", help="Id of a person, instead of a clip.")] = None,
    since: Annotated[
        str | None, typer.Option("--from", help="With --staff: on record since, such as 2026-11-01T00:00:00.000Z.")
    ] = None,
    until: Annotated[str | None, typer.Option("--to", help="With --staff: on record before.")] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write the whole report as one HTML file.")] = None,
    pdf: Annotated[Path | None, typer.Option("--pdf", help="Write it as PDF, 500 lines a file.")] = None,
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Report who looked at a clip, or what a person looked at: when, what for, from which session, what was served.

    Every line names its ledger entry and its place in the log. Times are the agency's, with UTC. 查看记录、保管链报告。
    """
    if (clip is None) == (staff is None):
        raise typer.BadParameter("name a clip, or a person with --staff")
    if clip is not None and (since or until):
        raise typer.BadParameter("--from and --to go with --staff; a clip's report is whole")
    first, last = _instant(since), _instant(until)

    async def do(services: Services) -> dict[str, object]:
        asked = Asked(
            clip=None if clip is None else parse_uuid(clip),
            staff=None if staff is None else parse_uuid(staff),
            since=first,
            until=last or services.clock(),
        )
        head = await read_head(services, asked)
        written = [str(path) for path in await _write(services, asked, html=html, pdf=pdf)]
        if not written:
            await _show(services, asked, head, as_json=as_json)
        return {"written": written}

    done = run(ask(config_from(data, database), do))
    if done["written"] and as_json:
        print_json(done)
    elif done["written"]:
        typer.echo("\n".join(map(str, _listed(done["written"]))))


async def _write(services: Services, asked: Asked, *, html: Path | None, pdf: Path | None) -> list[Path]:
    written = []
    if html is not None:
        await _write_html(services, asked, html)
        written.append(html)
    after: UUID | None = None
    while pdf is not None:
        body, after = await pdf_of(services, asked, after=after)
        written.append(pdf)
        write_file(pdf, body)
        if after is None:
            break
        pdf = _next_part(pdf, len(written) - (html is not None) + 1)
    return written


async def _write_html(services: Services, asked: Asked, path: Path) -> None:
    # Piece by piece, and under its name only when it is whole.
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("w", encoding="utf-8") as file:
            async for piece in html_of(services, asked):
                file.write(piece)
        sync_file(part)
        part.replace(path)
        sync_folder(path.parent)
    finally:
        part.unlink(missing_ok=True)


async def _show(services: Services, asked: Asked, head: ReportHead, *, as_json: bool) -> None:
    lines = [line async for line in every_line(services, asked)]
    if as_json:
        print_json(
            {
                "clip": asked.clip,
                "staff": asked.staff,
                "zone": head.zone.key,
                "log": {"origin": head.origin, "size": head.size, "root": head.root.hex()},
                "lines": [line_item(line, head.zone).model_dump(mode="json") for line in lines],
            }
        )
        return
    columns = ("index", f"time ({head.zone.key}, UTC)", "who", "what", "what for", "session", "served")
    print_table(columns, [_row(line, head) for line in lines], title=f"{head.about[0][1]} {head.about[1][1]}")
    typer.echo(f"{len(lines)} entries, {sum(line.looks for line in lines)} of them looking")


def _row(line: ReportLine, head: ReportHead) -> list[str]:
    what, purpose = words_of(line)
    served = [f"{name} {value}" for name, value in line.served.items() if value is not None]
    return [
        "-" if line.index is None else str(line.index),
        both_times(line.at, head.zone),
        line.name or line.actor,
        f"{what} {line.type}",
        purpose,
        "-" if line.session is None else str(line.session),
        "\n".join(served),
    ]


def _listed(written: object) -> list[object]:
    return list(written) if isinstance(written, list) else []


def _next_part(path: Path, number: int) -> Path:
    stem = path.stem if number == 2 else path.stem.rpartition("-")[0]
    return path.with_name(f"{stem}-{number}{path.suffix}")


def _instant(text: str | None) -> datetime | None:
    return None if text is None else parse_time(text)
