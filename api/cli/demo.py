"""`shilu demo`: the whole way of a recording on one computer, by the real programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from api.cli.exits import Exit
from api.cli.options import JsonOption
from api.cli.output import print_json
from api.cli.run import run, until_stopped

if TYPE_CHECKING:
    from api.demo.result import DemoResult
    from api.demo.story import DemoPlan

_DATA = Path("shilu-data/demo")


def demo(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILES]...", help="Your own files; without any a small set of footage is made."),
    ] = None,
    data: Annotated[Path, typer.Option("--data", help="Data folder; a second run goes on with it.")] = _DATA,
    leave: Annotated[bool, typer.Option("--exit", help="End when all is shown instead of staying up.")] = False,
    patience: Annotated[
        float, typer.Option("--patience", help="Seconds that docking, and again deriving, may take.")
    ] = 900.0,
    as_json: JsonOption = False,
) -> None:
    """Show footage going from a recorder through a dock into the evidence chain, derived, searched, verified.

    Starts PostgreSQL, the service, a worker and a dock agent in one data folder, flips a byte in a copy to show that
    the fault is named, and stays up until Ctrl-C. Progress goes to standard error. Exit code 0 only if all is verified.
    """
    # Loaded here: the other commands of `shilu` need neither codecs nor an HTTP client.
    from api.demo.story import DemoPlan

    plan = DemoPlan(data=data, files=tuple(files or ()), patience_seconds=patience)
    result = run(_demo(plan, leave=leave, as_json=as_json))
    if not result.verified:
        raise typer.Exit(Exit.CHECK_FAILED)


async def _demo(plan: DemoPlan, *, leave: bool, as_json: bool) -> DemoResult:
    from api.demo.show import Show
    from api.demo.story import perform

    show = Show(Console(stderr=True))
    async with perform(plan, show) as result:
        show.result(result, stays=not leave)
        if as_json:
            print_json(result.as_json())
        if not leave:
            await until_stopped(lambda: None)
        return result
