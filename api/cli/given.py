"""What people give to commands: days, and files that hold a table; anything else is a wrong command line."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import typer


def day_given(text: str) -> date:
    """Read a day.

    Raises:
        BadParameter: It is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no day, such as 2026-12-01") from None


def text_given(path: Path, *, bytes_max: int) -> str:
    """Read a file of text.

    Raises:
        BadParameter: It is longer than this many bytes, or not UTF-8.
    """
    with path.open("rb") as file:
        raw = file.read(bytes_max + 1)
    if len(raw) > bytes_max:
        raise typer.BadParameter(f"{path} is longer than {bytes_max} bytes")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise typer.BadParameter(f"{path} is not UTF-8") from None
