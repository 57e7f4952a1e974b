"""Reading a list out of a CSV or XLSX file: rows of text under known headings, or every reason why not.

What kind a file is tell its first bytes, never its name. CSV is UTF-8 (with or without a byte order mark) or GB18030,
which is what spreadsheet programs here write; a file that is neither is refused, never guessed at. A workbook is read
in openpyxl's streaming mode; its first sheet counts. Nothing in it is evaluated: a formula, and a text that a
spreadsheet program would take for one, is refused by cell. So is a number where a number is a name: a program that
keeps 013579 as 13579 has lost a digit already. Merged cells are refused as a whole, for nobody can tell which row a
value belongs to.

Limits: 8 MiB, 64 MiB unpacked, 200 parts, 10,000 rows, 64 columns, 200 characters a cell.
"""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from struct import error as StructError
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile, ZipFile
from zlib import error as ZlibError

from evidence.registers.errors import SheetInvalid

FILE_BYTES_MAX = 8 * 2**20
UNPACKED_BYTES_MAX = 64 * 2**20
PARTS_MAX = 200
ROWS_MAX = 10_000
COLUMNS_MAX = 64
CELL_CHARS_MAX = 200
SHOWN_CHARS_MAX = 40

_FORMULA_MARKS = ("=", "+", "-", "@")
_BROKEN = (
    *(BadZipFile, ZlibError, StructError, ParseError),
    *(LookupError, ValueError, TypeError, AttributeError, EOFError, OSError, RuntimeError),
)
"""What openpyxl and zipfile raise for files that are none: they promise no class of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BadCell:
    """Why a row cannot be taken: `row` counts from 1, the headings' row included; `value` is fit to be shown."""

    row: int
    column: str
    code: str
    value: str
    message: str


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row: its number in the file, and its values by column; empty cells are not there."""

    number: int
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows of a file that could be read, and the cells that could not."""

    rows: tuple[SheetRow, ...]
    bad: tuple[BadCell, ...]


def shown(value: object) -> str:
    """Return a value fit for a terminal or a page: short, in one line, nothing invisible, nothing that is a formula."""
    text = str(value)
    clean = "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text[: SHOWN_CHARS_MAX + 1])
    clean = clean if len(clean) <= SHOWN_CHARS_MAX else clean[:SHOWN_CHARS_MAX] + "…"
    return f"'{clean}" if clean.startswith(_FORMULA_MARKS) else clean


def read_sheet(data: bytes, columns: Mapping[str, str]) -> Sheet:
    """Read a file.

    Args:
        columns: Column by heading; several headings may mean one column.

    Raises:
        SheetInvalid: It is no CSV and no workbook, over a limit, has merged cells, or headings that are unknown, double
            or missing altogether.
    """
    if len(data) > FILE_BYTES_MAX:
        raise SheetInvalid(f"the file has more than {FILE_BYTES_MAX} bytes")
    raw = _workbook_rows(data) if data.startswith(b"PK") else _csv_rows(data)
    headings: Sequence[str] | None = None
    rows, bad = list[SheetRow](), list[BadCell]()
    for number, cells in enumerate(raw, 1):
        if headings is None:
            headings = _headings(cells, columns)
            continue
        if number > ROWS_MAX + 1:
            raise SheetInvalid(f"the file has more than {ROWS_MAX} rows")
        row, wrong = _row(number, cells, headings)
        bad += wrong
        if row is not None and not wrong:
            rows.append(row)
    if headings is None:
        raise SheetInvalid("the file is empty")
    return Sheet(tuple(rows), tuple(bad))


def _headings(cells: Sequence[object], columns: Mapping[str, str]) -> Sequence[str]:
    named = ["" if cell is None else str(cell).strip().lower() for cell in cells]
    while named and not named[-1]:
        named.pop()
    unknown = [one for one in named if one not in columns]
    if unknown or not named:
        raise SheetInvalid(f"unknown heading {shown(unknown[0]) if unknown else ''!r}; known are {', '.join(columns)}")
    found = [columns[one] for one in named]
    if len(set(found)) != len(found):
        raise SheetInvalid("two headings mean the same column")
    return found


