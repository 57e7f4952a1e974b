"""docs/requirements.md is true: each row is there, its code and tests exist, tests bear the number of their row."""

from __future__ import annotations

import re
from functools import cache

from tests.support import house

ROWS = 44
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
_WAITS = re.compile(r"not yet: \w")


def rows() -> dict[str, tuple[str, str]]:
    """Return what answers each row, and what shows it."""
    text = (house.ROOT / "docs/requirements.md").read_text(encoding="utf-8")
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| R")]
    return {row: (code, shown) for row, _, code, shown in cells if row != "Row"}


@cache
def names_in(path: str) -> frozenset[str]:
    """Return the names of the tests in a file."""
    file = house.ROOT / path
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    return frozenset(re.findall(r"^(?:async )?def (test_\w+)", text, re.MULTILINE))


def test_every_row_is_listed_once_and_in_order() -> None:
    assert list(rows()) == [f"R{number}" for number in range(1, ROWS + 1)]


def test_every_row_names_tests_that_exist_and_bear_its_number_or_says_why_not() -> None:
    for row, (_, shown) in rows().items():
        named = _TEST.findall(shown)
        assert named or _WAITS.match(shown), f"{row} names no test and gives no reason"
        for path, name in named:
            assert name in names_in(path), f"{row}: {path} has no {name}"
            assert f"_{row.lower()}_" in name, f"{name} does not bear {row}"


def test_what_answers_a_row_exists() -> None:
    for row, (code, shown) in rows().items():
        paths = re.findall(r"`([^`]+)`", code)
        assert paths or _WAITS.match(shown), f"{row} names no code"
        assert not [path for path in paths if not (house.ROOT / path).exists()], row


def test_a_row_that_is_shown_by_now_does_not_say_that_it_waits() -> None:
    """Whoever writes `test_r25_...` also names it in the row."""
    files = (house.ROOT / "tests").rglob("test_*.py")
    shown = {
        number
        for file in files
        for number in re.findall(r"^(?:async )?def test_r(\d+)_", file.read_text("utf-8"), re.M)
    }
    waiting = {row.removeprefix("R") for row, (_, said) in rows().items() if _WAITS.match(said)}
    assert not waiting & shown
