"""Every vector of the wire formats: good ones round-trip, hostile ones are refused with the code of their folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from evidence.core.wire.cleared import format_cleared, parse_cleared
from evidence.core.wire.dock_key import format_dock_key, parse_dock_key
from evidence.core.wire.inventory import format_inventory, parse_inventory
from evidence.core.wire.manifest import format_manifest, parse_manifest
from evidence.errors import WireError
from tests.support.wire_vectors import FOLDER, KINDS, vectors

ROUND_TRIPS: dict[str, Callable[[str], str]] = {
    "inventory": lambda text: format_inventory(parse_inventory(text)),
    "inventory-2": lambda text: format_inventory(parse_inventory(text)),
    "manifest": lambda text: format_manifest(parse_manifest(text)),
    "cleared": lambda text: format_cleared(parse_cleared(text)),
    "dock-key": lambda text: format_dock_key(parse_dock_key(text)),
}


def paths(*, good: bool) -> list[Path]:
    found = [path for kind in KINDS for path in sorted((FOLDER / kind).rglob("*.txt"))]
    return [path.relative_to(FOLDER) for path in found if (path.parent.name == "good") is good]


def text_of(path: Path) -> str:
    return (FOLDER / path).read_bytes().decode("utf-8")


@pytest.mark.parametrize("path", paths(good=True), ids=str)
def test_a_good_statement_round_trips(path: Path) -> None:
    assert ROUND_TRIPS[path.parts[0]](text_of(path)) == text_of(path)


@pytest.mark.parametrize("path", paths(good=False), ids=str)
def test_a_hostile_statement_is_refused(path: Path) -> None:
    with pytest.raises(WireError) as caught:
        ROUND_TRIPS[path.parts[0]](text_of(path))
    assert caught.value.code == path.parts[1], caught.value
    assert len(caught.value.message) < 250, "a hostile text must not be echoed whole"


def test_the_vectors_are_those_of_the_generator() -> None:
    stored = {
        path.relative_to(FOLDER).as_posix(): path.read_bytes()
        for kind in KINDS
        for path in (FOLDER / kind).rglob("*.txt")
    }
    assert stored == vectors()


def test_hostile_vectors_outnumber_good_ones() -> None:
    assert len(paths(good=False)) > 5 * len(paths(good=True))