def _row(number: int, cells: Sequence[object], headings: Sequence[str]) -> tuple[SheetRow | None, list[BadCell]]:
    values, bad = dict[str, str](), list[BadCell]()
    for place, cell in enumerate(cells):
        if cell is None or (isinstance(cell, str) and not cell.strip()):
            continue
        if place >= len(headings):
            bad.append(BadCell(row=number, column="", code="cell.no_heading", value=shown(cell), message=_BEYOND))
            continue
        text, code = _text(cell)
        if code is not None:
            column = headings[place]
            bad.append(BadCell(row=number, column=column, code=code, value=shown(text), message=_WHY[code]))
        values[headings[place]] = text
    return (SheetRow(number, values) if values else None), bad


_BEYOND = "the cell stands under no heading"
_WHY = {
    "cell.formula": "a formula is not evaluated, and not taken",
    "cell.number": "a number has lost its leading zeros: format the column as text",
    "cell.unsupported": "neither text nor a date",
    "cell.too_long": f"more than {CELL_CHARS_MAX} characters",
}


@dataclass(frozen=True, slots=True)
class _Formula:
    text: str

    def __str__(self) -> str:
        return self.text


def _text(cell: object) -> tuple[str, str | None]:
    """Return a cell's text, and the code of what is wrong with it."""
    match cell:
        case datetime():
            return cell.date().isoformat(), None
        case _Formula():
            return str(cell), "cell.formula"
        case bool():
            return str(cell), "cell.unsupported"
        case int() | float():
            return str(cell), "cell.number"
        case str():
            text = cell.strip()
            if text.startswith(_FORMULA_MARKS):
                return text, "cell.formula"
            return text, "cell.too_long" if len(text) > CELL_CHARS_MAX else None
        case _:
            return str(cell), "cell.unsupported"


def _csv_rows(data: bytes) -> Iterator[Sequence[object]]:
    text = _decoded(data)
    if "\0" in text:
        raise SheetInvalid("the file holds NUL characters")
    try:
        for cells in csv.reader(io.StringIO(text, newline=""), strict=True):
            if len(cells) > COLUMNS_MAX:
                raise SheetInvalid(f"a row has more than {COLUMNS_MAX} columns")
            yield cells
    except csv.Error as error:
        raise SheetInvalid(f"the file is no CSV: {error}") from error


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise SheetInvalid("the file is UTF-16; save it as CSV UTF-8 or as XLSX")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise SheetInvalid("the file is neither UTF-8 nor GB18030")


def _workbook_rows(data: bytes) -> Iterator[Sequence[object]]:
    # Loaded here: it brings numpy along, 28 MB that a service without imports does not need.
    from openpyxl import load_workbook

    try:
        _check_parts(data)
        with warnings.catch_warnings():
            # It warns of styles and extensions that it leaves out; none of them is a value.
            warnings.simplefilter("ignore")
            book = load_workbook(io.BytesIO(data), read_only=True, data_only=False, keep_links=False)
            sheet = book.worksheets[0] if book.worksheets else None
            if sheet is None:
                raise SheetInvalid("the workbook has no sheet")
            for cells in sheet.iter_rows(max_row=ROWS_MAX + 2, max_col=COLUMNS_MAX):
                yield [_Formula(str(one.value)) if one.data_type == "f" else one.value for one in cells]
            book.close()
    except _BROKEN as error:
        raise SheetInvalid("the workbook cannot be read") from error


def _check_parts(data: bytes) -> None:
    with ZipFile(io.BytesIO(data)) as parts:
        listed = parts.infolist()
        if len(listed) > PARTS_MAX or sum(part.file_size for part in listed) > UNPACKED_BYTES_MAX:
            raise SheetInvalid("the workbook is too large unpacked")
        for part in listed:
            # What the list of contents claims is not what unpacks: read no further than it may be long.
            with parts.open(part) as file:
                content = file.read(UNPACKED_BYTES_MAX + 1)
            if len(content) > part.file_size:
                raise SheetInvalid("the workbook is too large unpacked")
            if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
                raise SheetInvalid("the workbook declares entities")
            if part.filename.startswith("xl/worksheets/") and b"<mergeCell " in content:
                raise SheetInvalid("the workbook has merged cells; part them first")
