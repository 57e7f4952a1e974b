"""What can be said about a case beyond its exhibits, each kind with its own fields. Pure.

    document    a 文书: a sealed file of this house, with its kind, number and times
    activity    an item of the list took place, from then to then, and where that is written
    gap         why footage of a stretch is missing
    exemption   why an item was not recorded: a written record says it all (R4), or it did not take place
    argument    the 合法性论证 by which footage off the list may be used (R5)
    conclusion  执行终结, and with it the beginning of the time of archiving
    withdrawal  an earlier statement does not count any more, and why; it stays on record
    addendum    what became known after the case was archived

A statement is one ledger entry, `case.stated`. Nothing is ever changed: whoever was wrong withdraws and states anew.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, model_validator

from evidence.clips.parts import Key, Line, Part, Remark
from evidence.custody.payloads import Id, Time

SECTIONS_MAX = 100
PLACES_MAX = 10_000


def _day_of(value: object) -> date:
    if type(value) is date:
        return value
    if not isinstance(value, str) or (parsed := date.fromisoformat(value)).isoformat() != value:
        raise ValueError("a day is written as 2026-11-22")
    return parsed


Day = Annotated[date, BeforeValidator(_day_of), PlainSerializer(date.isoformat)]


class _Said(Part):
    """Base of all statements."""


class _Spanning(_Said):
    """A statement about a stretch of time, the end behind the start."""

    starts_at: Time
    ends_at: Time

    @model_validator(mode="after")
    def _in_order(self) -> _Spanning:
        _require_order(self.starts_at, self.ends_at)
        return self


class Document(_Said):
    """A 文书 of the case; `document` is the sealed file (a clip's id), its times are those written in it."""

    kind: Literal["document"]
    document: Id
    name: Line
    title: Line
    number: Line | None = None
    item: Key | None = None
    starts_at: Time | None = None
    ends_at: Time | None = None

    @model_validator(mode="after")
    def _both_or_none(self) -> Document:
        if (self.starts_at is None) is not (self.ends_at is None):
            raise ValueError("a document states both times or none")
        if self.starts_at is not None and self.ends_at is not None:
            _require_order(self.starts_at, self.ends_at)
        return self


class Activity(_Spanning):
    """An item of the list took place between its start and its end; `basis` says where that is written."""

    kind: Literal["activity"]
    item: Key
    basis: Line


class GapReason(_Spanning):
    """Why footage of an item is missing for a stretch."""

    kind: Literal["gap"]
    item: Key
    reason: Remark


class Exemption(_Said):
    """Why an item was not recorded, who approved that, and where it is written."""

    kind: Literal["exemption"]
    item: Key
    ground: Literal["text_record", "not_held"]
    reason: Remark
    approver: Line
    reference: Line


class LegalityArgument(_Said):
    """The argument by which a clip off the list may be used."""

    kind: Literal["argument"]
    clip: Id
    reference: Line
    reason: Remark
    approver: Line


class Conclusion(_Said):
    """The action was carried out to its end on this day."""

    kind: Literal["conclusion"]
    on: Day
    reference: Line | None = None


class Withdrawal(_Said):
    """The statement of this entry does not count any more."""

    kind: Literal["withdrawal"]
    entry: Id
    reason: Remark


class Addendum(_Said):
    """What became known after the case was archived."""

    kind: Literal["addendum"]
    text: Remark
    reference: Line | None = None


Statement = Annotated[
    Document | Activity | GapReason | Exemption | LegalityArgument | Conclusion | Withdrawal | Addendum,
    Field(discriminator="kind"),
]


class Place(Part):
    """A place in a section: an exhibit by its number, or a document by its id."""

    exhibit: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    document: Id | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Place:
        if (self.exhibit is None) is (self.document is None):
            raise ValueError("a place holds an exhibit or a document")
        return self


class Section(Part):
    """A part of the 案卷, in its order."""

    title: Line
    places: list[Place] = Field([], max_length=PLACES_MAX)


def _require_order(start: datetime, end: datetime) -> None:
    if end <= start:
        raise ValueError("it ends after it starts")
