"""Payloads of the entries about recording-item lists and case files."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer

from evidence.cases.item_list import ItemList
from evidence.clips.parts import Key
from evidence.custody.payloads import Id, Name, Ordinal, Payload


def _day_of(value: object) -> date:
    if type(value) is date:
        return value
    if not isinstance(value, str) or (parsed := date.fromisoformat(value)).isoformat() != value:
        raise ValueError("a day is written as 2026-11-22")
    return parsed


Day = Annotated[date, BeforeValidator(_day_of), PlainSerializer(date.isoformat)]


class ItemsPublished(Payload):
    """A version of an agency's recording-item list, whole; in force from its day on until the next version's."""

    items: Id
    agency: Name
    version: Ordinal
    effective_from: Day
    list: ItemList


class CaseOpened(Payload):
    """A case begins under a number; `items` is the recording-item list in force, which it keeps."""

    case: Id
    number: Name
    title: Name
    kind: Key | None = None
    unit: Id | None = None
    items: Id | None = None
    handlers: list[Name] = Field([], max_length=20)
    facts: dict[str, object] = Field({})


class CaseClipLinked(Payload):
    """A clip becomes an exhibit of a case; the number never moves."""

    case: Id
    clip: Id
    exhibit: Ordinal
