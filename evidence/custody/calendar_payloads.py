"""The payload of `calendar.loaded`; same rules as in `payloads`."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer

from evidence.custody.payloads import Id, Name, Payload


def _day_of(value: object) -> date:
    if type(value) is date:
        return value
    if not isinstance(value, str) or str(day := date.fromisoformat(value)) != value:
        raise ValueError("a day is written as YYYY-MM-DD")
    return day


Day = Annotated[date, BeforeValidator(_day_of), PlainSerializer(date.isoformat)]


class LoadedYear(Payload):
    """What was announced for a year: days off, days worked in lieu, and where it was announced."""

    year: Annotated[int, Field(ge=1949, le=9999)]
    holidays: Annotated[list[Day], Field(max_length=100)]
    make_up: Annotated[list[Day], Field(max_length=100)]
    citation: Name


class LoadedDay(Payload):
    """One day that is different for this agency, and why."""

    day: Day
    is_working: bool
    reason: Name


class CalendarLoaded(Payload):
    """Days that the agency knows beyond what the program brings along; replaces what was loaded before as a whole."""

    calendar: Id
    years: Annotated[list[LoadedYear], Field(max_length=200)]
    days: Annotated[list[LoadedDay], Field(max_length=2000)]
