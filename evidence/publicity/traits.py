"""What words and shapes tell of people in a folded text: plates, travel documents, addresses, minors, secrecy. Pure.

Every pattern is bounded in each repetition and anchored at a rare character, so that a hostile text costs no more than
its length. Disguised digits are read as in `span`; up to three spaces or hyphens may lie inside a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from evidence.publicity.span import Certainty, Span, SpanKind, digit_of

_D = "[0-9OIL|〇零一二三四五六七八九]"
_S = r"[ \-·•]{0,3}"
_N = "[0-9一二两三四五六七八九十百〇零]"

_PLATE = re.compile(
    rf"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使]{_S}[A-Z]"
    rf"(?:{_S}[A-Z0-9]){{4}}{_S}(?:[A-Z0-9]{_S}[A-Z0-9](?![A-Z0-9])|[A-Z0-9](?![A-Z0-9])|[学警港澳挂使领])"
)
_PLATE_DIGITS_MIN = 2

_PASSPORT = re.compile(
    rf"(?<![A-Z0-9])(?:[EGDSPHMC](?:{_S}{_D}){{8}}|E{_S}[A-HJ-NP-Z](?:{_S}{_D}){{7}}|[SPD]{_S}E(?:{_S}{_D}){{7}}"
    rf"|C{_S}[A-Z](?:{_S}{_D}){{7}}|[HM](?:{_S}{_D}){{10}})(?![A-Z0-9])"
)
_PASSPORT_WORDS = re.compile("护照|通行证|证件|PASSPORT")

_ROAD = "大道|大街|路|街|巷|弄|胡同|村|小区|花园|公寓|苑|社区|屯|庄|新区|家园|号院|镇|乡|园|区|坊|嘉园"
_HOUSE = re.compile(
    rf"(?:{_ROAD})[\u4e00-\u9fff ]{{0,6}}?(?:{_N}[ \-]{{0,2}}){{1,6}}(?:号楼|号院|号|弄|栋|幢|单元|组|室|户|楼)"
    rf"(?:[ \-]{{0,2}}(?:{_N}[ \-]{{0,2}}){{1,5}}(?:号楼|号|栋|幢|单元|层|楼|室|户|组)?){{0,4}}"
)
_LEFT = re.compile(r"[\u4e00-\u9fff0-9 ]{0,24}$")
_LEFT_WORDS = re.compile("住址|地址|住在|居住|家住|现住|住所地?|位于|地处|户籍地?|住|在|于|为|是|到|至|从|对")
_AT_HOME = re.compile(
    r"(?:家庭住址|住址|家住|现住|户籍地|户籍所在地|居住地|住所地?)[:： 为是在于]{0,3}[^，。；\n ]{4,40}"
)

_AGE = re.compile(rf"({_N}(?:[ \-]{{0,2}}{_N}){{0,2}})[ \-]{{0,2}}(?:周[ ]?)?岁(?!修|末|月|入|出)")
_MINOR = re.compile(
    r"未成年人?|未满[ ]?(?:1[468]|十[四六八])[ ]?(?:周)?岁|(?:小|中|初中|高中)学生|初中生|高中生|幼儿|儿童|婴儿"
)
_DATE = rf"([12]{_D}{{3}}|[一二]{_D}{{3}})[年\-/.·  ]{{1,3}}({_N}{{1,3}})[月\-/.·  ]{{1,3}}({_N}{{1,3}})[ ]?日?"
_BORN = re.compile(
    rf"(?:出生日期|出生年月日?|出生于|生日|生于|出生)[:： 为是在]{{0,3}}{_DATE}|{_DATE}[ ]{{0,2}}(?:出生|生[，,。； ])"
)
_ADULT_YEARS = 18

_MARK = re.compile(r"(?:绝密|机密|秘密)[ ]{0,3}[★☆*]|密级[:：]|(?:绝密|机密)(?=[级件文])")
_HINT = re.compile(r"国家秘密|工作秘密|内部资料|内部文件|不得公开|不予公开|仅供内部|商业秘密|机密|绝密")


def find_traits(folded: str, *, on: date) -> Iterator[Span]:
    """Yield every span of these kinds; they may overlap.

    Args:
        on: The day by which somebody is a minor or not.
    """
    for found in _PLATE.finditer(folded):
        if sum(one.isdigit() for one in found[0]) >= _PLATE_DIGITS_MIN:
            yield Span(*found.span(), SpanKind.PLATE, Certainty.SURE)
    for found in _PASSPORT.finditer(folded):
        named = _PASSPORT_WORDS.search(folded, max(0, found.start() - 12), found.start())
        yield Span(*found.span(), SpanKind.PASSPORT, Certainty.SURE if named else Certainty.LIKELY)
    yield from _addresses(folded)
    yield from _minors(folded, on)
    for pattern, certainty in ((_MARK, Certainty.SURE), (_HINT, Certainty.POSSIBLE)):
        for found in pattern.finditer(folded):
            yield Span(*found.span(), SpanKind.SECRECY, certainty)


def _addresses(folded: str) -> Iterator[Span]:
    for found in _HOUSE.finditer(folded):
        before = folded[max(0, found.start() - 24) : found.start()]
        left = _LEFT.search(before)
        reach = "" if left is None else left[0]
        words = list(_LEFT_WORDS.finditer(reach))
        start = found.start() - len(reach) + (words[-1].end() if words else 0)
        yield Span(start, found.end(), SpanKind.ADDRESS, Certainty.LIKELY)
    for found in _AT_HOME.finditer(folded):
        yield Span(*found.span(), SpanKind.ADDRESS, Certainty.LIKELY)


def _minors(folded: str, on: date) -> Iterator[Span]:
    for found in _AGE.finditer(folded):
        years = number_of(found[1])
        if years is not None and years < _ADULT_YEARS:
            yield Span(*found.span(), SpanKind.MINOR, Certainty.SURE)
    for found in _MINOR.finditer(folded):
        yield Span(*found.span(), SpanKind.MINOR, Certainty.POSSIBLE)
    for found in _BORN.finditer(folded):
        born = _day_of([one for one in found.groups() if one is not None])
        if born is None:
            continue
        if on < _birthday(born, _ADULT_YEARS):
            yield Span(*found.span(), SpanKind.MINOR, Certainty.SURE)
        else:
            yield Span(*found.span(), SpanKind.BIRTH_DATE, Certainty.LIKELY)


def _day_of(parts: list[str]) -> date | None:
    year = "".join(digit_of(one) or "" for one in parts[0])
    month, day = number_of(parts[1]), number_of(parts[2])
    if month is None or day is None:
        return None
    try:
        return date(int(year), month, day)
    except ValueError:
        return None


def _birthday(born: date, years: int) -> date:
    try:
        return born.replace(year=born.year + years)
    except ValueError:  # the 29th of February
        return date(born.year + years, 3, 1)


def number_of(text: str) -> int | None:
    """Return a number below 1000 written in digits or in Chinese (`十二`, `二十`, `一百零三`); None for none."""
    plain = text.replace(" ", "").replace("-", "").replace("两", "二")
    if not any(one in plain for one in "十百"):
        digits = [digit_of(one) for one in plain]
        return int("".join(one for one in digits if one)) if plain and None not in digits else None
    total, digit = 0, 0
    for one in plain:
        if one in "十百":
            total, digit = total + (digit or 1) * (10 if one == "十" else 100), 0
        else:
            digit = int(digit_of(one) or 0)
    return total + digit
