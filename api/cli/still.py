"""`shilu still`: one picture of a clip, decoded from its sealed original, in a file.

Exit codes are those of every command; 2 for a picture that there is not, 3 when the file cannot be written.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli.context import ask, parse_uuid
from api.cli.excerpt import PURPOSES_HELP, TIME_HELP, milliseconds
from api.cli.options import DatabaseOption, DataOption, JsonOption, config_from
from api.cli.output import print_json
from api.cli.run import run
from api.services import Services
from api.stills import still_out
from evidence.parties.purposes import PURPOSES
from ingest.media.showing import Asked
from ingest.stills import Still, StillWish


def still_command(
    clip: Annotated[str, typer.Argument(metavar="CLIP", help="Id of a clip.")],
    out: Annotated[Path, typer.Option("--out", help="PNG file to write; it must not exist.")],
    at: Annotated[str | None, typer.Option("--at", help=f"The picture on show then: {TIME_HELP}")] = None,
    frame: Annotated[
        int | None, typer.Option("--frame", min=0, help="Its number, from 0, as pictures are shown.")
    ] = None,
    purpose: Annotated[str, typer.Option("--purpose", help=PURPOSES_HELP)] = "litigation",
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write one picture of the original in every pixel it has, and say how it was decoded. Logged first.

    Taken again it has the same pixels. What the picture shows is proved by the original: `shilu excerpt` writes the
    chunks that it is decoded from.
    """
    if purpose not in PURPOSES:
        raise typer.BadParameter(f"{purpose!r} is not one of: {', '.join(PURPOSES)}")
    if (at is None) == (frame is None):
        raise typer.BadParameter("either --at or --frame names a picture")
    asked = Asked(frame=frame, at_ms=None if at is None else milliseconds(at))
    wish = StillWish(clip=parse_uuid(clip), asked=asked, purpose=purpose, actor="service")

    async def question(services: Services) -> Still:
        return await still_out(services, wish, out=out)

    still = run(ask(config_from(data, database), question))
    if as_json:
        print_json({"file": out, **still.statement})
        return
    match still.statement:
        case {"picture": {"frame": number, "of": of, "at_ms": at_ms}, "png": {"width": width, "height": height}}:
            typer.echo(f"{out}: picture {number} of {of} (from 0), {at_ms} ms, {width}x{height}")
    typer.echo(f"sha256 {still.sha256.hex()}, entry {still.entry_id}")
