"""A question to the search as a tree of words and conditions; what reads one stands in `language.py`. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Words:
    """A folded term that has to stand somewhere in a clip's texts."""

    term: str


@dataclass(frozen=True, slots=True)
class Facets:
    """A clip has to have one of these facets, as `document.facet` writes them."""

    one_of: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Between:
    """A column has to lie in a half-open interval; None leaves an end open."""

    column: str
    low: datetime | int | None
    high: datetime | int | None


@dataclass(frozen=True, slots=True)
class Near:
    """A clip has to have been recorded within a circle: its centre in millionths of a degree, its radius in metres."""

    latitude: int
    longitude: int
    metres: int


@dataclass(frozen=True, slots=True)
class InUnit:
    """A clip has to belong to one of these units or to one below it; each by its id, its code or its name.

    Which these are the register says when somebody asks: `unit_store.with_units` puts `Units` in its place.
    """

    one_of: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Units:
    """A clip has to belong to one of just these units."""

    one_of: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """One of these has to have been noticed: words and codes; `finding_words.asked_of` says what each means."""

    one_of: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Noticed:
    """Something has to have been noticed about the recorder it came from.

    Attributes:
        code: Of the observation; None for any that weighs something.
        weight: `high` or `notice`; None for either.
        settled: Whether somebody explained it, or what was missing came; else nobody and nothing did yet.
    """

    code: str | None = None
    weight: str | None = None
    settled: bool = False


@dataclass(frozen=True, slots=True)
class Audited:
    """An audit has to have named it, an object of it, or a row or payload about it.

    Attributes:
        code: Of the finding; None for any.
        weight: `error` or `warning`; None for either.
        settled: Whether a later audit of the same reach did not name it any more; else the newest one did.
    """

    code: str | None = None
    weight: str | None = None
    settled: bool = False


@dataclass(frozen=True, slots=True)
class Every:
    """All of these."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """At least one of these."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Without:
    """Not this."""

    part: Node


Leaf: TypeAlias = "Words | Facets | Between | Near | InUnit | Units | Findings | Noticed | Audited"
Node: TypeAlias = "Leaf | Every | Some | Without"

EVERYTHING = Every(())
"""The empty question, which every clip answers."""


def leaves(node: Node) -> Iterator[Leaf]:
    """Return the words and conditions of a tree, those that are negated included."""
    match node:
        case Every(parts) | Some(parts):
            for part in parts:
                yield from leaves(part)
        case Without(part):
            yield from leaves(part)
        case leaf:
            yield leaf


def wanted_terms(node: Node) -> list[str]:
    """Return the terms by which a clip may have been found: those that are not negated, once each."""
    match node:
        case Words(term):
            return [term]
        case Every(parts) | Some(parts):
            return list(dict.fromkeys(term for part in parts for term in wanted_terms(part)))
        case _:
            return []
