"""The house as data: production modules, their syntax trees, and the limits STYLE-wise they are held to."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("ledger", "evidence", "ingest", "api", "dockstation")

FILE_LINES_MAX = 500
FILE_LINES_MEDIAN_MAX = 120
FUNCTION_LINES_MAX = 70
FUNCTION_LINES_P95_MAX = 45
BROAD_EXCEPTS_MAX = 4


@dataclass(frozen=True)
class Module:
    """One production source file."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        """Path below the root, POSIX."""
        return self.path.relative_to(ROOT).as_posix()

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Yield every function and method, nested ones included."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node


@cache
def modules() -> tuple[Module, ...]:
    """Return every production module, sorted by name."""
    return tuple(
        Module(path=path, text=text, tree=ast.parse(text))
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        for text in [path.read_text(encoding="utf-8")]
    )
