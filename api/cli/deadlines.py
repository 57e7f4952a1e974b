"""`shilu deadlines`: clocks of the law (期限), those due first in front, and the agency's table, on the database.

`list` reads first what has come into the log, so that it tells the truth while no service runs. Exit codes are those
of every command; with `--check`, 1 while anything is overdue and nobody said why.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli.context import ask
from api.cli.exits import Exit
from api.cli.given import day_given, text_given
from api.cli.options import DatabaseOption, DataOption, JsonOption, config_from
from api.cli.output import print_json, print_table
from api.cli.run import run
from api.handlers.deadlines import deadline_page
from api.models.deadlines import DeadlineItem, DeadlinePage
from api.services import Services
from evidence.access.scope import WHOLE
from evidence.deadlines.clock_store import Question
from evidence.deadlines.clocks import OPEN_STATES, STATES, State
from evidence.deadlines.follow import catch_up
from evidence.deadlines.publishing import PublishedRules, publish_rules
from evidence.deadlines.rules import KINDS, PRESETS, Draft, preset, read_draft

_ACTOR = "service"
_TABLE_BYTES_MAX = 1024 * 1024
_ITEMS = 200
_WORDS: dict[State, str] = {
    "running": "在办 running",
    "paused": "中止 paused",
    "overdue": "逾期 OVERDUE",
    "in_time": "按期 in time",
    "late": "迟延 late",
    "void": "作废 void",
}
_UNITS = {"working_days": "工作日", "calendar_days": "日", "by_date": "日"}
_NAMES = ", ".join(f"{name} ({source})" for name, source in PRESETS.items())

app = typer.Typer(
    help="Deadlines: what the law and the agency's rules give time for, what is overdue, what comes next. 期限。",
    no_args_is_help=True,
    add_completion=False,
)


@app.command("list")
def list_command(
    state: Annotated[str | None, typer.Option(help=f"One of {', '.join(STATES)}; without it all that is open.")] = None,
    kind: Annotated[str | None, typer.Option(help=f"One of {', '.join(KINDS)}.")] = None,
    before: Annotated[str | None, typer.Option(help="Last day before this one, 2026-12-01.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=_ITEMS, help="Most lines of each state.")] = 50,
    check: Annotated[bool, typer.Option("--check", help="Exit 1 while anything overdue has no reason.")] = False,
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """List clocks, the overdue ones on top, with what each term rests on."""
    wanted: list[State] = ["overdue", "running", "paused"]
    if state is not None:
        wanted = [one for one in STATES if one == state]
    if not wanted or (kind is not None and kind not in KINDS):
        raise typer.BadParameter("there is no such state or kind; see --help")
    due_before = None if before is None else day_given(before)

    async def question(services: Services) -> list[DeadlinePage]:
        await catch_up(services.pool, clock=services.clock, entropy=services.entropy)
        async with services.pool.acquire() as conn:
            return [
                await deadline_page(
                    conn,
                    Question(state=one, kind=kind, due_before=due_before),
                    cursor=None,
                    limit=limit,
                    clock=services.clock,
                    scope=WHOLE,
                )
                for one in wanted
            ]

    pages = run(ask(config_from(data, database), question))
    items = [item for page in pages for item in page.items]
    if as_json:
        more = any(page.next is not None for page in pages)
        print_json({"items": [item.model_dump(mode="json") for item in items], "more": more})
    else:
        _print(items, pages)
    if check and any(item.state == "overdue" and item.explained is None for item in items):
        raise typer.Exit(Exit.CHECK_FAILED)


@app.command("rules")
def rules_command(
    name: Annotated[str, typer.Argument(metavar="PRESET|FILE", help=f"A TOML file, or one of: {_NAMES}.")] = "base",
    as_json: JsonOption = False,
) -> None:
    """Show a table of deadlines, each with its citation. `base` counts where an agency's own says nothing."""
    draft = _draft(name)
    if as_json:
        print_json({"effective_from": draft.effective_from.isoformat(), "table": draft.table.as_json()})
        return
    rows = [
        [
            " ".join(KINDS[rule.kind]),
            ", ".join(rule.actions) or "-",
            f"{rule.days} {_UNITS[rule.unit]}" if rule.days else f"{rule.month or '每'}月{rule.day}{_UNITS[rule.unit]}",
            f"+{rule.extension_days_max}" if rule.extension_days_max else "-",
            rule.citation,
        ]
        for rule in draft.table.rules
    ]
    print_table(("期限 kind", "action", "term", "extendable", "依据 citation"), rows, title=draft.table.source)


@app.command("publish")
def publish_command(
    source: Annotated[str, typer.Argument(metavar="PRESET|FILE", help=f"A TOML file, or one of: {_NAMES}.")],
    since: Annotated[
        str | None, typer.Option("--from", help="First day in force, 2026-12-01; the file's own without it.")
    ] = None,
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Publish the next version of the agency's table. Clocks keep the rule in force on the day they began."""
    draft = _draft(source)
    effective_from = draft.effective_from if since is None else day_given(since)

    async def do(services: Services) -> PublishedRules:
        async with services.pool.acquire() as conn, conn.transaction():
            return await publish_rules(
                conn,
                table=draft.table,
                effective_from=effective_from,
                actor=_ACTOR,
                clock=services.clock,
                entropy=services.entropy,
            )

    done = run(ask(config_from(data, database), do))
    if as_json:
        print_json({"rules": done.rules, "version": done.version, "entry": done.entry_id})
        return
    typer.echo(f"{draft.table.source}, version {done.version}, in force from {effective_from}")


def _print(items: list[DeadlineItem], pages: list[DeadlinePage]) -> None:
    rows = [
        [
            _WORDS[item.state] + ("" if item.explained is None else " (有说明)"),
            f"{item.due_on}{' ?' if item.provisional else ''}",
            f"{item.remaining:+d} {_UNITS[item.days_are]}",
            KINDS[item.kind][0],
            item.name,
            item.citation,
        ]
        for item in items
    ]
    print_table(("状态 state", "届满 due", "剩余 left", "期限 kind", "案件/文件 about", "依据 citation"), rows)
    if any(item.provisional for item in items):
        typer.echo("?  counted over days whose holidays nobody has announced yet")
    if any(page.next is not None for page in pages):
        typer.echo("there are more; raise --limit, or ask for one --kind")
    if not items:
        typer.echo("nothing is open: " + ", ".join(OPEN_STATES))


def _draft(source: str) -> Draft:
    path = Path(source)
    if source in PRESETS or not path.is_file():
        return preset(source)
    return read_draft(text_given(path, bytes_max=_TABLE_BYTES_MAX))
