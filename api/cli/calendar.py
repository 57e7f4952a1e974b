"""`shilu calendar`: the calendar of working days that counts, and loading what the package does not know.

Works through the service, in one's own name. Exit codes are those of every command.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli import remote
from api.cli.options import JsonOption, TokenOption, UrlOption
from api.cli.output import print_json, print_table
from api.cli.retention import print_done, read_json

_URL = "http://127.0.0.1:8440"

app = typer.Typer(
    help="Working days, holidays and make-up days: what counts, and loading more. 工作日历：节假日与调休。",
    no_args_is_help=True,
    add_completion=False,
)


@app.command("show")
def show(url: UrlOption = _URL, token: TokenOption = "", as_json: JsonOption = False) -> None:
    """Show which years are known, officially or loaded, and days that differ here."""
    told = remote.get(url, token, "/v1/calendar")
    if as_json:
        print_json(told)
        return
    typer.echo(f"{told['version']}, {told['zone']}; years announced: {', '.join(map(str, told['official_years']))}")
    print_table(("year", "holidays", "make-up", "citation"), remote.rows(told["years"], *_YEAR))
    print_table(("day", "works", "reason"), remote.rows(told["days"], "day", "is_working", "reason"))


@app.command("load")
def load(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help='JSON: {"years": [], "days": []}; see /openapi.json.', dir_okay=False),
    ],
    url: UrlOption = _URL,
    token: TokenOption = "",
    as_json: JsonOption = False,
) -> None:
    """Put a calendar on record; it replaces what was loaded before as a whole."""
    done = remote.post(url, token, "/v1/calendar", read_json(file))
    print_done(done, f"calendar {done['calendar']}", as_json=as_json)


_YEAR = ("year", "holidays", "make_up", "citation")
