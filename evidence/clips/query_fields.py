"""The fields of the query language: what each may be asked for, and what it means to the index. Pure.

Values are separated by commas, any one of which will do. Times are days, months, years or minutes of Beijing, the one
legal time of China; both ends of an interval are included.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from uuid import UUID

from evidence.clips.clips import ClipState
from evidence.clips.derived_facts import KIND_UNKNOWN
from evidence.clips.document import STATE_DISPOSED, facet
from evidence.clips.finding_words import read_findings
from evidence.clips.folding import fold
from evidence.clips.nearby import LATITUDE_E6_MAX, RADIUS_M_MAX
from evidence.clips.query_tree import Between, Facets, InUnit, Near, Node, Some, Without
from evidence.clips.vocabulary import Word, vocabulary
from evidence.errors import SearchInvalid
from evidence.registers.judging import FLAGS

BEIJING = timezone(timedelta(hours=8))


def _values(text: str) -> list[str]:
    # Folded first: there are characters that only then are commas.
    values = [value.strip() for value in re.split(",", unicodedata.normalize("NFKC", text))]
    if not all(map(fold, values)):
        raise SearchInvalid(f"a value is missing in {text!r}")
    return values


def _plain(name: str, text: str) -> Node:
    return Facets(tuple(facet(name, value) for value in _values(text)))


def _case(name: str, text: str) -> Node:
    """A case by its number as people write it, or by its id."""
    return Facets(tuple(facet(name if _is_uuid(value) else "case_number", _id(value)) for value in _values(text)))


def _dock(name: str, text: str) -> Node:
    values = _values(text)
    for value in values:
        if not _is_uuid(value):
            raise SearchInvalid(f"a dock is named by its id, not {value!r}")
    return Facets(tuple(facet(name, _id(value)) for value in values))


def _state(name: str, text: str) -> Node:
    known = {*(state.value for state in ClipState), STATE_DISPOSED}
    for value in _values(text):
        if value not in known:
            raise SearchInvalid(f"there is no state {value!r}; states are {', '.join(sorted(known))}")
    return _plain(name, text)


def _yes_or_no(name: str, text: str) -> Node:
    answer = {"yes": "yes", "no": "no", "是": "yes", "否": "no"}.get(fold(text))
    if answer is None:
        raise SearchInvalid(f"{name} is yes or no, not {text!r}")
    return Facets((facet(name, answer),))


def _covert(name: str, text: str) -> Node:
    # Only a covert recording says so; of all others nothing is said.
    asked = _yes_or_no(name, text)
    covert = Facets((facet(name, "yes"),))
    return covert if asked == covert else Without(covert)


def _unit(_: str, text: str) -> Node:
    return InUnit(tuple(_values(text)))


def _digest(name: str, text: str) -> Node:
    if not re.fullmatch(r"[0-9a-f]{64}", text.casefold()):
        raise SearchInvalid("sha256 is 64 hex digits")
    return Facets((facet(name, text),))


def _marker(name: str, text: str) -> Node:
    return Facets(tuple(facet(name, _key(vocabulary().markers, value, name)) for value in _values(text)))


def _speaker(name: str, text: str) -> Node:
    return Facets(tuple(facet(name, _key(vocabulary().speakers, value, name)) for value in _values(text)))


def _key(words: Mapping[str, Word], value: str, name: str) -> str:
    asked = fold(value)
    for key, word in words.items():
        if asked in (key, fold(word.zh), fold(word.en)):
            return key
    known = ", ".join(f"{key} ({word.zh})" for key, word in words.items())
    raise SearchInvalid(f"there is no {name} {value!r}; there are {known}")


def _missing(name: str, text: str) -> Node:
    found: list[Node] = []
    for value in _values(text):
        asked = _MISSING_NAMES.get(fold(value), fold(value))
        if asked in _MISSING_NAMES.values():
            found.append(Facets((facet("missing", asked),)))
        else:
            # No mark of a kind: the kinds are data, so that a list of what is missing needs no list of its own.
            found.append(Without(Facets((facet("marker", _key(vocabulary().markers, value, "marker")),))))
    return found[0] if len(found) == 1 else Some(tuple(found))


def _word(known: Mapping[str, str]) -> Callable[[str, str], Node]:
    """Return a reader of values from a closed list, written in English or Chinese."""

    def read(name: str, text: str) -> Node:
        return Facets(tuple(facet(name, _known(known, value, name)) for value in _values(text)))

    return read


def _known(known: Mapping[str, str], value: str, name: str) -> str:
    asked = known.get(fold(value), fold(value))
    if asked not in known.values():
        raise SearchInvalid(f"there is no {name} {value!r}; there are {', '.join(known)}")
    return asked


def _findings(_: str, text: str) -> Node:
    return read_findings(_values(text))


def _has(name: str, text: str) -> Node:
    """What is there: the opposite of `missing:`, and `open-findings`."""
    found = [
        read_findings(["open"]) if fold(value) in _OPEN_FINDINGS else Without(_missing(name, value))
        for value in _values(text)
    ]
    return found[0] if len(found) == 1 else Some(tuple(found))


_PLACE = re.compile(r"([+-]?\d{1,3}(?:\.\d{1,9})?),([+-]?\d{1,3}(?:\.\d{1,9})?),(\d{1,6}(?:\.\d{1,3})?)(m|km|米|公里)?")


def _near(name: str, text: str) -> Node:
    found = _PLACE.fullmatch(unicodedata.normalize("NFKC", text).casefold())
    if found is None:
        raise SearchInvalid(f"{name} is a latitude, a longitude and a radius, such as 39.3313,112.4329,500m")
    latitude, longitude = (round(float(part) * 1_000_000) for part in found.group(1, 2))
    metres = round(float(found[3]) * (1000 if found[4] in ("km", "公里") else 1))
    if abs(latitude) > LATITUDE_E6_MAX or abs(longitude) > 180_000_000:
        raise SearchInvalid(f"{text!r} lies beyond 85 degrees of latitude or 180 of longitude")
    if not 1 <= metres <= RADIUS_M_MAX:
        raise SearchInvalid(f"a radius has 1 m to {RADIUS_M_MAX // 1000} km")
    return Near(latitude, longitude, metres)


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _id(text: str) -> str:
    """Write an id as the index has it; what is none stays as it is."""
    return str(UUID(text)) if _is_uuid(text) else text


def _interval(text: str) -> tuple[str, str]:
    """Cut `a..b`, `>a`, `<b`, `>=a`, `<=b` or `a` into its ends; a single value is both."""
    asked = unicodedata.normalize("NFKC", text).replace("…", "..")
    if asked[:1] in "<>":
        value = asked.lstrip("<>=")
        ends = (value, "") if asked[0] == ">" else ("", value)
    else:
        low, dots, high = asked.partition("..")
        ends = (low, high) if dots else (asked, asked)
    if not any(ends):
        raise SearchInvalid(f"{text!r} names no end of an interval")
    return ends


def _when(name: str, text: str) -> Node:
    low, high = _interval(text)
    begin = _period(low)[0] if low else None
    end = _period(high)[1] if high else None
    asked = unicodedata.normalize("NFKC", text)
    if asked[0] == ">" and not asked.startswith(">="):
        begin = _period(low)[1]
    if asked[0] == "<" and not asked.startswith("<="):
        end = _period(high)[0]
    return _between(f"{name}_at", begin, end, text)


YEARS = (1900, 9000)
"""Years that a condition may name: both programs that compare times know all of them, in every zone."""

_PERIOD = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2})(?:[T ](\d{2}):(\d{2}))?)?)?")


def _period(text: str) -> tuple[datetime, datetime]:
    """Return the beginning of a year, month, day or minute and the beginning of the one after it, in Beijing time."""
    found = _PERIOD.fullmatch(text)
    if found is None:
        raise SearchInvalid(f"{text!r} is no time; write 2026, 2026-03, 2026-03-01 or 2026-03-01T09:30")
    year, month, day, hour, minute = (None if part is None else int(part) for part in found.groups())
    if not YEARS[0] <= (year or 0) <= YEARS[1]:
        raise SearchInvalid(f"{text!r} is not in the calendar of recordings, {YEARS[0]} to {YEARS[1]}")
    try:
        begin = datetime(year or 0, month or 1, day or 1, hour or 0, minute or 0, tzinfo=BEIJING)
        if minute is not None:
            return begin, begin + timedelta(minutes=1)
        if day is not None:
            return begin, begin + timedelta(days=1)
        after = (begin.year + 1, 1) if month is None or month == 12 else (begin.year, month + 1)
        return begin, begin.replace(year=after[0], month=after[1])
    except (ValueError, OverflowError) as error:
        raise SearchInvalid(f"{text!r} is not in the calendar") from error


@dataclass(frozen=True, slots=True)
class Measures:
    """Units of a measure by what people write, and how many of the column's own each of their ones has."""

    factors: Mapping[str, int]
    per_unit: int


