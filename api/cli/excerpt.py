"""`shilu excerpt`: some seconds of a clip, provable by themselves, and a copy of them to look at.

Exit codes are those of every command; 2 for times without footage, 3 when the folder cannot be written.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from api.cli.context import ask, parse_uuid
from api.cli.options import DatabaseOption, DataOption, JsonOption, config_from
from api.cli.output import print_json
from api.cli.run import run
from api.excerpts import excerpt
from api.services import Services
from evidence.export.excerpt import Excerpted
from evidence.parties.purposes import PURPOSES
from ingest.excerpts import Wish

_TIME = re.compile(r"(?:(?:(\d{1,3}):)?(\d{1,2}):)?(\d{1,6})(?:\.(\d{1,3}))?", re.ASCII)
PURPOSES_HELP = "Why: " + ", ".join(f"{key} ({chinese})" for key, (chinese, _) in PURPOSES.items()) + "."
TIME_HELP = "seconds or [hours:]minutes:seconds, as the player shows them."


def excerpt_command(
    clip: Annotated[str, typer.Argument(metavar="CLIP", help="Id of a clip.")],
    begin: Annotated[str, typer.Option("--from", help=f"Where it begins: {TIME_HELP}")],
    end: Annotated[str, typer.Option("--to", help=f"Where it ends: {TIME_HELP}")],
    out: Annotated[Path, typer.Option("--out", help="Folder to make.")],
    purpose: Annotated[str, typer.Option("--purpose", help=PURPOSES_HELP)] = "litigation",
    cut: Annotated[
        bool, typer.Option("--cut/--no-cut", help="Put a playable copy beside it: a derivative, not evidence.")
    ] = True,
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the part of an original that holds some seconds, with proofs that it is an untouched part. Logged first.

    Whoever gets the folder checks it with `shilu-verify FOLDER --log-key KEY`, which also says what was left out;
    `--rebuild FILE` makes a file of it that players open.
    """
    if purpose not in PURPOSES:
        raise typer.BadParameter(f"{purpose!r} is not one of: {', '.join(PURPOSES)}")
    wish = Wish(
        clip=parse_uuid(clip),
        from_ms=milliseconds(begin),
        to_ms=milliseconds(end),
        purpose=purpose,
        actor="service",
        cut=cut,
    )

    async def question(services: Services) -> Excerpted:
        return await excerpt(services, wish, target=out)

    made = run(ask(config_from(data, database), question))
    if as_json:
        print_json(_body(made))
        return
    statement = made.statement
    typer.echo(f"{made.folder}: {statement.held_bytes} of {statement.size} bytes in {len(statement.runs)} runs")
    typer.echo(f"check with: shilu-verify {made.folder} --log-key KEY")


def milliseconds(text: str) -> int:
    """Read a time as `TIME_HELP` says.

    Raises:
        BadParameter: It is none.
    """
    matched = _TIME.fullmatch(text)
    if matched is None:
        raise typer.BadParameter(f"{text!r} is neither seconds nor [hours:]minutes:seconds")
    hours, minutes, seconds, rest = matched.groups()
    whole = int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds)
    return whole * 1000 + int((rest or "").ljust(3, "0"))


def _body(made: Excerpted) -> dict[str, object]:
    statement = made.statement
    return {
        "clip": statement.clip,
        "folder": made.folder,
        "entry": made.entry_id,
        "size": statement.size,
        "held_bytes": statement.held_bytes,
        "runs": [{"first_chunk": run.first, "last_chunk": run.stop - 1} for run in statement.runs],
        "shown": None
        if statement.shown is None
        else {"from_ms": statement.shown.from_ms, "to_ms": statement.shown.to_ms},
        "cut": None if statement.cut is None else statement.cut.name,
    }
