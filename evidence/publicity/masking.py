"""Decisions about spans, and the text that is published: a new one, the original stays as it is. Pure.

    mask      the span is replaced by what it was: ［身份证号已隐去］
    keep      it stays although it is what the scan took it for, with the reason
    not_one   the scan was wrong, with the reason where one is worth saying

A person may also mask what no scan found (kind `manual`). A span that the scan found is decided when a decision names
it exactly, or a mask covers it whole. Decisions may be made one after the other; of the same span the newest counts.
Spans that are replaced never overlap one that is kept: which of the two was meant, nobody could tell later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from evidence.publicity.errors import PublicationSpanInvalid, PublicationUndecided
from evidence.publicity.forms import DAY_FIELDS
from evidence.publicity.span import TITLES, Span, SpanKind


class Verdict(StrEnum):
    """What becomes of a span; the value is stored."""

    MASK = "mask"
    KEEP = "keep"
    NOT_ONE = "not_one"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a person said of characters `start` to `end` (exclusive) of a field."""

    field: str
    start: int
    end: int
    verdict: Verdict
    reason: str = ""

    @property
    def place(self) -> tuple[str, int, int]:
        """Which span it is about."""
        return self.field, self.start, self.end


def check_decisions(
    decisions: Iterable[Decision], *, fields: Mapping[str, str], spans: Mapping[str, list[Span]]
) -> None:
    """See that decisions name places in the text, and that those which keep something say why.

    Raises:
        PublicationSpanInvalid: `details` says of which and why.
    """
    for one in decisions:
        where = f"{one.field} {one.start}-{one.end}"
        if not 0 <= one.start < one.end <= len(fields.get(one.field, "")):
            raise PublicationSpanInvalid(f"{where[:80]} is no place in the text", field=one.field[:40])
        found = any((span.start, span.end) == (one.start, one.end) for span in spans.get(one.field, ()))
        if one.verdict is not Verdict.MASK and not found:
            raise PublicationSpanInvalid(
                f"{where} is no span of the scan; only masks are added by hand", field=one.field
            )
        if one.verdict is Verdict.KEEP and not one.reason.strip():
            raise PublicationSpanInvalid(f"{where} is kept without a reason", field=one.field)
        if one.verdict is Verdict.MASK and one.field in DAY_FIELDS:
            raise PublicationSpanInvalid(f"{one.field} is a day and is published as it is", field=one.field)


def newest(decisions: Iterable[Decision]) -> list[Decision]:
    """Return of each span the newest decision, given them in the order in which they were made."""
    return list({one.place: one for one in decisions}.values())


def undecided(spans: Mapping[str, list[Span]], decisions: Sequence[Decision]) -> list[tuple[str, Span]]:
    """Return the spans of which nobody has said what is to become of them."""
    return [
        (field, span)
        for field, found in spans.items()
        for span in found
        if not any(_settles(one, field, span) for one in decisions)
    ]


def _settles(one: Decision, field: str, span: Span) -> bool:
    if one.field != field:
        return False
    if one.verdict is Verdict.MASK:
        return one.start <= span.start and span.end <= one.end
    return (one.start, one.end) == (span.start, span.end)


def masked(
    fields: Mapping[str, str], *, spans: Mapping[str, list[Span]], decisions: Sequence[Decision]
) -> dict[str, str]:
    """Return the text as it is published.

    Raises:
        PublicationUndecided: `details["spans"]` names the spans that nobody has decided about.
        PublicationSpanInvalid: A span that is kept overlaps one that is masked.
    """
    settled = newest(decisions)
    if left := undecided(spans, settled):
        raise PublicationUndecided(
            f"{len(left)} spans that the scan found are not decided",
            spans=[{"field": field, "start": span.start, "end": span.end, "kind": span.kind} for field, span in left],
        )
    return {name: _masked(text, name, spans.get(name, []), settled) for name, text in fields.items()}


def _masked(text: str, field: str, spans: Sequence[Span], decisions: Sequence[Decision]) -> str:
    kept = [one for one in decisions if one.field == field and one.verdict is not Verdict.MASK]
    hidden = sorted((one.start, one.end) for one in decisions if one.field == field and one.verdict is Verdict.MASK)
    if any(one.start < end and start < one.end for one in kept for start, end in hidden):
        raise PublicationSpanInvalid(f"in {field} a span that is kept overlaps one that is masked", field=field)
    parts, place = list[str](), 0
    for start, end in _joined(hidden):
        kind = next((span.kind for span in spans if start <= span.start and span.end <= end), SpanKind.MANUAL)
        parts += (text[place:start], mask_of(kind))
        place = end
    return "".join((*parts, text[place:]))


def _joined(places: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in places:
        if joined and start < joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


def mask_of(kind: SpanKind) -> str:
    """Return what stands in the place of a span."""
    return f"［{TITLES[kind][0]}已隐去］"
