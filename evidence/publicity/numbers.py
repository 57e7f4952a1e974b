"""Numbers of people in a folded text: identity numbers, telephones, bank cards. Pure, linear in the text.

Digits stand in groups, and up to four spaces, hyphens, line breaks, dots or brackets may lie between two groups of one
number. A number is looked for in whole groups side by side; an identity number, whose checksum speaks for itself, also
within a longer group.

    identity number, 18   GB 11643-1999: province, a birth date that exists, MOD 11-2 check: sure; wrong check: likely
    identity number, 15   province and birth date of the 20th century: likely
    bank card             13 to 19 digits, a first digit that issuers have (ISO/IEC 7812), Luhn; 62 is UnionPay: sure
    mobile                11 digits from 13 to 19, with or without 86: sure
    landline              area code with its 0 and 7 or 8 digits: likely; 7 or 8 digits behind a word for telephone
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from evidence.publicity.span import Certainty, Span, SpanKind, digit_of, is_letter_digit

_GAP_MAX = 4
_GAP = frozenset(" -·•()（）[]【】:：/")
_LONGEST = 20
_SHORTEST = 7
_PROVINCES = frozenset(
    str(code)
    for first, last in ((11, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 65), (71, 71), (81, 83), (91, 91))
    for code in range(first, last + 1)
)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_CARD_WORDS = re.compile("卡号|账号|帐号|账户|银行卡|银行")
_PHONE_WORDS = re.compile("电话|手机|致电|联系方式|TEL|座机")
_WORDS_BEFORE = 12
_AREA = re.compile(r"(?:(?:00)?860?|0)(?:10|2[0-9]|[3-9][0-9]{2})[2-9][0-9]{6,7}")
_MOBILE = re.compile(r"(?:0{0,2}86)?1[3-9][0-9]{9}")
_LOCAL = re.compile(r"[2-9][0-9]{6,7}")


@dataclass(frozen=True, slots=True)
class _Group:
    """Digits side by side: as ASCII, with X where it ends an identity number; where they lie."""

    digits: str
    start: int
    end: int
    follows: bool
    """Whether it may continue the group before it."""


def find_numbers(folded: str) -> Iterator[Span]:
    """Yield every span that reads as a number of a person; they may overlap."""
    groups = list(_groups(folded))
    for place, group in enumerate(groups):
        yield from _within(group)
        digits, before = "", folded[max(0, group.start - _WORDS_BEFORE) : group.start]
        for other in (groups[at] for at in range(place, min(place + _LONGEST, len(groups)))):
            if digits and not other.follows:
                break
            digits += other.digits
            if len(digits) > _LONGEST:
                break
            found = _judge(digits, before)
            if found is not None:
                yield Span(_bracket(folded, group.start, other.end), other.end, *found)


def _bracket(folded: str, start: int, end: int) -> int:
    """Return where a number begins whose first group has a sign before it: (0349) 5211818, +86 349 5211818."""
    before = folded[max(0, start - 1) : start]
    return start - 1 if before == "+" or (before == "(" and ")" in folded[start:end]) else start


def _groups(folded: str) -> Iterator[_Group]:
    place, ended = 0, -_GAP_MAX - 1
    while place < len(folded):
        if not _is_digit(folded, place):
            place += 1
            continue
        start, digits, real = place, "", False
        while place < len(folded) and _is_digit(folded, place):
            digits += digit_of(folded[place]) or ""
            real = real or not is_letter_digit(folded[place])
            place += 1
        if place < len(folded) and folded[place] == "X" and not _is_latin(folded, place + 1):
            digits, place = digits + "X", place + 1
        # A single letter between two gaps is a digit only beside real ones: I and O are words elsewhere.
        if real or start - ended <= _GAP_MAX:
            gap = folded[ended:start] if ended >= 0 else ""
            yield _Group(digits, start, place, start - ended <= _GAP_MAX and all(one in _GAP for one in gap))
            ended = place


def _is_digit(folded: str, place: int) -> bool:
    if digit_of(folded[place]) is None:
        return False
    return not is_letter_digit(folded[place]) or not (_is_latin(folded, place - 1) or _is_latin(folded, place + 1))


def _is_latin(folded: str, place: int) -> bool:
    if not 0 <= place < len(folded):
        return False
    return "A" <= folded[place] <= "Z" and not is_letter_digit(folded[place]) and folded[place] != "X"


def _judge(digits: str, before: str) -> tuple[SpanKind, Certainty] | None:
    """Say what whole groups of digits are; None when they are no number of a person."""
    length = len(digits)
    if length < _SHORTEST or length == 9:
        return None
    if length in (15, 18) and (id_card := _id_card(digits)) is not None:
        return SpanKind.ID_CARD, id_card
    if "X" in digits:
        return None
    if length in (11, 13, 15) and _MOBILE.fullmatch(digits):
        return SpanKind.MOBILE, Certainty.SURE
    if length >= 13 and digits[0] in "34569" and (card := _bank_card(digits, before)) is not None:
        return SpanKind.BANK_CARD, card
    if digits[0] in "08" and _AREA.fullmatch(digits):
        return SpanKind.LANDLINE, Certainty.LIKELY
    if length <= 8 and _LOCAL.fullmatch(digits) and _PHONE_WORDS.search(before):
        return SpanKind.LANDLINE, Certainty.LIKELY
    return None


def _id_card(digits: str) -> Certainty | None:
    if digits[:2] not in _PROVINCES:
        return None
    if len(digits) == 18 and "X" not in digits[:17] and _is_birth(digits[6:14]):
        return Certainty.SURE if id_check(digits[:17]) == digits[17] else Certainty.LIKELY
    if len(digits) == 15 and "X" not in digits and _is_birth("19" + digits[6:12]):
        return Certainty.LIKELY
    return None


def id_check(first: str) -> str:
    """Return the check character of an identity number's first 17 digits (GB 11643-1999, ISO 7064 MOD 11-2)."""
    return _CHECKS[sum(int(one) * weight for one, weight in zip(first, _WEIGHTS, strict=True)) % 11]


def _is_birth(digits: str) -> bool:
    if not "1880" <= digits[:4] <= "2099":
        return False
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return True


def _bank_card(digits: str, before: str) -> Certainty | None:
    named = _CARD_WORDS.search(before) is not None
    if len(digits) > 19:
        return None
    if passes_luhn(digits):
        return Certainty.SURE if named or digits.startswith("62") else Certainty.LIKELY
    return Certainty.LIKELY if named and len(digits) >= 15 else None


def passes_luhn(digits: str) -> bool:
    """Tell whether digits pass the check of ISO/IEC 7812-1 (Luhn)."""
    doubled = [int(one) * (2 if place % 2 else 1) for place, one in enumerate(reversed(digits))]
    return sum(one - 9 if one > 9 else one for one in doubled) % 10 == 0


def _within(group: _Group) -> Iterator[Span]:
    """Yield identity numbers inside a longer group, where their checksum holds."""
    digits = group.digits
    for place in range(len(digits) - 17) if len(digits) > 18 else ():
        part = digits[place : place + 18]
        if part[:2] in _PROVINCES and _id_card(part) is Certainty.SURE:
            yield Span(group.start + place, group.start + place + 18, SpanKind.ID_CARD, Certainty.LIKELY)
