"""`shilu witness`: what goes to witnesses without a network as a file, and what comes back from them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from api.cli.context import ask
from api.cli.options import DatabaseOption, DataOption, JsonOption, config_from
from api.cli.output import print_json
from api.cli.run import run
from api.cosigned import AcceptedCosignatures, accept_cosigned, make_request
from api.services import Services
from evidence.core.durable import write_file
from ledger.shelf import COSIGNED_BYTES_MAX

app = typer.Typer(
    no_args_is_help=True, help="见证方（离线） · Witnesses without a network: checkpoint out, cosignature in."
)


@app.command("export")
def export_command(
    witness: Annotated[str, typer.Argument(help="Name of the witness in the policy.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where the request goes.")],
    old: Annotated[
        int | None,
        typer.Option("--old", min=0, help="Size it cosigned last. Default: that of its newest imported file."),
    ] = None,
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """导出请求 · Write the newest checkpoint as a request, to be signed by `shilu-witness sign` elsewhere."""

    async def work(services: Services) -> tuple[int, bytes]:
        return await make_request(services, witness=witness, old_size=old)

    size, request = run(ask(config_from(data, database), work))
    write_file(out, request, mode=0o644)
    if as_json:
        print_json({"witness": witness, "size": size, "file": str(out)})
    else:
        typer.echo(f"{size} -> {out}")


@app.command("import")
def import_command(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="What `shilu-witness sign` wrote.")],
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """导入联署 · Verify and keep a cosigned checkpoint; the published one carries it too while it is the same."""
    with file.open("rb") as opened:
        raw = opened.read(COSIGNED_BYTES_MAX + 1)

    async def work(services: Services) -> AcceptedCosignatures:
        return await accept_cosigned(services, raw)

    accepted = run(ask(config_from(data, database), work))
    if as_json:
        print_json(asdict(accepted))
    else:
        typer.echo(f"{accepted.size} <- {', '.join(accepted.witnesses)}")
