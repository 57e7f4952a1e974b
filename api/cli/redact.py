"""`shilu redact`: a copy of a clip with parts made unseen and unheard, linked to it by the list of what was changed.

Exit codes are those of every command; 2 for a list that breaks a rule or a file without what it names.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from api.cli.context import ask, parse_uuid
from api.cli.options import DatabaseOption, DataOption, JsonOption, config_from
from api.cli.output import print_json
from api.cli.run import run
from api.redactions import copy_out, redact
from api.services import Services
from evidence.clips.redaction import read_redaction
from evidence.export.folder import require_free
from evidence.parties.purposes import PURPOSES
from ingest.errors import RedactionRefused
from ingest.redaction_store import MadeCopy, RedactionJob

CONTENT_BYTES_MAX = 1024 * 1024

_PURPOSES_HELP = "Why --out: " + ", ".join(f"{key} ({chinese})" for key, (chinese, _) in PURPOSES.items()) + "."


def redact_command(
    clip: Annotated[str, typer.Argument(metavar="CLIP", help="Id of a clip.")],
    changes: Annotated[
        Path,
        typer.Option(
            "--with",
            help='JSON: {"reason", "picture": {"width", "height"}, "cover": [{"from_ms", "to_ms", "x", "y", "width", '
            '"height", "how": "pixelate" | "blur" | "black", "why"}], "mute": [{"from_ms", "to_ms", "why"}]}.',
        ),
    ],
    out: Annotated[Path | None, typer.Option("--out", help="Put the copy there as well; it must not exist.")] = None,
    purpose: Annotated[str, typer.Option("--purpose", help=_PURPOSES_HELP)] = "litigation",
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a redacted copy. It is a derivative, kept and on record with every change and its reason.

    Boxes are in pixels of an upright picture of the size that "picture" states. The original stays as it is. This
    waits until the copy is made; when it is stopped, a worker goes on. What --out takes out is on record first.
    """
    if purpose not in PURPOSES:
        raise typer.BadParameter(f"{purpose!r} is not one of: {', '.join(PURPOSES)}")
    content = read_redaction(_read(changes))
    number = parse_uuid(clip)
    if out is not None:
        require_free(out)  # before the work of a copy, and once more before it is written

    async def question(services: Services) -> tuple[RedactionJob, MadeCopy]:
        job = await redact(services, clip=number, content=content, actor="service", waiting=_tell)
        if job.made is None:
            raise RedactionRefused(job.reason or "the copy was refused", why=job.code)
        if out is not None:
            await copy_out(services, number, job.made, out=out, purpose=purpose, actor="service")
        return job, job.made

    job, made = run(ask(config_from(data, database), question))
    if as_json:
        print_json(
            {
                "clip": job.clip,
                "redaction": job.redaction,
                "entry": made.entry_id,
                "sha256": made.sha256.hex(),
                "size": made.size,
                "media_type": made.media_type,
            }
        )
    else:
        typer.echo(f"redaction {job.redaction} of clip {job.clip}: {made.size} bytes, SHA-256 {made.sha256.hex()}")


def _tell(reason: str) -> None:
    typer.echo(f"waiting: {reason}", err=True)


def _read(path: Path) -> object:
    try:
        with path.open("rb") as file:
            raw = file.read(CONTENT_BYTES_MAX + 1)
        if len(raw) > CONTENT_BYTES_MAX:
            raise typer.BadParameter(f"{path} is longer than {CONTENT_BYTES_MAX} bytes")
        return json.loads(raw)
    except OSError as error:
        raise typer.BadParameter(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise typer.BadParameter(f"{path} is not JSON") from error
