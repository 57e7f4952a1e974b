"""Payloads of the registers: units, recorders, where docks stand, imports; and whose a clip is."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PlainSerializer

from evidence.custody.payloads import Count, Digest, Id, Name, Ordinal, Payload, Time, Word


def _day_of(value: object) -> date:
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or (day := date.fromisoformat(value)).isoformat() != value:
        raise ValueError("a day is written YYYY-MM-DD")
    return day


Day = Annotated[date, BeforeValidator(_day_of), PlainSerializer(date.isoformat)]


class OfficerRegistered(Payload):
    """An officer, or other words for one; the newest that had begun by a day counts for it.

    `unit` is the unit's name at that time, `unit_id` the registered one; `certificate` is the number of the certificate
    (证件编号), `category` 执法类别, `area` 执法区域; valid on both days it names.
    """

    officer: Id
    number: Name
    name: Name
    unit: Name
    unit_id: Id | None = None
    duty: Name | None = None
    certificate: Name | None = None
    category: Name | None = None
    area: Name | None = None
    valid_from: Day | None = None
    valid_until: Day | None = None


class UnitRegistered(Payload):
    """A unit, or another version of one: renamed, moved below another, closed. In force on both days it names."""

    unit: Id
    version: Ordinal
    code: Name | None
    name: Name
    parent: Id | None
    valid_from: Day | None
    valid_until: Day | None


class RecorderRegistered(Payload):
    """What a recorder is, which unit's, and in which state; the newest version counts.

    `recorder` is its number as docks read it. A fixed camera has no holder: what it records is its unit's.
    """

    registration: Id
    recorder: Name
    version: Ordinal
    kind: Literal["body_worn", "fixed_camera"]
    serial: Name | None
    model: Name | None
    unit: Id | None
    state: Literal["in_use", "repair", "retired"]


class DockPlaced(Payload):
    """A dock stands in a unit from now on; in none when `unit` is null."""

    dock: Id
    unit: Id | None


class RegisterImported(Payload):
    """Rows of a file were taken into a register in one transaction; the file's name and SHA-256."""

    imported: Id
    kind: Word
    name: Name
    sha256: Digest
    rows: Count


class ClipAttributed(Payload):
    """Whose a clip is, by the registers: who held the recorder when it recorded; `blocked` until a person resolves it.

    `recorded_at` is the recorder's time put right by the offset its dock measured, `basis` what it was read from.
    """

    clip: Id
    version: Ordinal
    officer: Id | None
    unit: Id | None
    flags: list[Word]
    blocked: bool
    recorded_at: Time | None
    basis: Literal["name", "file_time"] | None


class ClipAttributionResolved(Payload):
    """A named person says whose a clip is, and why; `flags` are those that stood in the way."""

    clip: Id
    version: Ordinal
    officer: Id | None
    unit: Id | None
    flags: list[Word]
    recorded_at: Time | None
    basis: Literal["name", "file_time"] | None
    reason: Annotated[str, Field(min_length=1, max_length=1000)]
