"""Progress of long work on standard error, for people at a terminal; silent elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn

Advance = Callable[[str, int, int], None]
Say = Callable[[str], None]


@contextmanager
def showing_bytes(verb: str) -> Iterator[Advance]:
    """Show a bar for the file at hand; yields what is called with its name, bytes done and bytes in all."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task: TaskID = progress.add_task(verb, total=None)

        def advance(name: str, done: int, total: int) -> None:
            progress.update(task, description=f"{verb} {escape(name)}", completed=done, total=total)

        yield advance


@contextmanager
def showing_words(verb: str) -> Iterator[Say]:
    """Show what is being done at the moment; yields what is called with the words."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status(verb) as status:
        yield lambda words: status.update(f"{verb}: {escape(words)}")
