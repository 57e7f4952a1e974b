"""How text is folded for search. Pure.

People write full-width and half-width, upper and lower case: NFKC and case folding make them one. How the folded text
is cut for the index stands in `grams.py`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

FIELD_BREAK = "\n"
"""Stands between fields of a haystack; no term holds it, so no term matches across fields."""


def fold(text: str) -> str:
    """Return the form in which texts are compared: NFKC, case folded, every run of blanks as one space."""
    if text.isascii():  # then NFKC changes nothing, and lower case is its fold
        return " ".join(text.lower().replace("\0", " ").split())
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(folded.replace("\0", " ").split())


def haystack(fields: Iterable[str | None]) -> str:
    """Join the fields of a document into one folded text."""
    return FIELD_BREAK.join(folded for field in fields if field and (folded := fold(field)))


def like_pattern(term: str) -> str:
    r"""Return the LIKE pattern that finds a folded term anywhere; escape character is `\`."""
    return "%" + re.sub(r"([\\%_])", r"\\\1", term) + "%"
