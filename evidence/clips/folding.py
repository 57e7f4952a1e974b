"""How text is folded and cut for search. Pure.

People write full-width and half-width, upper and lower case: NFKC and case folding make them one. Chinese has no spaces
and most terms have two characters, so text is indexed by every pair of neighbours, and by single characters for queries
of one. The index only narrows: a term's pairs may stand apart in a text, so each hit is checked by substring.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

FIELD_BREAK = "\n"
"""Stands between fields of a haystack; no term holds it, so no term matches across fields."""


def fold(text: str) -> str:
    """Return the form in which texts are compared: NFKC, case folded, every run of blanks as one space."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(folded.replace("\0", " ").split())


def haystack(fields: Iterable[str | None]) -> str:
    """Join the fields of a document into one folded text."""
    return FIELD_BREAK.join(folded for field in fields if field and (folded := fold(field)))


def grams(text: str) -> list[str]:
    """Return every character and every pair of neighbours of a folded text, once each, sorted, without blanks."""
    pairs = {text[start : start + 2] for start in range(len(text) - 1)}
    return sorted(gram for gram in pairs | set(text) if not _has_blank(gram))


def term_grams(term: str) -> list[str]:
    """Return what a folded term demands of the index: its pairs, or itself when it is one character."""
    if len(term) == 1:
        return [term]
    pairs = {term[start : start + 2] for start in range(len(term) - 1)}
    return sorted(gram for gram in pairs if not _has_blank(gram)) or sorted(set(term) - {" "})


def like_pattern(term: str) -> str:
    r"""Return the LIKE pattern that finds a folded term anywhere; escape character is `\`."""
    return "%" + re.sub(r"([\\%_])", r"\\\1", term) + "%"


def _has_blank(gram: str) -> bool:
    return any(character.isspace() for character in gram)
