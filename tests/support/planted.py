"""Records with personal data planted in them, and clean ones: seeded, disguised as people disguise numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from evidence.publicity.numbers import id_check
from evidence.publicity.span import SpanKind

ON = date(2026, 3, 9)
"""The day on which these records are scanned."""

_REGIONS = ("110101", "140602", "370402", "211122", "450323", "510104", "659001")
_HOMOGLYPHS = {"0": "OoОΟо", "1": "lIІ|"}
_SURNAMES, _GIVEN = "王李张刘陈杨黄赵周吴", "伟芳娜敏静丽强磊洋艳勇杰娟涛明超"
_CLEAN = (
    "{day}，执法人员对该单位进行现场检查，发现其大气污染物排放口颗粒物浓度为{small}.{digit}mg/m3，超过排放标准{digit}.{digit}倍。",
    "依据《中华人民共和国大气污染防治法》第九十九条第（二）项、《山西省大气污染防治条例》第{small}条之规定，罚款人民币{money}元。",
    "决定书文号：晋环罚〔2026〕{small}号，案卷编号{long}，缴款书编号{serial}。",
    "该单位生产线设计能力{money}吨/年，{day} {clock}至{clock}违法排放，共{small}小时{digit}分。",
    "统一社会信用代码91140600MA0K{small}XY，排污许可证编号91140600MA0K{small}XY001V。",
    "责令其自收到本决定书之日起{small}日内改正违法行为，逾期不改正的，依法处以{money}元以下罚款。",
    "监测报告编号 HJ-2026-{small}-{digit}，样品编号 {serial}，检测限{digit}.0{digit}。",
    "当事人已于{day}履行完毕，缴纳罚款{money}.00元（大写：壹拾万元整）。",
    "扣押电动机{small}台（型号Y132M-4，功率7.5kW，出厂编号{long}），期限三十日。",
)


@dataclass(frozen=True, slots=True)
class Planted:
    """A record's text with what was planted: kind, and the characters it takes."""

    text: str
    items: tuple[tuple[SpanKind, int, int], ...]


def clean_record(chance: Random) -> str:
    """Return a record as agencies publish them, with numbers of every harmless sort and nothing about a person."""
    return "".join(_sentence(chance) for _ in range(4))


