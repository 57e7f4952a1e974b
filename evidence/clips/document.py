"""What a clip is found by: the document that stands in the search index. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from evidence.access.policy import classes_of
from evidence.clips.annotation_words import annotation_facets, annotation_texts
from evidence.clips.derived_facts import duration_ms, findings, media_kind, positions
from evidence.clips.folding import fold, haystack
from evidence.clips.grams import grams
from evidence.clips.nearby import cells_of
from evidence.deadlines.storing import StoringTerm

STATE_SEALED = "sealed"
"""State of a clip nothing has been derived from yet; later its state is the derivation's outcome."""

STATE_DISPOSED = "disposed"
"""What a clip that was disposed of is found by, besides what it was; nobody finds it who does not ask for it."""

DOCUMENT_FORM = 10
"""Which form of document this program makes; those of another form are made again in the background."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentParts:
    """The evidential rows a document is made of, as JSON values.

    `ended_at` is when the recording ended, by the recorder's clock put right: `evidence.deadlines.ended_store`.
    """

    clip: UUID
    sha256: bytes
    size: int
    received_at: datetime
    recorded_at: datetime | None
    sources: Sequence[Mapping[str, Any]]
    outcome: str | None
    probe: Mapping[str, Any] | None
    content: Mapping[str, Any] | None
    cases: Sequence[Mapping[str, Any]] | None
    ended_at: datetime | None = None
    unit: UUID | None = None
    flags: Sequence[str] | None = None
    blocked: bool | None = None
    classes: Sequence[str] | None = None
    disposed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One row of the index; `size` in bytes, `duration_ms` of what was decoded.

    `unit` and `classes` decide who finds it, see `evidence.access.scope`.
    """

    clip: UUID
    received_at: datetime
    recorded_at: datetime | None
    size: int
    duration_ms: int | None
    facets: list[str]
    haystack: str
    grams: list[int]
    places: list[int]
    unit: UUID | None
    classes: list[str]


def facet(name: str, value: str) -> str:
    """Write a facet as the index holds it; people's words are folded."""
    return f"{name}:{fold(value)}"


def compose(parts: DocumentParts, term: StoringTerm) -> Document:
    """Make the document of a clip; `term` says whether it came late (R20).

    Raises:
        CalendarInvalid: The calendar of this world ends before the term does.
    """
    text = haystack(_texts(parts))
    places = positions(parts.probe or {}, parts.content or {})
    return Document(
        clip=parts.clip,
        received_at=parts.received_at,
        recorded_at=parts.recorded_at,
        size=parts.size,
        duration_ms=duration_ms(parts.probe or {}),
        facets=sorted({*_facets(parts, term), *cells_of(places)}),
        haystack=text,
        grams=grams(text),
        places=[number for place in places for number in place],
        unit=parts.unit,
        classes=sorted(classes_of(parts.classes, covert=(parts.content or {}).get("covert"))),
    )


def _facets(parts: DocumentParts, term: StoringTerm) -> Iterator[str]:
    yield facet("sha256", parts.sha256.hex())
    yield facet("state", parts.outcome or STATE_SEALED)
    if parts.disposed:
        yield facet("state", STATE_DISPOSED)
    yield facet("kind", media_kind(parts.outcome))
    yield from (facet("finding", name) for name in findings(parts.outcome, parts.probe or {}))
    if parts.ended_at is not None:
        yield facet("late", "yes" if term.is_late(parts.ended_at, parts.received_at) else "no")
    for source in parts.sources:
        for name in ("recorder", "dock", "officer"):
            if source[name] is not None:
                yield facet(name, source[name])
    yield from (facet("attribution", flag) for flag in parts.flags or ())
    if parts.blocked:
        yield facet("attribution", "blocked")
    yield facet("key_mark", "yes" if any(source["key_mark"] for source in parts.sources) else "no")
    for case in parts.cases or ():
        yield facet("case", case["case"])
        yield facet("case_number", case["number"])
        if case["kind"]:
            yield facet("action", case["kind"])
    content = parts.content or {}
    yield from (facet(name, value) for name, value in annotation_facets(content))
    yield from (facet("missing", name) for name in _missing(parts, content))


def _missing(parts: DocumentParts, content: Mapping[str, Any]) -> Iterator[str]:
    """Tell what an investigator would still have to see to."""
    if not content.get("remark"):
        yield "remark"
    if not content.get("item"):
        yield "item"
    if not content.get("dialogue") and not content.get("not_needed_because"):
        yield "dialogue"
    if not parts.cases:
        yield "case"
    if not any(source["officer"] for source in parts.sources):
        yield "officer"
    if parts.recorded_at is None:
        yield "recorded"


def _texts(parts: DocumentParts) -> Iterator[str | None]:
    for source in parts.sources:
        yield from (source["path"], source["name"], source["recorder"], source["officer"])
    for case in parts.cases or ():
        yield from (case["number"], case["title"])
    yield from annotation_texts(parts.content or {})
