"""A span of a text that may say something about a person, and the folding that lets disguised digits be read. Pure.

Folding keeps one character for one, so that a place in the folded text is the same place in the original: full-width
and other digits become ASCII, Latin letters and their look-alikes of Greek and Cyrillic become Latin capitals, every
dash a hyphen, every space, line break and invisible character a space.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache


class SpanKind(StrEnum):
    """What a span may be; the value is stored and never changes its meaning."""

    ID_CARD = "id_card"
    MOBILE = "mobile"
    LANDLINE = "landline"
    BANK_CARD = "bank_card"
    PASSPORT = "passport"
    PLATE = "plate"
    ADDRESS = "address"
    MINOR = "minor"
    BIRTH_DATE = "birth_date"
    SECRECY = "secrecy"
    MANUAL = "manual"


TITLES: dict[SpanKind, tuple[str, str]] = {
    SpanKind.ID_CARD: ("身份证号", "identity number"),
    SpanKind.MOBILE: ("手机号", "mobile number"),
    SpanKind.LANDLINE: ("电话号码", "telephone number"),
    SpanKind.BANK_CARD: ("银行卡号", "bank card number"),
    SpanKind.PASSPORT: ("证件号码", "travel document"),
    SpanKind.PLATE: ("车牌号", "number plate"),
    SpanKind.ADDRESS: ("地址", "address"),
    SpanKind.MINOR: ("未成年人信息", "about a minor"),
    SpanKind.BIRTH_DATE: ("出生日期", "date of birth"),
    SpanKind.SECRECY: ("涉密标注", "secrecy mark"),
    SpanKind.MANUAL: ("不宜公开内容", "not for the public"),
}
"""What people call each kind, in Chinese and English; the Chinese one stands in a mask."""


class Certainty(StrEnum):
    """How sure the scan is: a checksum holds, the shape fits, or only a word hints at it."""

    SURE = "sure"
    LIKELY = "likely"
    POSSIBLE = "possible"


RANK = {Certainty.SURE: 0, Certainty.LIKELY: 1, Certainty.POSSIBLE: 2}


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Characters `start` to `end` (exclusive) of a text."""

    start: int
    end: int
    kind: SpanKind
    certainty: Certainty


_LOOK_ALIKES = str.maketrans(
    "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧοАВЕЅІЈКМНОРСТХоіӏ｜ǀ∣",
    "ABEZHIKMNOPTYXOABESIJKMHOPCTXOII|||",
)
_DASHES = "‐‑‒–—―−﹣－_"
_LETTER_DIGITS = {"O": "0", "I": "1", "L": "1", "|": "1"}
_CHINESE_DIGITS = dict(zip("〇零一二三四五六七八九", "00123456789", strict=True)) | {"○": "0", "幺": "1"}


def fold(text: str) -> str:
    """Return the text folded, as long as it was."""
    return "".join(map(_folded, text))


@lru_cache(maxsize=4096)
def _folded(character: str) -> str:
    digit = unicodedata.digit(character, None)
    if digit is not None and character not in "〇○":
        return str(digit)
    if character in _DASHES:
        return "-"
    if character.isspace() or unicodedata.category(character) == "Cf":
        return " "
    plain = unicodedata.normalize("NFKC", character)
    plain = (plain if len(plain) == 1 else character).translate(_LOOK_ALIKES)
    upper = plain.upper()
    return upper.translate(_LOOK_ALIKES) if len(upper) == 1 else plain


def digit_of(character: str) -> str | None:
    """Return the digit that a folded character is or looks like, None for others."""
    if "0" <= character <= "9":
        return character
    return _CHINESE_DIGITS.get(character) or _LETTER_DIGITS.get(character)


def is_letter_digit(character: str) -> bool:
    """Whether a folded character is a letter that only looks like a digit."""
    return character in _LETTER_DIGITS
