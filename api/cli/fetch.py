"""`shilu fetch`: a package from a running service, going on after a broken connection or a kill.

Exit codes are those of every command; 2 for a package that is not there or a place that is taken, 3 when the network,
the service or the disk is in the way, or what came is not what is on record.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli.context import parse_uuid
from api.cli.options import JsonOption, TokenOption, UrlOption
from api.cli.output import print_json
from api.cli.progress import showing_bytes
from api.cli.run import run
from api.client import open_client
from api.package_download import Downloaded, download_package
from evidence.parties.purposes import PURPOSES

_PURPOSES_HELP = "Why: " + ", ".join(f"{key} ({chinese})" for key, (chinese, _) in PURPOSES.items()) + "."


def fetch_command(
    export: Annotated[str, typer.Argument(metavar="EXPORT", help="Id of a package.")],
    to: Annotated[Path, typer.Option("--to", metavar="FILE", help="File to make, a .zip; it must not exist.")],
    token: TokenOption,
    purpose: Annotated[str, typer.Option("--purpose", help=_PURPOSES_HELP)] = "litigation",
    url: UrlOption = "http://127.0.0.1:8440",
    as_json: JsonOption = False,
) -> None:
    """下载证据包 · Fetch a package. Logged first; compared with the record before it has its name.

    When the connection breaks this goes on by itself; when it was stopped or killed, call it again with the same file:
    what lies in FILE.part is kept and counts.
    """
    if purpose not in PURPOSES:
        raise typer.BadParameter(f"{purpose!r} is not one of: {', '.join(PURPOSES)}")
    wanted = parse_uuid(export)

    async def question() -> Downloaded:
        with showing_bytes("fetching") as advance:
            async with open_client(url, token) as client:
                return await download_package(client, wanted, purpose=purpose, to=to, advance=advance)

    came = run(question())
    if as_json:
        print_json(
            {
                "export": came.export,
                "file": came.file,
                "entry": came.entry,
                "size": came.size,
                "resumed_from": came.resumed_from,
            }
        )
        return
    typer.echo(f"{came.file}: {came.size} bytes, {came.resumed_from} of them from before")
    typer.echo("unpack it, and check it with: shilu-verify FOLDER --log-key KEY")
