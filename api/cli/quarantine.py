"""`shilu quarantine`: what came and could not be sealed, why, and how to take a copy of it. Runs on the intake's host.

Exit codes are those of every command; 2 for an upload that is not in quarantine, 3 when the copy cannot be written.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli.context import ask, parse_uuid
from api.cli.options import DatabaseOption, DataOption, JsonOption, config_from
from api.cli.output import print_json, print_table
from api.cli.run import run
from api.services import Services
from api.witnesses import handed_out
from evidence.core.clock import format_time
from evidence.export.showing import Showing
from evidence.parties.purposes import PURPOSES
from ingest.set_aside import CopiedOut, QuarantineRoom, SetAside

app = typer.Typer(
    help="Look at what came and could not be sealed. 查看未能封存的上传及其原因。",
    no_args_is_help=True,
    add_completion=False,
)

UploadArgument = Annotated[str, typer.Argument(metavar="UPLOAD", help="Id of an upload, see `shilu quarantine list`.")]
_PURPOSES_HELP = "Why: " + ", ".join(f"{key} ({chinese})" for key, (chinese, _) in PURPOSES.items()) + "."
_ACTOR = "service"


@app.command("list")
def list_all(
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Most uploads to show.")] = 100,
    after: Annotated[str | None, typer.Option("--after", help="Go on behind this upload.", show_default=False)] = None,
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what is in quarantine, oldest first, with the reason."""
    behind = None if after is None else parse_uuid(after)

    async def question(services: Services) -> list[SetAside]:
        return list(await _room(services).listed(after=behind, limit=limit))

    found = run(ask(config_from(data, database), question))
    if as_json:
        print_json({"uploads": [_body(one) for one in found]})
        return
    print_table(("upload", "since", "bytes kept", "code", "file"), map(_row, found))
    if len(found) == limit:
        typer.echo(f"there may be more: --after {found[-1].upload}")


@app.command("show")
def show(
    upload: UploadArgument, data: DataOption = None, database: DatabaseOption = None, as_json: JsonOption = False
) -> None:
    """Say all that is known about one upload in quarantine."""
    number = parse_uuid(upload)
    one = run(ask(config_from(data, database), lambda services: _room(services).find(number)))
    if as_json:
        print_json(_body(one))
    else:
        print_table(("", ""), ((name, "" if value is None else str(value)) for name, value in _body(one).items()))


@app.command("save")
def save(
    upload: UploadArgument,
    to: Annotated[Path, typer.Option("--to", help="Folder to make; the bytes and the reason are written into it.")],
    purpose: Annotated[str, typer.Option("--purpose", help=_PURPOSES_HELP)],
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a copy out. That is put on record before a byte is written; what is kept stays as it is.

    Where the file's beginning was sealed while it was being written, the proof lies beside it: `shilu-verify FOLDER`.
    """
    number = parse_uuid(upload)
    if purpose not in PURPOSES:
        raise typer.BadParameter(f"{purpose!r} is not one of: {', '.join(PURPOSES)}")

    async def question(services: Services) -> CopiedOut:
        keys = await services.log_keys()
        showing = Showing(services.reader, handed_out(services.witness_policy, keys.newest), keys)
        return await _room(services, showing).copy_out(number, target=to, actor=_ACTOR, purpose=purpose)

    done = run(ask(config_from(data, database), question))
    if as_json:
        body = {
            "file": done.file,
            "size": done.size,
            "sha256": done.sha256.hex(),
            "entry": done.entry_id,
            "sealed_bytes": done.sealed_bytes,
        }
        print_json(body)
        return
    typer.echo(f"{done.file}: {done.size} bytes, SHA-256 {done.sha256.hex()}")
    if done.sealed_bytes:
        typer.echo(f"its first {done.sealed_bytes} bytes were on record while it grew: shilu-verify {to}")


def _room(services: Services, showing: Showing | None = None) -> QuarantineRoom:
    return QuarantineRoom(
        pool=services.pool,
        spool=services.uploads.spool,
        clock=services.clock,
        entropy=services.entropy,
        showing=showing,
    )


def _row(one: SetAside) -> list[str]:
    kept = "-" if one.kept_bytes is None else str(one.kept_bytes)
    return [str(one.upload), format_time(one.at), kept, one.code, one.path]


def _body(one: SetAside) -> dict[str, object]:
    return {
        "upload": one.upload,
        "actor": one.actor,
        "recorder": one.recorder,
        "path": one.path,
        "length": one.length,
        "kept_bytes": one.kept_bytes,
        "since": format_time(one.at),
        "code": one.code,
        "reason": one.reason,
    }
