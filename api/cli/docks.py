"""`shilu docks`: the register of docking stations, on the database itself.

Exit codes are those of every command; `list --check` exits with 1 when a dock is silent that used to speak.
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
from api.dock_register import all_docks
from api.models.docks import DockItem, DockStanding
from api.services import Services
from evidence.core.clock import format_time
from evidence.parties.docks import demand_key

_ACTOR = "service"
_LISTED_MAX = 1000

app = typer.Typer(
    help="Docking stations: last heard, disk, clock, slots, keys. 采集站台账与状态。",
    no_args_is_help=True,
    add_completion=False,
)


@app.command("list")
def list_all(
    check: Annotated[
        bool, typer.Option("--check", help="Exit with 1 when a dock is silent that used to speak.")
    ] = False,
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """List docks: state, when last heard, version, free disk, clock against ours, slots, files that wait, key age."""

    async def question(services: Services) -> list[DockItem]:
        return await all_docks(services, limit=_LISTED_MAX)

    docks = run(ask(config_from(data, database), question))
    if as_json:
        print_json({"docks": [dock.model_dump(mode="json") for dock in docks]})
    else:
        columns = ("dock", "name", "state", "last heard", "version", "free GB", "clock", "slots", "key since")
        print_table(columns, map(_row, docks))
    if check and any(dock.state is DockStanding.SILENT for dock in docks):
        raise typer.Exit(Exit.CHECK_FAILED)


@app.command("demand-key")
def demand_key_command(
    dock: Annotated[str, typer.Argument(metavar="DOCK", help="Id of a dock, see `shilu docks list`.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; goes on record.")],
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask a dock to go over to another key. It does so by itself when it hears of it, between two dockings."""
    number = parse_uuid(dock)

    async def do(services: Services) -> UUID:
        async with services.pool.acquire() as conn, conn.transaction():
            return await demand_key(
                conn, dock=number, reason=reason, actor=_ACTOR, clock=services.clock, entropy=services.entropy
            )

    entry = run(ask(config_from(data, database), do))
    if as_json:
        print_json({"entry": entry})
    else:
        typer.echo(f"on record as entry {entry}; the dock is told with its next heartbeat")


def _row(dock: DockItem) -> list[str]:
    said = dock.said
    clock = said.clock if said else None
    free = "-" if said is None else f"{said.disk_free_bytes / 1e9:.1f}"
    demanded = " (change asked for)" if dock.key_demanded_at else ""
    return [
        str(dock.dock),
        dock.name,
        dock.state.value,
        "-" if dock.heard_at is None else format_time(dock.heard_at),
        said.agent if said else "-",
        free,
        "-" if clock is None else f"{clock.offset_ms / 1000:+.1f} s ± {clock.uncertainty_ms / 1000:.1f}",
        "-" if said is None else f"{sum(slot.recorder is not None for slot in said.slots)}/{len(said.slots)}",
        f"{format_time(dock.key_since)[:10]}{demanded}",
    ]
