"""Strict reading of one JSON object, and the value rules that every statement shares.

Two layers, so that an illegal statement cannot even be held in memory: the `take_*` functions judge the JSON shape
(types, field names, the one spelling of each scalar), the `check_*` functions judge values and are called by the
constructors of the statements themselves. What a constructor accepts, its formatter writes and its parser reads back.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

from evidence.core.clock import parse_time
from evidence.errors import TimeInvalid, WireLimit, WireMalformed
from ledger.canonical import INTEGER_MAX, JsonObject, JsonValue

NAME_CHARS_MAX = 64
"""Longest recorder, officer and profile name in characters; the field's numbers have 6 to 12."""

YEAR_MIN = 1601
"""Earliest year any file system states (NTFS); a recorder with a dead clock battery says 1970 or 1980."""

_DIGEST_HEX_CHARS = 64

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Control, formatting (a bidirectional override would show another name), surrogate, line and paragraph separators.

Unassigned code points pass: rare Hanzi are added to Unicode faster than to this Python's tables.
"""

T = TypeVar("T")


def take_object(value: JsonValue, *, names: frozenset[str], where: str) -> JsonObject:
    """Return a JSON object that has exactly the given fields.

    Raises:
        WireMalformed: It is no object, lacks a field or has one too many.
    """
    if not isinstance(value, dict):
        raise WireMalformed(f"{where} is not an object")
    if missing := sorted(names - value.keys()):
        raise WireMalformed(f"{where} lacks {missing[0]!r}")
    if unknown := sorted(value.keys() - names):
        raise WireMalformed(f"{where} has the unknown field {unknown[0][:40]!r}")
    return value


def take_list(value: JsonValue, *, where: str, count_max: int) -> list[JsonValue]:
    """Return a JSON array of at most `count_max` items.

    Raises:
        WireMalformed: It is no array.
        WireLimit: It is too long.
    """
    if not isinstance(value, list):
        raise WireMalformed(f"{where} is not an array")
    if len(value) > count_max:
        raise WireLimit(f"{where} has {len(value)} items, at most {count_max} are allowed")
    return value


def take_text(value: JsonValue, *, where: str) -> str:
    """Return a JSON string.

    Raises:
        WireMalformed: It is something else.
    """
    if not isinstance(value, str):
        raise WireMalformed(f"{where} is not a string")
    return value


def take_integer(value: JsonValue, *, where: str) -> int:
    """Return a JSON integer; `true` is none.

    Raises:
        WireMalformed: It is something else.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise WireMalformed(f"{where} is not an integer")
    return value


def take_boolean(value: JsonValue, *, where: str) -> bool:
    """Return a JSON boolean; 0 and 1 are none.

    Raises:
        WireMalformed: It is something else.
    """
    if not isinstance(value, bool):
        raise WireMalformed(f"{where} is not true or false")
    return value


def take_uuid(value: JsonValue, *, where: str) -> UUID:
    """Return a UUID written in lower case with hyphens, the only accepted spelling.

    Raises:
        WireMalformed: It is something else.
    """
    text = take_text(value, where=where)
    try:
        parsed = UUID(text)
    except ValueError as error:
        raise WireMalformed(f"{where} is not a UUID") from error
    if str(parsed) != text:
        raise WireMalformed(f"{where} is not a UUID in lower case with hyphens")
    return parsed


def take_time(value: JsonValue, *, where: str) -> datetime:
    """Return an instant written by `evidence.core.clock.format_time`.

    Raises:
        WireMalformed: It is something else.
    """
    try:
        return parse_time(take_text(value, where=where))
    except TimeInvalid as error:
        raise WireMalformed(f"{where} is {error.message}") from error


def take_digest(value: JsonValue, *, where: str) -> bytes:
    """Return the 32 bytes of a digest written as 64 lower-case hex digits.

    Raises:
        WireMalformed: It is something else.
    """
    text = take_text(value, where=where)
    if len(text) != _DIGEST_HEX_CHARS or not set(text) <= set("0123456789abcdef"):
        raise WireMalformed(f"{where} is not a digest of 64 lower-case hex digits")
    return bytes.fromhex(text)


def take_optional(value: JsonValue, take: Callable[..., T], *, where: str) -> T | None:
    """Return None for `null`, and what `take` makes of everything else."""
    return None if value is None else take(value, where=where)


def check_integer(value: int, *, where: str, low: int = 0, high: int = INTEGER_MAX) -> None:
    """Refuse an integer outside `low` to `high`, both included.

    Raises:
        WireLimit: It is outside.
    """
    if not low <= value <= high:
        raise WireLimit(f"{where} is {value}, allowed are {low} to {high}")


def check_name(value: str, *, where: str, chars_max: int = NAME_CHARS_MAX) -> None:
    """Refuse a name that is empty, too long, padded with spaces, or holds what a reader cannot see.

    Raises:
        WireLimit: It is empty or too long.
        WireMalformed: It has control or formatting characters, lone surrogates, or spaces at an end.
    """
    if not 1 <= len(value) <= chars_max:
        raise WireLimit(f"{where} has {len(value)} characters, allowed are 1 to {chars_max}")
    if value != value.strip() or any(unicodedata.category(char) in _UNSEEN for char in value):
        raise WireMalformed(f"{where} holds characters that cannot be seen")


def check_time(value: datetime, *, where: str) -> None:
    """Refuse an instant that cannot be written, or that no clock in the field can have shown.

    Raises:
        WireMalformed: It has no time zone, or its year in UTC is not within 1601 to 9999.
    """
    if value.tzinfo is None:
        raise WireMalformed(f"{where} has no time zone")
    try:
        year = value.astimezone(UTC).year
    except OverflowError as error:
        raise WireMalformed(f"{where} has no year in UTC") from error
    if year < YEAR_MIN:
        raise WireMalformed(f"{where} is before the year {YEAR_MIN}")
