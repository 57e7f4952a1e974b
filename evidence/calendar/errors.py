"""Errors of the calendar."""

from __future__ import annotations

from evidence.errors import EvidenceError


class CalendarInvalid(EvidenceError):
    """A calendar to be loaded contradicts itself, or a term is counted over more days than anybody waits."""

    code = "calendar.invalid"
