"""Forms and masks: what a publication must say, and what becomes of a span."""

from __future__ import annotations

from typing import Any

import pytest

from evidence.publicity.errors import PublicationIncomplete, PublicationSpanInvalid, PublicationUndecided
from evidence.publicity.forms import check_form, known_forms
from evidence.publicity.masking import Decision, Verdict, check_decisions, mask_of, masked
from evidence.publicity.span import TITLES, Certainty, Span, SpanKind

TEXTS = {
    "authority": "某市应急管理局",
    "subject": "某化工厂",
    "category": "行政处罚",
    "conclusion": "罚款",
    "document_number": "枣应急罚〔2026〕1号",
    "matter": "安全生产行政处罚",
    "facts": "未如实记录培训情况",
    "basis": "安全生产法第九十七条",
    "decided_on": "2026-03-02",
    "document": "行政处罚决定书\n当事人：某化工厂",
    "title": "随机抽查事项清单",
    "body": "一、抽查主体",
    "effective_from": "2026-03-02",
}
FORMS = known_forms().forms
REQUIRED = [(form, field) for form, one in FORMS.items() for field in one.required]


def whole(form: str) -> dict[str, str]:
    return {name: TEXTS[name] for name in FORMS[form].required}


def kind_of(form: str) -> str:
    return "spot_checks" if form == "register" else "penalty"


def problems(form: str, fields: dict[str, str], kind: str | None = None) -> list[dict[str, str]]:
    with pytest.raises(PublicationIncomplete) as refused:
        check_form(form=form, kind=kind or kind_of(form), fields=fields)
    listed: Any = refused.value.details["problems"]
    return list(listed)


@pytest.mark.parametrize(("form", "field"), REQUIRED)
@pytest.mark.parametrize("instead", [None, "", " \n　"])
def test_r35_each_field_dropped_in_turn_is_named(form: str, field: str, instead: str | None) -> None:
    """R35: S1's four and S2's seven; a field that is missing or blank is refused by its name."""
    fields = {**whole(form)}
    check_form(form=form, kind=kind_of(form), fields=fields)
    fields.pop(field)
    if instead is not None:
        fields[field] = instead
    assert [one["field"] for one in problems(form, fields)] == [field]


def test_r35_the_forms_are_those_of_the_sources() -> None:
    """R35: S1 names four pieces of information, S2 seven."""
    assert set(FORMS["brief"].required) == {"authority", "subject", "category", "conclusion"}
    seven = {"document_number", "subject", "matter", "facts", "basis", "authority", "decided_on"}
    assert set(FORMS["summary"].required) == seven
    assert {name for form in FORMS.values() for name in form.order} <= set(known_forms().fields)
    days = {name: one.days for name, one in known_forms().kinds.items()}
    assert (days["penalty"], days["permit"], days["inspection"], days["coercion"]) == (7, 7, 20, 20)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"facts": "x" * 4001}, "facts"),
        ({"subject": "某\u202e厂"}, "subject"),
        ({"subject": "某\u200b厂"}, "subject"),
        ({"subject": "某\x00厂"}, "subject"),
        ({"subject": "某\r\n厂"}, "subject"),
        ({"decided_on": "2026-02-30"}, "decided_on"),
        ({"decided_on": "2026年3月2日"}, "decided_on"),
        ({"decided_on": "２０２６-03-02"}, "decided_on"),
        ({"body": "正文"}, "body"),
        ({"x" * 100: "?"}, "x" * 40),
    ],
)
def test_a_field_that_does_not_fit_is_named(changes: dict[str, str], field: str) -> None:
    assert field in [one["field"] for one in problems("summary", {**whole("summary"), **changes})]


def test_a_form_takes_its_own_kinds_only() -> None:
    assert problems("brief", whole("brief"), "guides")[0]["field"] == "kind"
    assert problems("register", whole("register"), "penalty")[0]["field"] == "kind"
    assert problems("poem", {})[0]["field"] == "form"


TEXT = "张三电话13800138000，住新建路12号。"
FIELDS = {"facts": TEXT}
PHONE = Span(4, 15, SpanKind.MOBILE, Certainty.SURE)
HOME = Span(17, 23, SpanKind.ADDRESS, Certainty.LIKELY)
SPANS = {"facts": [PHONE, HOME]}


def decision(span: tuple[int, int], verdict: Verdict, reason: str = "") -> Decision:
    return Decision(field="facts", start=span[0], end=span[1], verdict=verdict, reason=reason)


def test_r38_a_mask_makes_a_new_text_and_leaves_the_original_alone() -> None:
    """R38: the span is replaced, everything else stays, and so does the original."""
    shown = masked(
        FIELDS,
        spans=SPANS,
        decisions=[
            decision((4, 15), Verdict.KEEP, "单位电话"),
            decision((0, 2), Verdict.MASK),
            decision((4, 15), Verdict.MASK),
            decision((17, 23), Verdict.NOT_ONE),
        ],
    )
    hidden = mask_of(SpanKind.MOBILE)
    assert shown == {"facts": f"{mask_of(SpanKind.MANUAL)}电话{hidden}，住新建路12号。"}
    assert FIELDS["facts"] == TEXT
    assert set(TITLES) == set(SpanKind)


def test_r38_nothing_is_published_while_a_span_is_undecided() -> None:
    """R38: a person decides about every span; a mask that covers one whole decides about it."""
    with pytest.raises(PublicationUndecided) as refused:
        masked(FIELDS, spans=SPANS, decisions=[decision((4, 15), Verdict.MASK), decision((17, 22), Verdict.MASK)])
    left: Any = refused.value.details["spans"]
    assert [(one["start"], one["kind"]) for one in left] == [(17, "address")]
    shown = masked(FIELDS, spans=SPANS, decisions=[decision((2, 10), Verdict.MASK), decision((4, 24), Verdict.MASK)])
    assert shown["facts"] == f"张三{mask_of(SpanKind.MOBILE)}"


@pytest.mark.parametrize(
    "wrong",
    [
        decision((-1, 3), Verdict.MASK),
        decision((3, 3), Verdict.MASK),
        decision((4, 99), Verdict.MASK),
        decision((4, 14), Verdict.NOT_ONE),
        decision((4, 15), Verdict.KEEP),
        decision((4, 15), Verdict.KEEP, " "),
        Decision(field="basis", start=0, end=1, verdict=Verdict.MASK),
    ],
)
def test_a_decision_that_names_nothing_or_keeps_without_a_reason_is_refused(wrong: Decision) -> None:
    with pytest.raises(PublicationSpanInvalid):
        check_decisions([wrong], fields=FIELDS, spans=SPANS)


def test_a_day_is_not_masked_and_what_is_kept_is_not_half_masked() -> None:
    day = Decision(field="decided_on", start=0, end=4, verdict=Verdict.MASK)
    with pytest.raises(PublicationSpanInvalid):
        check_decisions([day], fields={"decided_on": "2026-03-02"}, spans={})
    both = [decision((4, 15), Verdict.KEEP, "单位"), decision((10, 23), Verdict.MASK)]
    with pytest.raises(PublicationSpanInvalid):
        masked(FIELDS, spans=SPANS, decisions=both)
