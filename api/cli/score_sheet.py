"""A score sheet (案卷评查评分表) out of a CSV file: one row for each item, points given and points to be had."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import typer

from evidence.registers.errors import SheetInvalid
from evidence.registers.sheets import FILE_BYTES_MAX, SheetRow, read_sheet

COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "item": "item",
        "评查项目": "item",
        "points": "points",
        "得分": "points",
        "of": "of",
        "满分": "of",
        "note": "note",
        "说明": "note",
    }
)
"""Column by heading."""


def read_score_sheet(file: Path) -> list[dict[str, object]]:
    """Return the rows of a sheet as the service takes them.

    Raises:
        typer.BadParameter: It cannot be read, a cell is no text or number, or a row lacks item, points or of.
    """
    try:
        if file.stat().st_size > FILE_BYTES_MAX:
            raise typer.BadParameter(f"{file} has more than {FILE_BYTES_MAX} bytes")
        sheet = read_sheet(file.read_bytes(), COLUMNS)
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be read: {error.strerror}") from error
    except SheetInvalid as error:
        raise typer.BadParameter(f"{file}: {error.message}") from error
    if sheet.bad:
        wrong = sheet.bad[0]
        raise typer.BadParameter(f"{file}, row {wrong.row}, {wrong.column or 'no column'}: {wrong.message}")
    if not sheet.rows:
        raise typer.BadParameter(f"{file} has no rows")
    return [_words(file, row) for row in sheet.rows]


def total_of(sheet: list[dict[str, object]]) -> int:
    """Add the points of a sheet up."""
    return sum(int(str(row["points"])) for row in sheet)


def _words(file: Path, row: SheetRow) -> dict[str, object]:
    if "item" not in row.values:
        raise typer.BadParameter(f"{file}, row {row.number}: a value is missing under item")
    words: dict[str, object] = {"item": row.values["item"]}
    for column in ("points", "of"):
        text = row.values.get(column, "")
        if not (text.isascii() and text.isdigit() and len(text) <= 3):
            raise typer.BadParameter(f"{file}, row {row.number}: {column} is a whole number from 0 to 100")
        words[column] = int(text)
    return words | ({"note": row.values["note"]} if "note" in row.values else {})
