"""Case numbers: people's words, compared so that two spellings only a computer tells apart are one number. Pure."""

from __future__ import annotations

import unicodedata


def number_key(number: str) -> str:
    """Return what a number is compared by: full-width forms, letter case and blanks do not matter.

    >>> number_key("晋环罚〔2026〕１ 号") == number_key("晋环罚〔2026〕1号")
    True
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", number).casefold())
    return "".join(character for character in folded if not character.isspace())
