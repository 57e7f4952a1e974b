"""The query language: what is read as what, what is refused, and that nothing else ever happens."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.clips.language import parse
from evidence.clips.query_fields import BEIJING, CHINESE_NAMES, FIELDS
from evidence.clips.query_tree import (
    EVERYTHING,
    Audited,
    Between,
    Every,
    Facets,
    Node,
    Noticed,
    Some,
    Units,
    Without,
    Words,
    wanted_terms,
)
from evidence.clips.question_text import write
from evidence.errors import SearchInvalid

CASE = "0195a000-0000-7000-8000-00000000000a"


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BEIJING)


READ: list[tuple[str, Node]] = [
    ("", EVERYTHING),
    ("  \u3000", EVERYTHING),
    ('""', EVERYTHING),
    ("()", EVERYTHING),
    ("查封", Words("查封")),
    ("查封\u3000扣押", Every((Words("查封"), Words("扣押")))),
    ("A a Ａ", Words("a")),
    ("“现场 检查”", Words("现场 检查")),
    ('x"y z"w', Every((Words("x"), Words("y z"), Words("w")))),
    ("-雨水", Without(Words("雨水"))),
    ("NOT 雨水", Without(Words("雨水"))),
    ("非 雨水", Without(Words("雨水"))),
    ("排污 -雨水", Every((Words("排污"), Without(Words("雨水"))))),
    ("- --x --", Every((Words("-"), Words("--x"), Words("--")))),
    ("IMG-0001", Words("img-0001")),
    ("查封 OR 扣押", Some((Words("查封"), Words("扣押")))),
    ("查封 或 扣押", Some((Words("查封"), Words("扣押")))),
    ('"OR"', Words("or")),
    ('"查封 OR 扣押"', Words("查封 or 扣押")),
    ("or", Words("or")),
    ("a b OR c", Some((Every((Words("a"), Words("b"))), Words("c")))),
    ("a (b OR c)", Every((Words("a"), Some((Words("b"), Words("c")))))),
    ("a （b OR c）", Every((Words("a"), Some((Words("b"), Words("c")))))),
    ("-(a b)", Without(Every((Words("a"), Words("b"))))),
    ("IMG(1).jpg", Words("img(1).jpg")),
    ("(IMG(1) x)", Every((Words("img(1)"), Words("x")))),
    (")", Words(")")),
    ("09:30", Words("09:30")),
    ("当事人：没有", Words("当事人:没有")),
    ("recorder:A100001", Facets(("recorder:a100001",))),
    ("记录仪：Ａ100001", Facets(("recorder:a100001",))),
    ("RECORDER:A1,B2", Facets(("recorder:a1", "recorder:b2"))),
    ("警号:015678", Facets(("officer:015678",))),
    ('"recorder:A1"', Words("recorder:a1")),
    ('item:"现场 检查"', Facets(("item:现场 检查",))),
    (f"case:{CASE}", Facets((f"case:{CASE}",))),
    ("案号:晋环罚〔2026〕9号", Facets(("case_number:晋环罚〔2026〕9号",))),
    ("state:still,audio", Facets(("state:still", "state:audio"))),
    ("key_mark:是", Facets(("key_mark:yes",))),
    ("sha256:" + "AB" * 32, Facets(("sha256:" + "ab" * 32,))),
    ("marker:亮证", Facets(("marker:credentials_shown",))),
    ("标记:credentials_shown", Facets(("marker:credentials_shown",))),
    ("-marker:亮证", Without(Facets(("marker:credentials_shown",)))),
    ("缺:亮证", Without(Facets(("marker:credentials_shown",)))),
    ("speaker:当事人", Facets(("speaker:party",))),
    ("missing:remark", Facets(("missing:remark",))),
    ("缺:备注,案件", Some((Facets(("missing:remark",)), Facets(("missing:case",))))),
    ("(recorder:a1)", Facets(("recorder:a1",))),
    ("recorded:2026", Between("recorded_at", day("2026-01-01"), day("2027-01-01"))),
    ("recorded:2026-12", Between("recorded_at", day("2026-12-01"), day("2027-01-01"))),
    ("recorded:2026-02-28", Between("recorded_at", day("2026-02-28"), day("2026-03-01"))),
    ("recorded:2026-03-01..2026-03-05", Between("recorded_at", day("2026-03-01"), day("2026-03-06"))),
    ("received:..2026-03", Between("received_at", None, day("2026-04-01"))),
    ("recorded:>2026-03-01", Between("recorded_at", day("2026-03-02"), None)),
    ("recorded:>=2026-03-01", Between("recorded_at", day("2026-03-01"), None)),
    ("recorded:<2026-03-01", Between("recorded_at", None, day("2026-03-01"))),
    ("recorded:2026-03-01T09:30", Between("recorded_at", day("2026-03-01T09:30"), day("2026-03-01T09:31"))),
    ("duration:>10m", Between("duration_ms", 600_001, None)),
    ("时长:>=10分", Between("duration_ms", 600_000, None)),
    ("duration:30s..5m", Between("duration_ms", 30_000, 300_001)),
    ("duration:1.5h", Between("duration_ms", 5_400_000, 5_400_001)),
    ("size:<1GB", Between("size", None, 10**9)),
    ("size:..200MB", Between("size", None, 200 * 10**6 + 1)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "node"), READ, ids=[text for text, _ in READ])
def test_a_question_is_read(text: str, node: Node) -> None:
    assert parse(text) == node


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("字" * 501, "501 characters"),
        (" ".join(map(str, range(21))), "at most 20"),
        ("(" * 9 + "a" + ")" * 9, "deep"),
        ('"open', "quotation mark"),
        ('recorder:"open', "quotation mark"),
        ("a\0b", "NUL"),
        ("(a", "opening bracket"),
        ("a OR", "OR stands"),
        ("OR a", "OR stands"),
        ("a OR OR b", "OR stands"),
        ("a NOT", "negate"),
        ("NOT NOT a", "negate"),
        ("(a NOT)", "negate"),
        ("offcer:1", "offcer"),
        ("http://x", "quotes"),
        ("state:fine", "reviewable"),
        ("dock:7", "id"),
        ("key_mark:perhaps", "yes or no"),
        ("sha256:abc", "64"),
        ("marker:跳舞", "亮证"),
        ("speaker:邻居", "当事人"),
        ("missing:everything", "marker"),
        ("recorder:A,,B", "missing"),
        ("recorded:yesterday", "no time"),
        ("recorded:2026-02-30", "calendar"),
        ("recorded:9999", "calendar"),
        ("recorded:0000", "calendar"),
        ("recorded:2026-03-05..2026-03-01", "before its beginning"),
        ("recorded:..", "no end"),
        ("recorded:>", "no end"),
        ("duration:long", "measure"),
        ("duration:5kg", "measure"),
        ("duration:-5", "measure"),
        ("size:2GB..1GB", "before its beginning"),
        ("size:" + "9" * 400, "measure"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_would(text: str, says: str) -> None:
    with pytest.raises(SearchInvalid, match=says) as refusal:
        parse(text)
    assert 1 <= _column(refusal.value) <= len(text) + 1


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("查封 offcer:1", 4),
        ("查封 recorder:A,,B", 4),
        ("a -recorded:2026-02-30 b", 4),
        ("查封 “现场", 4),
        ('查封 recorder:"x', 13),
        ("a (b", 3),
        ("(a) b OR", 9),
        ("OR a", 1),
        ("a OR OR b", 6),
        ("a NOT", 6),
        ("ab\0c", 3),
        ("字" * 501, 501),
        ("(" * 9 + "a" + ")" * 9, 10),
        (" ".join(map(str, range(21))) + "  ", 52),
    ],
)
def test_a_refusal_points_at_the_column(text: str, column: int) -> None:
    with pytest.raises(SearchInvalid, match=f"column {column}") as refusal:
        parse(text)
    assert _column(refusal.value) == column


def _column(error: SearchInvalid) -> int:
    column = error.details["column"]
    assert isinstance(column, int)
    return column


def test_every_field_has_a_chinese_name_and_none_means_nothing() -> None:
    assert set(CHINESE_NAMES.values()) == set(FIELDS)


@pytest.mark.parametrize("name", FIELDS)
def test_the_example_of_every_field_is_one(name: str) -> None:
    assert parse(f"{name}:{FIELDS[name].example}") != EVERYTHING


def test_terms_that_are_negated_are_no_hits() -> None:
    assert wanted_terms(parse("a (b OR -c) -(d e) recorder:f a")) == ["a", "b"]


_PIECES = st.sampled_from(
    [
        *'()（）:：-"，,<>=.',
        "..",
        " ",
        "OR",
        "或",
        "NOT",
        "查封",
        "a",
        "\0",
        "\u3000",
        "２０２６",
        *FIELDS,
        *CHINESE_NAMES,
    ]
)


_VALUES = st.sampled_from([*(f"{name}:{field.example}" for name, field in FIELDS.items()), *(text for text, _ in READ)])

_TEXTS = st.lists(st.one_of(_PIECES, _VALUES, st.text(max_size=5)), max_size=40).map("".join)


@given(_TEXTS)
def test_any_text_is_read_or_refused_at_a_column_and_what_was_read_can_be_written(text: str) -> None:
    node = _read(text)
    if isinstance(node, SearchInvalid):
        assert 1 <= _column(node) <= len(text) + 1
        return
    assert all(term and term == " ".join(term.split()) for term in wanted_terms(node))
    again = _read(write(node))
    # A plain spelling may be longer, and deeper in brackets.
    assert again == node or (isinstance(again, SearchInvalid) and again.details["limit"] in ("characters", "depth"))


def _read(text: str) -> Node | SearchInvalid:
    try:
        return parse(text)
    except SearchInvalid as error:
        return error


@pytest.mark.parametrize(
    "text",
    [
        *(text for text, _ in READ),
        *(f"{name}:{field.example}" for name, field in FIELDS.items()),
        "-(a OR (b -(c d)))",
        "-(-a)",
        "missing:remark,亮证 has:case,remark",
        "recorded:<1900",
        "recorded:>9000",
        "recorded:9000",
        "received:>=2026-03-01T09:30",
        "duration:>999999999h",
        "duration:..0.001s",
        "duration:<1s",
        "duration:0",
        "size:>1MB size:<=999999999.999MB",
        "size:<3TB",
        "near:-39.000001,-112.4329,1.5km",
        "recorder:a﹐b",
        "case:{0195A000-0000-7000-8000-00000000000A},晋环罚9号",
        "unit:“一中队，二中队”",
        "findings:严重,row.altered",
        "-findings:open",
        "ſ ß ǆ ＡＢＣ ﷺ ①②",
    ],
)
def test_what_is_read_is_written_and_read_the_same(text: str) -> None:
    node = parse(text)
    assert parse(write(node)) == node, write(node)


@pytest.mark.parametrize("leaf", [Units(()), Noticed(), Audited()])
def test_what_no_text_asks_for_is_not_written(leaf: Node) -> None:
    with pytest.raises(ValueError, match="no text"):
        write(leaf)
