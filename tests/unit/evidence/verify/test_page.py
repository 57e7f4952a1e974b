"""`verify.html` as a file: made from its sources and the verifier's own tables, closed to every network."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any

import pytest

from evidence.verify.findings import FINDINGS, OBLIGATIONS
from evidence.verify.page.assemble import ENGINE, PAGE, REST, SOURCE, assemble
from evidence.verify.page.page import page_bytes
from evidence.verify.page.tables import PAGE_FINDINGS, STEPS, STOPS
from evidence.verify.report import OWED
from evidence.verify.rounds_findings import ROUNDS_FINDINGS

TEXT = PAGE.read_text(encoding="utf-8")


def constant(name: str) -> Any:
    """Return a table as it stands in the page."""
    found = re.search(rf"^const {name} = ", TEXT, re.MULTILINE)
    assert found, name
    return json.JSONDecoder().raw_decode(TEXT, found.end())[0]


def test_the_page_is_made_from_its_sources() -> None:
    assert assemble() == TEXT, "python -m evidence.verify.page.assemble"
    assert page_bytes() == PAGE.read_bytes()


def test_no_source_is_left_out() -> None:
    assert {path.name for path in SOURCE.iterdir()} == {*ENGINE, *REST, "shell.html", "style.css"}


def test_every_finding_stands_in_the_page_word_for_word() -> None:
    table = constant("FINDINGS")
    judged = {code: meaning for code, meaning in FINDINGS.items() if code not in ROUNDS_FINDINGS}
    assert table.keys() == judged.keys() | PAGE_FINDINGS.keys()
    for code, meaning in judged.items():
        assert (table[code]["en"], table[code]["zh"]) == (meaning.en, meaning.zh)
        assert (table[code]["obligation"], table[code]["severity"]) == (meaning.obligation, meaning.severity.value)
    assert {one["code"]: (one["en"], one["zh"]) for one in constant("OWED")}.items() >= OWED.items()


def test_the_page_gives_no_code_that_is_in_no_table() -> None:
    given = set(re.findall(r'finding\([^"]*"([a-z]+\.[a-z0-9_]+)"', TEXT))
    assert given
    assert given <= FINDINGS.keys() | PAGE_FINDINGS.keys()
    assert all(f'"{code}"' in TEXT for code in STOPS)


def test_every_obligation_has_a_name() -> None:
    assert list(STEPS) == list(OBLIGATIONS)


def test_the_policy_allows_these_parts_and_nothing_else() -> None:
    [policy] = re.findall(r'Content-Security-Policy" content="([^"]+)"', TEXT)
    rules = {name: values for name, *values in (rule.split() for rule in policy.split("; "))}
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == ["'none'"]
    parts = re.findall(r"<script[^>]*>(.*?)</script>", TEXT, re.DOTALL)
    assert rules["script-src"] == [_hash(part) for part in parts]
    assert rules["style-src"] == [_hash(part) for part in re.findall(r"<style>(.*?)</style>", TEXT, re.DOTALL)]
    assert not any("unsafe" in value or "http" in value for values in rules.values() for value in values)


@pytest.mark.parametrize(
    "pattern", [r"https?://", r"\bfetch\(", r"XMLHttpRequest", r"innerHTML", r"\beval\(", r"@import"]
)
def test_nothing_in_the_page_could_reach_out_or_make_markup_of_text(pattern: str) -> None:
    assert not re.search(pattern, TEXT)


def _hash(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
