"""Which characters people's words may hold when they are written anew. Pure.

Refused, beside the control characters that no text may hold (`parts.py`):

    C1 controls                          some terminals obey them
    bidirectional embeddings, overrides  make a text read otherwise than it is stored, and reach beyond their field;
    and isolates                         nobody types them, and a name or a number must read as it is
    invisible characters                 zero-width space, word joiner, soft hyphen, byte order mark, tags: two texts
                                         look the same and are not, and a search finds only one
    noncharacters                        reserved for programs' inside by Unicode

Directional *marks* (LRM, RLM, ALM), joiners (ZWJ, ZWNJ) and variation selectors stay allowed: Uyghur, Mongolian and
rare Chinese names need them, and they reorder nothing beyond their neighbours. What an earlier version said with such a
character is read and shown as it stands; it is only not written again anywhere else. See ADR 27.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from evidence.errors import AnnotationInvalid
from ledger.canonical import JsonObject, JsonValue

_REFUSED = re.compile(
    "[\x80-\x9f\u00ad\u200b\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufdd0-\ufdef\ufeff\ufff9-\uffff\U000e0000-\U000e007f]"
)
_PLANE_END = 0xFFFE
_PROBLEMS_SHOWN = 20


def check_wording(content: JsonObject, *, known: JsonObject) -> None:
    """See that no text holds a character that is refused.

    Args:
        content: What is to be written.
        known: The version before it: its texts may stay as they are.

    Raises:
        AnnotationInvalid: `details["problems"]` names each place and the character.
    """
    before = {text for _, text in _texts(known, "")}
    problems = [
        {"where": where, "problem": f"the character U+{ord(strange):04X} is not allowed"}
        for where, text in _texts(content, "")
        if text not in before and (strange := strange_character(text)) is not None
    ]
    if problems:
        first = f"{problems[0]['where']}: {problems[0]['problem']}"
        raise AnnotationInvalid(
            f"{len(problems)} texts cannot be written, first: {first}", problems=problems[:_PROBLEMS_SHOWN]
        )


def strange_character(text: str) -> str | None:
    """Return the first character of a text that is refused, None if there is none."""
    found = _REFUSED.search(text)
    if found is not None:
        return found[0]
    return next((character for character in text if ord(character) & _PLANE_END == _PLANE_END), None)


def _texts(value: JsonValue, where: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from _texts(part, f"{where}.{key}" if where else key)
    elif isinstance(value, Sequence):
        for place, part in enumerate(value):
            yield from _texts(part, f"{where}.{place}")
