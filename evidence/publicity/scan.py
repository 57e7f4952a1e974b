"""Privacy and secrecy scan of a text that is to be published. Pure, without a network, linear in the text.

It proposes; a person decides about every span. What it is sure of is a checksum or an unmistakable shape, the rest is
a hint. It knows no names of people: who reads the text knows them, and marks them by hand.

The front page of the kinds: `numbers` (identity, telephone, bank card), `traits` (plate, travel document, address,
minor, birth date, secrecy). Overlapping spans become one, of the surest kind among them: nothing that was found ends
up outside a span.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from evidence.publicity.numbers import find_numbers
from evidence.publicity.span import RANK, Span, SpanKind, fold
from evidence.publicity.traits import find_traits

RULES = "shilu-scan-1"
"""Name of these rules; another set that finds other things gets another name."""

NUMBERS = frozenset({SpanKind.ID_CARD, SpanKind.MOBILE, SpanKind.BANK_CARD, SpanKind.PASSPORT})
"""What never stands in a text that nobody scans again, such as the reason of a withdrawal."""


def scan_text(text: str, *, on: date) -> list[Span]:
    """Return what may concern a person in a text, in its order, without overlaps.

    Args:
        on: The day by which somebody is a minor or not.
    """
    folded = fold(text)
    return merged((*find_numbers(folded), *find_traits(folded, on=on)))


def scan_fields(fields: Mapping[str, str], *, on: date) -> dict[str, list[Span]]:
    """Return the spans of each field that has some."""
    found = {name: scan_text(text, on=on) for name, text in fields.items()}
    return {name: spans for name, spans in found.items() if spans}


def merged(spans: Iterable[Span]) -> list[Span]:
    """Return spans in order, overlapping ones as one of the surest kind; of two as sure, of the longer."""
    joined: list[Span] = []
    for span in sorted(spans):
        last = joined[-1] if joined else None
        if last is None or span.start >= last.end:
            joined.append(span)
            continue
        surer = min(last, span, key=lambda one: (RANK[one.certainty], one.start - one.end))
        joined[-1] = Span(last.start, max(last.end, span.end), surer.kind, surer.certainty)
    return joined
