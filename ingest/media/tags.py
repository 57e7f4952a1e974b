"""Words that a camera left in a file, made safe to seal, store and print.

Tags come as whatever bytes the maker's firmware wrote: not always UTF-8, sometimes with control characters, sometimes
kilobytes long. They are kept readable and told apart from what was changed:

- a byte that is not UTF-8 becomes `\\xNN` (the decoder hands it over as a lone surrogate, PEP 383);
- a control character becomes `\\xNN` too, so that a name printed on a terminal cannot move its cursor;
- a backslash is doubled, so that the two can be told from a maker who wrote a backslash;
- what is longer than the limit ends in an ellipsis, and how many tags were left out is counted.

The original bytes are in the sealed original; this is for reading and searching.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

TAGS_MAX = 32
TAG_NAME_CHARACTERS_MAX = 64
TAG_VALUE_CHARACTERS_MAX = 256
_ELLIPSIS = "…"


@dataclass(frozen=True, slots=True)
class Tags:
    """Tags fit for canonical JSON, and how many were left out because there were too many."""

    kept: Mapping[str, str]
    omitted: int

    def as_json(self) -> dict[str, str]:
        """Return the kept tags, in the order they were found."""
        return dict(self.kept)


def safe_tags(raw: Mapping[str, str]) -> Tags:
    """Return at most `TAGS_MAX` tags with safe names and values; of two names that become one, the first counts."""
    kept: dict[str, str] = {}
    for name, value in raw.items():
        if len(kept) == TAGS_MAX:
            break
        kept.setdefault(safe_text(name, characters_max=TAG_NAME_CHARACTERS_MAX), safe_text(value))
    return Tags(kept=kept, omitted=len(raw) - len(kept))


def safe_text(raw: str, *, characters_max: int = TAG_VALUE_CHARACTERS_MAX) -> str:
    """Return `raw` with escapes as the module's front page says, at most `characters_max` characters long."""
    pieces: list[str] = []
    length = 0
    for character in raw:
        piece = _escaped(character)
        length += len(piece)
        if length > characters_max:
            # Make room for the ellipsis without cutting an escape in two.
            while pieces and length - len(piece) + 1 > characters_max:
                length -= len(pieces.pop())
            return "".join(pieces) + _ELLIPSIS
        pieces.append(piece)
    return "".join(pieces)


def _escaped(character: str) -> str:
    point = ord(character)
    if character == "\\":
        return "\\\\"
    if 0xDC80 <= point <= 0xDCFF:
        return f"\\x{point - 0xDC00:02x}"
    if point < 0x20 or 0x7F <= point < 0xA0:
        return f"\\x{point:02x}"
    if 0xD800 <= point <= 0xDFFF:
        return "\N{REPLACEMENT CHARACTER}"
    return character