_MEASURE_MAX = 1 << 62
_MEASURE = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)\s*([a-z秒分时小]*)")
SECONDS = Measures(
    {"": 1, "s": 1, "秒": 1, "m": 60, "min": 60, "分": 60, "h": 3600, "时": 3600, "小时": 3600}, per_unit=1000
)
BYTES = Measures({"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}, per_unit=1)


def _duration(_: str, text: str) -> Node:
    return _measured("duration_ms", text, SECONDS)


def _size(_: str, text: str) -> Node:
    return _measured("size", text, BYTES)


def _measured(column: str, text: str, units: Measures) -> Node:
    low, high = (measure(end, units) if end else None for end in _interval(text))
    asked = unicodedata.normalize("NFKC", text)
    above = asked[0] == ">" and not asked.startswith(">=")
    below = asked[0] == "<" and not asked.startswith("<=")
    begin = None if low is None else low + int(above)
    end = None if high is None else high + int(not below)
    return _between(column, begin, end, text)


def measure(text: str, units: Measures) -> int:
    """Read a number and its unit; in the column's own unit.

    Raises:
        SearchInvalid: It is no measure, or more than anything has.
    """
    found = _MEASURE.fullmatch(text.strip().casefold())
    if found is None or found[2] not in units.factors:
        raise SearchInvalid(
            f"{text!r} is no measure; write a number and one of {', '.join(filter(None, units.factors))}"
        )
    read = round(float(found[1]) * units.factors[found[2]] * units.per_unit)
    if read >= _MEASURE_MAX:
        raise SearchInvalid(f"{text!r} is more than anything has")
    return read


def _between(column: str, low: datetime | int | None, high: datetime | int | None, text: str) -> Between:
    if low is not None and high is not None and not low < high:  # type: ignore[operator]  # both of one kind
        raise SearchInvalid(f"nothing lies in {text!r}: its end is before its beginning")
    return Between(column, low, high)


_KINDS = {"video": "video", "视频": "video", "audio": "audio", "音频": "audio", "photo": "photo", "照片": "photo"} | {
    "unknown": KIND_UNKNOWN,
    "未知": KIND_UNKNOWN,
}
_OPEN_FINDINGS = frozenset(("open-findings", "open findings", "未决"))


_FLAGS = {flag: flag for flag in FLAGS} | {"blocked": "blocked", "待定": "blocked"}


@dataclass(frozen=True, slots=True)
class Field:
    """How the value of a field is read, what it asks for, and one value for the page about the language."""

    read: Callable[[str, str], Node]
    means: str
    example: str


FIELDS: Mapping[str, Field] = {
    "case": Field(_case, "the case it is an exhibit of, by number or id", "晋环罚〔2026〕9号"),
    "unit": Field(_unit, "unit it belongs to, by code, name or id; those below are meant too", "执法一中队"),
    "attribution": Field(_word(_FLAGS), "what is open about whose it is; blocked: not to be used yet", "blocked"),
    "recorder": Field(_plain, "serial of the recorder", "A100001,B200002"),
    "dock": Field(_dock, "id of the dock it came from", "0195a000-0000-7000-8000-00000000000a"),
    "officer": Field(_plain, "number of the officer, as the dock stated it", "015678"),
    "state": Field(
        _state, "what it is good for; disposed: what is left of it are its tombstone and its history", "reviewable"
    ),
    "key_mark": Field(_yes_or_no, "whether the officer marked it on the recorder", "yes"),
    "sha256": Field(_digest, "digest of the original", "ab" * 32),
    "item": Field(_plain, "recording item, as annotated", "现场检查"),
    "place": Field(_plain, "place, as annotated", "朔州市"),
    "marker": Field(_marker, "a marker that people set, by key or name", "亮证"),
    "speaker": Field(_speaker, "role of somebody who speaks, by key or name", "当事人"),
    "document": Field(_plain, "kind or number of a document that tells of the same act, as annotated", "现场检查笔录"),
    "covert": Field(_covert, "whether it is a covert recording", "yes"),
    "near": Field(_near, "recorded within a circle: latitude, longitude, radius", "39.3313,112.4329,500m"),
    "kind": Field(_word(_KINDS), "kind of media: video, audio, photo, unknown", "video,photo"),
    "action": Field(_plain, "action type of a case it is an exhibit of", "一般程序"),
    "findings": Field(
        _findings,
        "what was noticed: by whom (damaged, continuity, recorder, audit), open or resolved, by weight (high, notice,"
        " error, warning), or by code",
        "open",
    ),
    "late": Field(
        _yes_or_no,
        "received after the second working day from its end, or the agency's own term, by the agency's calendar and"
        " the clock of its recorder put right (R20)",
        "yes",
    ),
    "recorded": Field(_when, "when it was recorded, by the recorder's clock", "2026-03-01..2026-03-05"),
    "received": Field(_when, "when it was received", ">=2026-03"),
    "duration": Field(_duration, "how long it is", ">10m"),
    "size": Field(_size, "bytes of the original", "..200MB"),
    "missing": Field(_missing, "what nobody has written yet, or a marker that is not set", "remark"),
    "has": Field(_has, "the opposite of missing; or open-findings", "open-findings"),
}
"""Every field of the language."""

ALIASES: Mapping[str, str] = {"finding": "findings", "status": "state"}
"""Other spellings of names."""

CHINESE_NAMES: Mapping[str, str] = {
    "案件": "case",
    "案号": "case",
    "单位": "unit",
    "归属": "attribution",
    "记录仪": "recorder",
    "采集站": "dock",
    "警号": "officer",
    "证号": "officer",
    "状态": "state",
    "重点": "key_mark",
    "摘要": "sha256",
    "环节": "item",
    "地点": "place",
    "标记": "marker",
    "人物": "speaker",
    "文书": "document",
    "隐蔽": "covert",
    "附近": "near",
    "类型": "kind",
    "程序": "action",
    "发现": "findings",
    "迟交": "late",
    "录制": "recorded",
    "入库": "received",
    "时长": "duration",
    "大小": "size",
    "缺": "missing",
    "有": "has",
}
"""Names of fields as people write them in Chinese."""

_MISSING_NAMES: Mapping[str, str] = {
    "remark": "remark",
    "备注": "remark",
    "case": "case",
    "案件": "case",
    "item": "item",
    "环节": "item",
    "dialogue": "dialogue",
    "对话": "dialogue",
    "officer": "officer",
    "警号": "officer",
    "recorded": "recorded",
    "录制": "recorded",
}
"""What `missing:` knows besides markers: as people say it, and as the document's facet does."""

_COUNTED: Mapping[str, str] = {
    **{name: name for name in ("recorder", "dock", "officer", "state", "kind", "key_mark", "item", "place")},
    **{name: name for name in ("marker", "speaker", "document", "covert", "action", "late", "missing", "attribution")},
    "case_number": "case",
    "finding": "findings",
}
"""Facets of the index whose values can be counted, and the fields that ask for them."""

COUNTED_FIELDS = tuple(_COUNTED.values())


def counted_facets(text: str) -> Mapping[str, str]:
    """Return which facets of the index to count for some fields, separated by commas (all, if there are none).

    Raises:
        SearchInvalid: A field's values cannot be counted.
    """
    asked = [_known_field(value) for value in _values(text)] if text.strip() else list(COUNTED_FIELDS)
    return {name: field for name, field in _COUNTED.items() if field in asked}


def _known_field(written: str) -> str:
    field = CHINESE_NAMES.get(written, written)
    if field not in COUNTED_FIELDS:
        raise SearchInvalid(f"values of {written!r} cannot be counted; those of {', '.join(COUNTED_FIELDS)} can")
    return field
