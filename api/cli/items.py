"""`shilu items`: recording-item lists (音像记录事项清单), published and shown, on the database itself.

Each publication is an entry of the ledger under the actor `service`. Exit codes are those of every command.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli.context import ask
from api.cli.given import day_given, text_given
from api.cli.options import DatabaseOption, DataOption, JsonOption, config_from
from api.cli.output import print_json, print_table
from api.cli.run import run
from api.handlers.items import list_item
from api.services import Services
from evidence.cases.item_list import ItemList
from evidence.cases.items import PublishedList, day_of, publish_list, rows_in_force
from evidence.cases.items_store import ItemListRow
from evidence.cases.presets import PRESETS, Draft, preset, read_draft

_ACTOR = "service"
_LIST_BYTES_MAX = 4 * 1024 * 1024

app = typer.Typer(
    help="Recording-item lists: what is recorded of which action, in full or in part. 音像记录事项清单。",
    no_args_is_help=True,
    add_completion=False,
)

_NAMES = ", ".join(f"{name} ({source})" for name, source in PRESETS.items())


@app.command("publish")
def publish(
    source: Annotated[str, typer.Argument(metavar="PRESET|FILE", help=f"A TOML file, or one of: {_NAMES}.")],
    since: Annotated[
        str | None, typer.Option("--from", help="First day in force, 2026-12-01; the file's own without it.")
    ] = None,
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Publish the next version of an agency's list. Cases that are open keep the version they were opened under."""
    draft = _draft(source)
    effective_from = draft.effective_from if since is None else day_given(since)

    async def do(services: Services) -> PublishedList:
        async with services.pool.acquire() as conn, conn.transaction():
            return await publish_list(
                conn,
                content=draft.content,
                effective_from=effective_from,
                actor=_ACTOR,
                clock=services.clock,
                entropy=services.entropy,
            )

    done = run(ask(config_from(data, database), do))
    if as_json:
        print_json({"items": done.items, "version": done.version, "entry": done.entry_id})
        return
    typer.echo(f"{draft.content.agency}, version {done.version}, in force from {effective_from}")
    typer.echo(f"list {done.items}, on record as entry {done.entry_id}")


@app.command("show")
def show(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[PRESET|FILE]", help="Show this one instead of what is in force.", show_default=False),
    ] = None,
    on: Annotated[str | None, typer.Option("--on", help="What is in force on this day; today without it.")] = None,
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the lists in force on a day, or a preset or file before it is published."""
    if name is not None:
        draft = _draft(name)
        if as_json:
            print_json({"effective_from": draft.effective_from.isoformat(), "list": draft.content.as_json()})
        else:
            _print_list(draft.content, title=f"{draft.content.agency}, from {draft.effective_from}")
        return
    wanted = None if on is None else day_given(on)

    async def question(services: Services) -> list[ItemListRow]:
        async with services.pool.acquire() as conn:
            return list(await rows_in_force(conn, wanted or day_of(services.clock())))

    rows = run(ask(config_from(data, database), question))
    if as_json:
        print_json({"lists": [list_item(row).model_dump(mode="json") for row in rows]})
        return
    for row in rows:
        _print_list(row.content, title=f"{row.agency}, version {row.version}, from {row.effective_from}")
    if not rows:
        typer.echo("no list is in force; publish one with: shilu items publish PRESET|FILE")


def _draft(source: str) -> Draft:
    path = Path(source)
    if source in PRESETS or not path.is_file():
        return preset(source)
    return read_draft(text_given(path, bytes_max=_LIST_BYTES_MAX))


def _print_list(content: ItemList, *, title: str) -> None:
    typer.echo(f"{title}: {content.title} ({content.source})")
    print_table(("action", "事项", "review"), ([one.key, one.title, _yes(one.review)] for one in content.action_types))
    rows = (
        [item.key, item.title, item.stage, item.mode, item.when, f"{item.starts} - {item.ends}", item.source]
        for item in content.items
    )
    print_table(("item", "事项", "环节", "mode", "when", "start - end", "source"), rows)
    for rule in content.archive:
        typer.echo(f"archived within {rule.days} days of conclusion ({rule.action or 'every action'}): {rule.source}")


def _yes(value: object) -> str:
    return "yes" if value else "-"
