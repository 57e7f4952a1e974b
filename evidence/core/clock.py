"""Time and randomness as parameters, and the one way a time is written.

Times are stored and exchanged as UTC, RFC 3339, milliseconds, `Z`. The fixed width makes them sort as text and gives
canonical JSON one spelling for one instant. Code that needs "now" or random bytes takes a `Clock` or an `Entropy`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

from evidence.errors import TimeInvalid

Clock = Callable[[], datetime]
"""Returns the present instant, time zone aware, in UTC."""

Entropy = Callable[[int], bytes]
"""Returns that many random bytes fit for keys and salts (in production `secrets.token_bytes`)."""

_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z")


def utc_now() -> datetime:
    """Return the present instant in UTC."""
    return datetime.now(UTC)


def format_time(instant: datetime) -> str:
    """Write an aware instant as `2026-11-21T23:21:23.123Z`; finer parts than milliseconds are cut off.

    Raises:
        TimeInvalid: The instant has no time zone.
    """
    if instant.tzinfo is None:
        raise TimeInvalid("the instant has no time zone")
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def parse_time(text: str) -> datetime:
    """Read what `format_time` writes, and nothing else.

    Raises:
        TimeInvalid: Another spelling, or a date that does not exist.
    """
    if not _TIME.fullmatch(text) or not text.isascii():
        raise TimeInvalid(f"not a UTC time with milliseconds: {text[:40]!r}")
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise TimeInvalid(f"no such instant: {text}") from error
