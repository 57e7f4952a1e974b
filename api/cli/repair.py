"""`shilu repair`: put back what is gone or damaged in one of the two stores from the other. Runs on the objects' host.

Exit code 0 when everything is in order at the end, 1 when something is not (or, in a dry run, was not), 2 for a house
without a second store, 3 when the second store or the disk does not do its part.
"""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli.context import ask, parse_uuid
from api.cli.exits import Exit
from api.cli.options import DatabaseOption, DataOption, JsonOption, config_from
from api.cli.output import print_json, print_table
from api.cli.progress import showing_words
from api.cli.run import run
from api.second_store import retention_days
from api.services import Services
from ingest.repair import MENDED, Mended, Repair

_COLUMNS = ("object", "bytes", "store", "was", "outcome", "damaged bytes kept as")


def repair_command(
    clips: Annotated[
        list[str] | None, typer.Argument(metavar="[CLIP]...", help="Ids of clips; all when none.", show_default=False)
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and touch nothing.")] = False,
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read every object whole, look at every copy, and put back from one store what the other has lost.

    Each repair is an entry of the log, and damaged bytes are kept: here in objects/quarantine, in the second store as
    an older version. An object that no store has whole is called lost, and nothing is touched.
    以完好副本修复受损对象，损坏的字节保留备查。
    """
    wanted = [parse_uuid(clip) for clip in clips] if clips else None

    async def question(services: Services) -> list[Mended]:
        repair = _open(services)
        if repair is None:
            raise typer.BadParameter("this house has no second store to repair from (SHILU_OBJECTS_SECOND)")
        with showing_words("repairing") as say:
            rounds = repair.run(clips=wanted, dry_run=dry_run, progress=lambda done: say(f"objects {done}"))
            return [one async for one in rounds]

    found = run(ask(config_from(data, database), question))
    left = found if dry_run else [one for one in found if one.outcome not in MENDED]
    if as_json:
        print_json({"whole": not left, "dry_run": dry_run, "objects": [one.as_json() for one in found]})
    else:
        if found:
            print_table(_COLUMNS, map(_row, found))
        for one in left:
            typer.echo(f"{one.sha256[:16]}  {one.message}")
        typer.echo("everything is whole" if not left else f"{len(left)} objects are not in order")
    if left:
        raise typer.Exit(Exit.CHECK_FAILED)


def _open(services: Services) -> Repair | None:
    if services.second is None:
        return None
    return Repair(
        pool=services.pool,
        local=services.local,
        second=services.second,
        clock=services.clock,
        entropy=services.entropy,
        retention_days=retention_days(services.config),
    )


def _row(one: Mended) -> list[str]:
    return [one.sha256[:16], str(one.size), one.store, one.was, str(one.outcome), one.kept or ""]
