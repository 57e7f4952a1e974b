"""What a clip is found by: the document that stands in the search index. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from evidence.access.policy import classes_of
from evidence.clips.annotation_words import annotation_facets, annotation_texts
from evidence.clips.folding import fold, haystack
from evidence.clips.grams import grams

STATE_SEALED = "sealed"
"""State of a clip nothing has been derived from yet; later its state is the derivation's outcome."""

DOCUMENT_FORM = 3
"""Which form of document this program makes; those of another form are made again in the background."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentParts:
    """The evidential rows a document is made of, as JSON values."""

    clip: UUID
    sha256: bytes
    size: int
    received_at: datetime
    recorded_at: datetime | None
    sources: Sequence[Mapping[str, Any]]
    outcome: str | None
    duration_ms: int | None
    content: Mapping[str, Any] | None
    cases: Sequence[Mapping[str, Any]] | None
    unit: UUID | None = None
    classes: Sequence[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One row of the index; `size` in bytes, `duration_ms` as the container states it.

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
    unit: UUID | None
    classes: list[str]


def facet(name: str, value: str) -> str:
    """Write a facet as the index holds it; people's words are folded."""
    return f"{name}:{fold(value)}"


def compose(parts: DocumentParts) -> Document:
    """Make the document of a clip."""
    text = haystack(_texts(parts))
    return Document(
        clip=parts.clip,
        received_at=parts.received_at,
        recorded_at=parts.recorded_at,
        size=parts.size,
        duration_ms=parts.duration_ms,
        facets=sorted(set(_facets(parts))),
        haystack=text,
        grams=grams(text),
        unit=parts.unit,
        classes=sorted(classes_of(parts.classes, covert=(parts.content or {}).get("covert"))),
    )


def _facets(parts: DocumentParts) -> Iterator[str]:
    yield facet("sha256", parts.sha256.hex())
    yield facet("state", parts.outcome or STATE_SEALED)
    for source in parts.sources:
        for name in ("recorder", "dock", "officer"):
            if source[name] is not None:
                yield facet(name, source[name])
    yield facet("key_mark", "yes" if any(source["key_mark"] for source in parts.sources) else "no")
    for case in parts.cases or ():
        yield facet("case", case["case"])
        yield facet("case_number", case["number"])
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
