"""What may stand in a redaction: whole or nothing, with a reason for everything."""

from __future__ import annotations

from typing import Any

import pytest

from evidence.clips.redaction import CHANGES_MAX, read_redaction
from evidence.errors import RedactionInvalid

BOX = {"from_ms": 0, "to_ms": 1, "x": 0, "y": 0, "width": 10, "height": 10, "how": "black", "why": "路人"}
SPAN = {"from_ms": 0, "to_ms": 1, "why": "身份证号"}
PICTURE = {"width": 100, "height": 50}
GOOD: dict[str, Any] = {"reason": "公开前处理", "picture": PICTURE, "cover": [BOX], "mute": [SPAN]}


def test_what_is_stated_is_read_back() -> None:
    content = read_redaction(GOOD)
    assert content.as_json() == GOOD
    assert read_redaction(content.as_json()) == content
    assert read_redaction({"reason": "x", "mute": [SPAN]}).picture is None


@pytest.mark.parametrize(
    "changes",
    [
        {"reason": ""},
        {"reason": None},
        {"reason": "x" * 4001},
        {"reason": "a\u0000b"},
        {"cover": [], "mute": [], "picture": None},
        {"picture": None},
        {"cover": []},
        {"cover": [{**BOX, "x": 91}]},
        {"cover": [{**BOX, "y": 41}]},
        {"cover": [{**BOX, "x": -1}]},
        {"cover": [{**BOX, "width": 0}]},
        {"cover": [{**BOX, "width": 10.5}]},
        {"cover": [{**BOX, "width": "10"}]},
        {"cover": [{**BOX, "how": "transparent"}]},
        {"cover": [{**BOX, "why": " "}]},
        {"cover": [{**BOX, "to_ms": 0}]},
        {"cover": [{**BOX, "from_ms": -1}]},
        {"cover": [{**BOX, "to_ms": 2**60}]},
        {"cover": [{**BOX, "note": "x"}]},
        {"cover": [BOX] * (CHANGES_MAX + 1)},
        {"cover": {}},
        {"mute": [{**SPAN, "from_ms": 5, "to_ms": 5}]},
        {"mute": [{"from_ms": 0, "to_ms": 1}]},
        {"mute": [SPAN] * (CHANGES_MAX + 1)},
        {"mute": "all"},
        {"picture": {"width": 0, "height": 50}},
        {"picture": {"width": 100}},
        {"picture": {"width": 99_999, "height": 50}},
        {"unknown": 1},
    ],
)
def test_what_breaks_a_rule_is_refused_with_its_place(changes: dict[str, Any]) -> None:
    with pytest.raises(RedactionInvalid) as refused:
        read_redaction({**GOOD, **changes})
    assert refused.value.details["problems"]


@pytest.mark.parametrize("raw", [None, [], "x", 1, {}])
def test_what_is_no_redaction_is_refused(raw: object) -> None:
    with pytest.raises(RedactionInvalid):
        read_redaction(raw)
