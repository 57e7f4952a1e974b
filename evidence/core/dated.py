"""Tables of rules in TOML (v1.0.0) that say from which day on they are in force: presets, and edited copies of them."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from datetime import date
from typing import Any


def read_dated(text: str, *, refused: Callable[[str], Exception]) -> tuple[dict[str, Any], date]:
    """Return a table without its `effective_from`, and that day.

    Args:
        refused: Makes the error of whoever asks, from a sentence.

    Raises:
        Exception: What `refused` makes: it is no TOML, or does not say from which day on it is in force.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise refused(f"the file is no TOML: {error}") from error
    effective_from = table.pop("effective_from", None)
    # A date with a time is a `date` to Python, and no day.
    if type(effective_from) is not date:
        raise refused("effective_from is a day, such as 2026-11-22 without quotation marks")
    return table, effective_from
