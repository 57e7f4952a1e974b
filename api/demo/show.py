"""What people see of the demonstration: steps with a mark and a time, bars, the final table; all on standard error."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table

from api.demo.result import DemoResult


class Show:
    """Writes the demonstration's progress and result for people.

    Args:
        console: Where to; standard error, so that standard output stays free for JSON.
    """

    def __init__(self, console: Console) -> None:
        self._console = console

    @contextmanager
    def step(self, english: str, chinese: str) -> Iterator[None]:
        """Show a step while it runs, then a line with the time it took."""
        began = time.monotonic()
        with self._console.status(f"{english} [dim]{chinese}[/]"):
            yield
        self._done(english, chinese, began)

    @contextmanager
    def counting(self, english: str, chinese: str, total: int) -> Iterator[Callable[[int], None]]:
        """Show a step that counts; yields what is called with the number done so far."""
        began = time.monotonic()
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=24), MofNCompleteColumn())
        with Progress(*columns, console=self._console, transient=True) as progress:
            task = progress.add_task(f"{english} [dim]{chinese}[/]", total=total)
            yield lambda count: progress.update(task, completed=count)
        self._done(english, chinese, began)

    def say(self, text: str) -> None:
        """Write a remark below a step."""
        self._console.print(f"  [dim]{escape(text)}[/]", highlight=False)

    def findings(self, findings: Sequence[dict[str, Any]]) -> None:
        """Write what a verification named."""
        for found in findings:
            self._console.print(
                f"  [red]✗[/] [bold]{escape(found['code'])}[/]  {escape(found['message'])}",
                highlight=False,
                soft_wrap=True,
            )

    def result(self, result: DemoResult, *, stays: bool) -> None:
        """Write the table of clips, the verdict and what to try next."""
        table = Table(
            title="Sealed and verified 已封存并核验",
            title_justify="left",
            box=SIMPLE_HEAD,
            pad_edge=False,
            padding=(0, 1, 0, 0),
        )
        table.add_column("index", justify="right", no_wrap=True)
        table.add_column("file", overflow="ellipsis", no_wrap=True)
        table.add_column("bytes", justify="right", no_wrap=True)
        table.add_column("state", overflow="fold", min_width=10)
        table.add_column("", no_wrap=True)
        for clip in result.clips:
            table.add_row(
                "" if clip.index is None else str(clip.index),
                escape(PurePosixPath(clip.file).name),
                f"{clip.size:,}",
                escape(clip.state),
                "[green]✓[/]" if clip.verified else "[red]✗[/]",
            )
        self._console.print(table)
        verdict = "[bold green]all verified 全部通过[/]" if result.verified else "[bold red]not verified 未全部通过[/]"
        log = f"log of {result.log.size} entries, root {result.log.root}"
        self._console.print(f"{verdict}  {log}\n{self._next(result, stays=stays)}", highlight=False, soft_wrap=True)

    def _next(self, result: DemoResult, *, stays: bool) -> str:
        data = escape(result.data)
        lines = [
            f"log key     {escape(result.log.vkey)}",
            f"evidence    {data}/evidence   [dim]one folder per clip; change a byte and verify again[/]",
        ]
        if stays:
            lines += [
                f"service     {result.url}   [dim]{result.url}/log/checkpoint · /readyz · /openapi.json[/]",
                f"try         .venv/bin/shilu keys token --role investigator --name 张三 --all-units --data '{data}'",
                f"            .venv/bin/shilu search 排污口 --url {result.url} --token TOKEN",
                f"            .venv/bin/shilu audit --data '{data}'",
                "Ctrl-C stops everything; the data folder stays.",
            ]
        return "\n".join(lines)

    def _done(self, english: str, chinese: str, began: float) -> None:
        seconds = time.monotonic() - began
        self._console.print(f"[green]✓[/] {english} [dim]{chinese}[/]  {seconds:.1f} s", highlight=False)
