"""JSON about the calendar of working days."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from pydantic import Field

from api.bodies import RequestModel
from api.models.common import ResponseModel, Time
from evidence.parties.names import REASON_CHARACTERS_MAX

DAY_PATTERN = r"^\d{4}-\d{2}-\d{2}$"
_DAY = Field(pattern=DAY_PATTERN, description="YYYY-MM-DD", examples=["2030-10-01"])
_CITATION = Field(min_length=1, max_length=REASON_CHARACTERS_MAX, examples=["国办发明电〔2029〕7号"])


class YearWords(RequestModel):
    """What was announced for a year that the package does not know."""

    year: int = Field(ge=1949, le=9999, examples=[2030])
    holidays: list[str] = Field(max_length=100, description="Days off, YYYY-MM-DD", examples=[["2030-10-01"]])
    make_up: list[str] = Field(max_length=100, description="Saturdays and Sundays worked in lieu", examples=[[]])
    citation: str = _CITATION


class DayWords(RequestModel):
    """One day that is different for this agency."""

    day: str = _DAY
    is_working: bool
    reason: str = _CITATION


class LoadCalendar(RequestModel):
    """All that the agency knows beyond the package; replaces what was loaded before as a whole."""

    years: list[YearWords] = Field(default_factory=list, max_length=200)
    days: list[DayWords] = Field(default_factory=list, max_length=2000)


class CalendarMade(ResponseModel):
    """A calendar is on record."""

    calendar: UUID
    entry: UUID


class YearItem(ResponseModel):
    """A year that was loaded."""

    year: int
    holidays: list[date]
    make_up: list[date]
    citation: str


class DayItem(ResponseModel):
    """A day that was loaded."""

    day: date
    is_working: bool
    reason: str


class CalendarItem(ResponseModel):
    """The calendar that counts; what was loaded is empty and null where nothing was."""

    version: str = Field(description="What figures and deadlines name as the calendar they were counted by")
    zone: str
    official_years: list[int] = Field(description="Years that the package knows as they were announced")
    years: list[YearItem]
    days: list[DayItem]
    calendar: UUID | None
    loaded_at: Time | None
    loaded_by: str | None
    entry: UUID | None
