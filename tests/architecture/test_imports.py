"""Imports run one way, without cycles, and the light programs stay light when they really run."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import grimp
import pytest

from tests.support import house

SERVER_ONLY = (
    "aiobotocore",
    "asyncpg",
    "av",
    "numpy",
    "pydantic",
    "sqlalchemy",
    "alembic",
    "pgqueuer",
    "uvloop",
    "prometheus_client",
)
DOCK_ONLY = ("aiohttp", "joserfc", "typer", "rich", "structlog")


def test_the_contracts_in_pyproject_hold() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([linter, "--no-cache"], cwd=house.ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout


def test_no_two_modules_import_each_other_in_a_circle() -> None:
    graph = grimp.build_graph(*house.PACKAGES)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert not _circles(imports)


def test_the_circle_finder_finds_circles() -> None:
    assert _circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]


@pytest.mark.parametrize(
    ("entry", "blocked"),
    [
        ("dockstation.cli", SERVER_ONLY),
        ("api.witness_app.cli", (*SERVER_ONLY, "joserfc", "structlog")),
        ("evidence.verify.cli", SERVER_ONLY + DOCK_ONLY),
    ],
)
def test_light_programs_start_without_the_heavy_libraries(entry: str, blocked: tuple[str, ...]) -> None:
    code = f"""
import sys
class Wall:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {blocked!r}:
            raise ImportError("not in a light install: " + name)
sys.meta_path.insert(0, Wall())
import importlib
importlib.import_module({entry!r})
"""
    run = subprocess.run([sys.executable, "-c", code], cwd=house.ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def _circles(imports: dict[str, set[str]]) -> list[list[str]]:
    """Return the strongly connected components with more than one member (Tarjan's algorithm)."""
    order: dict[str, int] = {}
    low: dict[str, int] = defaultdict(int)
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        order[node] = low[node] = len(order)
        stack.append(node)
        for following in sorted(imports.get(node, set())):
            if following not in order:
                visit(following)
                low[node] = min(low[node], low[following])
            elif following in stack:
                low[node] = min(low[node], order[following])
        if low[node] == order[node]:
            component = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(component) > 1:
                found.append(sorted(component))

    for node in sorted(imports):
        if node not in order:
            visit(node)
    return found