def planted_records(seed: int, *, records: int, items: int) -> list[Planted]:
    """Return records with so many items planted in all, of every kind in turn."""
    chance = Random(f"planted {seed}")
    kinds = list(_MAKERS)
    share = [items // records + (1 if number < items % records else 0) for number in range(records)]
    made, counter = [], 0
    for count in share:
        text, places = _sentence(chance), list[tuple[SpanKind, int, int]]()
        for _ in range(count):
            kind = kinds[counter % len(kinds)]
            counter += 1
            before, item, after = _MAKERS[kind](chance)
            text += before
            places.append((kind, len(text), len(text) + len(item)))
            text += item + after + _sentence(chance)
        made.append(Planted(text, tuple(places)))
    return made


def id_number(chance: Random, born: date | None = None) -> str:
    """Return an identity number with its checksum right."""
    day = born or date(1955, 1, 1) + timedelta(days=chance.randrange(15_000))
    first = f"{chance.choice(_REGIONS)}{day:%Y%m%d}{chance.randrange(1000):03}"
    return first + id_check(first)


def disguised(chance: Random, digits: str) -> str:
    """Return a number as people write it: plain, in groups, full-width, over a line break, with look-alikes."""
    way = chance.randrange(7)
    if way == 1:
        return "".join(chr(ord(one) + 0xFEE0) if one.isdigit() else one for one in digits)
    if way == 2:
        gap = chance.choice((" ", "-", "－", "\u3000", " - ", "–"))
        return gap.join((digits[:3], digits[3:7], digits[7:]))
    if way == 3:
        cut = chance.randrange(4, len(digits) - 3)
        return digits[:cut] + chance.choice(("\n", "\n  ", " \n")) + digits[cut:]
    if way == 4:
        places = {place for place, one in enumerate(digits) if one in _HOMOGLYPHS and 0 < place < len(digits) - 1}
        chosen = set(chance.sample(sorted(places), min(len(places), 3)))
        return "".join(chance.choice(_HOMOGLYPHS[one]) if place in chosen else one for place, one in enumerate(digits))
    if way == 5:
        return "".join("〇一二三四五六七八九"[int(one)] if one.isdigit() else one for one in digits)
    if way == 6:
        return "\u200b".join((digits[:5], digits[5:]))
    return digits


def _id(chance: Random) -> tuple[str, str, str]:
    return f"当事人{_person(chance)}，身份证号", disguised(chance, id_number(chance)), "，"


def _mobile(chance: Random) -> tuple[str, str, str]:
    number = f"1{chance.choice('3456789')}{chance.randrange(10**9):09}"
    return chance.choice(("电话", "联系人手机：", "，")), disguised(chance, number), "。"


def _landline(chance: Random) -> tuple[str, str, str]:
    number = f"{chance.randrange(2, 9)}{chance.randrange(10**6):06}"
    return "联系电话：", chance.choice(("0349-", "(0349)", "０３４９－", "0349 ", "+86 349 ")) + number, "，"


def _card(chance: Random) -> tuple[str, str, str]:
    first = f"62{chance.randrange(10**16):016}"
    last = next(digit for digit in "0123456789" if _luhn(first + digit))
    number = first + last
    if chance.randrange(2):
        number = " ".join(number[at : at + 4] for at in range(0, 19, 4))
        return "收款账户", number, "。"
    return "银行卡", disguised(chance, number), "。"


def _luhn(digits: str) -> bool:
    total = 0
    for place, one in enumerate(reversed(digits)):
        number = int(one) * (2 if place % 2 else 1)
        total += number - 9 if number > 9 else number
    return total % 10 == 0


def _plate(chance: Random) -> tuple[str, str, str]:
    tail = f"{chance.randrange(10**5):05}"
    plate = chance.choice(
        (f"晋F{tail}", f"鲁D·{tail}", f"辽L D{tail}", f"桂C{tail}F", f"晋Ｆ{tail}", f"京A-{tail[:4]}学")
    )
    return "驾驶", plate, "号货车，"


def _passport(chance: Random) -> tuple[str, str, str]:
    number = chance.choice(("E", "G", "EA", "ＥＢ"))
    digits = f"{chance.randrange(10**8):08}"[: 9 - len(number)]
    return "持护照", number + chance.choice((digits, digits[:4] + " " + digits[4:])), "入境，"


def _address(chance: Random) -> tuple[str, str, str]:
    house = chance.choice(("12号3单元501室", "１２号", "十二号楼三单元", "8弄15号", "第3组42号", "26号院4栋"))
    return "住", f"朔州市朔城区{chance.choice(('民福街', '开发路', '古北村', '和谐家园小区'))}{house}", "。"


def _minor(chance: Random) -> tuple[str, str, str]:
    years = chance.randrange(3, 18)
    item = chance.choice((f"{years}岁", f"{years}周岁", "十五岁", "１６ 岁"))
    return f"其子{_person(chance)}（", item, "）在场，"


def _born(chance: Random) -> tuple[str, str, str]:
    day = date(1960, 1, 1) + timedelta(days=chance.randrange(22_000))
    item = chance.choice(
        (f"出生日期：{day:%Y-%m-%d}", f"{day.year}年{day.month}月{day.day}日出生", f"生于{day:%Y.%m.%d}")
    )
    return f"{_person(chance)}，", item, "，"


_MAKERS = {
    SpanKind.ID_CARD: _id,
    SpanKind.MOBILE: _mobile,
    SpanKind.LANDLINE: _landline,
    SpanKind.BANK_CARD: _card,
    SpanKind.PLATE: _plate,
    SpanKind.PASSPORT: _passport,
    SpanKind.ADDRESS: _address,
    SpanKind.MINOR: _minor,
    SpanKind.BIRTH_DATE: _born,
}


def _person(chance: Random) -> str:
    return chance.choice(_SURNAMES) + chance.choice(_GIVEN) + chance.choice(_GIVEN)


def _sentence(chance: Random) -> str:
    day = date(2026, 1, 1) + timedelta(days=chance.randrange(60))
    return chance.choice(_CLEAN).format(
        day=f"{day.year}年{day.month}月{day.day}日",
        small=chance.randrange(2, 400),
        digit=chance.randrange(1, 10),
        money=chance.randrange(1, 100) * 10_000,
        long=f"{chance.randrange(10**12):012}",
        serial=f"{chance.randrange(10**16):016}",
        clock=f"{chance.randrange(24):02}:{chance.randrange(60):02}",
    )
