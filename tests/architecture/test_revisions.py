"""The revisions of the database are one chain: two that follow the same one would leave no house a way on."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

VERSIONS = Path(__file__).parents[2] / "evidence" / "db" / "migrations" / "versions"


def test_each_revision_but_the_last_is_followed_by_one() -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in VERSIONS.glob("r*.py")}
    stated = {name: re.search(r'^revision = "(\d+)"', text, re.M) for name, text in texts.items()}
    follows = {name: re.search(r'^down_revision = (?:"(\d+)"|None)', text, re.M) for name, text in texts.items()}
    revisions = {name: match[1] for name, match in stated.items() if match}
    before = Counter(match[1] for match in follows.values() if match)
    assert len(revisions) == len(texts) == before.total()
    assert all(name.startswith(f"r{revision}_") for name, revision in revisions.items())
    assert [one for one, count in before.items() if count > 1] == []
    last = set(revisions.values()) - set(before)
    assert len(last) == 1, f"one has to follow another: {sorted(last)}"
