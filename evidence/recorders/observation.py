"""Observations: what an examination noticed, as a code and JSON-ready facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from evidence.core.clock import format_time
from evidence.recorders.meanings import MEANINGS, Weight
from ledger.canonical import JsonObject, JsonValue

OBSERVATIONS_MAX: Final = 50
"""Most observations of one inventory; a recorder about which there is more to say is looked at anyway."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One thing noticed about a recorder's sequence; `facts` name files, numbers, times and docks."""

    code: str
    facts: JsonObject

    @property
    def weight(self) -> Weight:
        """How much it weighs; the same for every observation of a code."""
        return MEANINGS[self.code].weight


def observed(code: str, **facts: object) -> Observation:
    """Make an observation; times are written as the record writes them, None is left out."""
    return Observation(code, {name: _json(value) for name, value in facts.items() if value is not None})


def _json(value: object) -> JsonValue:
    match value:
        case datetime():
            return format_time(value)
        case UUID():
            return str(value)
        case Mapping():
            return {str(name): _json(item) for name, item in value.items()}
        case list() | tuple():
            return [_json(item) for item in value]
        case bool() | int() | str():
            return value
        case float():
            return int(value)
        case other:
            raise TypeError(f"{type(other).__name__} is no fact")
