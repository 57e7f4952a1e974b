"""What commands print: a JSON object for programs, or lines and tables for people."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ledger.findings import Finding, Severity

_MARKS = {Severity.OK: "[green]✓[/]", Severity.WARNING: "[yellow]![/]", Severity.ERROR: "[bold red]✗[/]"}


def print_json(body: Mapping[str, object]) -> None:
    """Write one JSON object and a newline to standard output."""
    json.dump(body, sys.stdout, ensure_ascii=False, default=str)
    sys.stdout.write("\n")


def print_findings(findings: Iterable[Finding]) -> None:
    """Write findings one to a line, with their mark, code and subject."""
    console = Console(highlight=False)
    for finding in findings:
        line = f"{_MARKS[finding.severity]} {finding.code:<28} {escape(finding.subject)}  {escape(finding.message)}"
        console.print(line, soft_wrap=True)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, title: str | None = None) -> None:
    """Write a table to standard output; cells are text, never markup."""
    table = Table(*columns, title=title, title_justify="left")
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    Console().print(table)
