"""Files that people call lists: what is read out of them, and what is refused with its cell or as a whole."""

from __future__ import annotations

import io
import zipfile
from contextlib import suppress
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from evidence.registers.errors import SheetInvalid
from evidence.registers.importers import COLUMNS, REQUIRED, template_of
from evidence.registers.sheets import CELL_CHARS_MAX, FILE_BYTES_MAX, ROWS_MAX, Sheet, read_sheet, shown

OFFICERS = COLUMNS["officers"]
HEAD = "编号,姓名,单位,有效期止\n"
TEXT = HEAD + "013579,王五,一中队,2026-12-31\n\n024680, 赵六 ,一中队,\n"


def workbook(*rows: list[object], merge: str | None = None) -> bytes:
    book = Workbook()
    sheet = book.active
    for row in rows:
        sheet.append(row)
    if merge:
        sheet.merge_cells(merge)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def values(sheet: Sheet) -> list[dict[str, str]]:
    return [dict(row.values) for row in sheet.rows]


EXPECTED = [
    {"number": "013579", "name": "王五", "unit": "一中队", "valid_until": "2026-12-31"},
    {"number": "024680", "name": "赵六", "unit": "一中队"},
]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_same_list_in_every_encoding(encoding: str, end: str) -> None:
    sheet = read_sheet(TEXT.replace("\n", end).encode(encoding), OFFICERS)
    assert values(sheet) == EXPECTED
    assert [row.number for row in sheet.rows] == [2, 4]
    assert sheet.bad == ()


def test_a_workbook_says_the_same() -> None:
    rows: list[list[object]] = [
        ["编号", "姓名", "单位", "有效期止"],
        ["013579", "王五", "一中队", datetime(2026, 12, 31)],  # noqa: DTZ001 - a cell has no zone
        ["024680", "赵六", "一中队", None],
    ]
    assert values(read_sheet(workbook(*rows), OFFICERS)) == EXPECTED


@pytest.mark.parametrize("name", sorted(REQUIRED))
def test_a_template_is_read_back_and_has_what_is_required(name: str) -> None:
    assert read_sheet(template_of(name), COLUMNS[name]).rows == ()
    assert set(REQUIRED[name]) <= set(COLUMNS[name].values())


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("=1+1", "cell.formula"),
        ("=cmd|' /C calc'!A0", "cell.formula"),
        ("@SUM(A1)", "cell.formula"),
        ("+8613800000000", "cell.formula"),
        (13579, "cell.number"),
        (1.5, "cell.number"),
        (True, "cell.unsupported"),
        ("王" * (CELL_CHARS_MAX + 1), "cell.too_long"),
    ],
)
def test_a_cell_that_is_refused_is_named(cell: object, code: str) -> None:
    sheet = read_sheet(workbook(["编号", "姓名", "单位"], ["1", cell, "一中队"], ["2", "王五", "一中队"]), OFFICERS)
    (bad,) = sheet.bad
    assert (bad.row, bad.column, bad.code) == (2, "name", code)
    assert len(bad.value) <= 43
    assert not bad.value.startswith(("=", "+", "@"))
    assert [row.number for row in sheet.rows] == [3]


def test_formulas_in_csv_and_cells_beyond_the_headings() -> None:
    sheet = read_sheet((HEAD + "1,=A1,一中队,,多\n").encode(), OFFICERS)
    assert [(bad.column, bad.code) for bad in sheet.bad] == [("name", "cell.formula"), ("", "cell.no_heading")]


def zipped(**parts: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return target.getvalue()


def with_part(data: bytes, name: str, change: tuple[bytes, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            content = old.read(part)
            new.writestr(part.filename, content.replace(*change) if part.filename == name else content)
    return target.getvalue()


BOOK = workbook(["编号", "姓名", "单位"], ["1", "王五", "一中队"])
SHEET = "xl/worksheets/sheet1.xml"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param("编号,姓名".encode("utf-16"), id="utf-16"),
        pytest.param(HEAD.encode() + b"\xff\xff\xff,\xff,\n", id="no encoding"),
        pytest.param(HEAD.encode() + b"1,\0,x\n", id="nul"),
        pytest.param(HEAD.encode() + b'1,"x,y\n', id="open quote"),
        pytest.param("编号,姓名,年龄\n".encode(), id="unknown heading"),
        pytest.param("编号,姓名,name\n".encode(), id="double heading"),
        pytest.param(b",,\n", id="no heading"),
        pytest.param(HEAD.encode() + b"," * 65 + b"\n", id="too many columns"),
        pytest.param(HEAD.encode() + b"1,x,y\n" * (ROWS_MAX + 1), id="too many rows"),
        pytest.param(b"x" * (FILE_BYTES_MAX + 1), id="too long"),
        pytest.param(b"PK\x03\x04 no zip at all", id="no zip"),
        pytest.param(BOOK[: len(BOOK) // 2], id="cut off"),
        pytest.param(zipped(a=b"x"), id="a zip that is no workbook"),
        pytest.param(zipped(**{f"p{n}": b"" for n in range(201)}), id="too many parts"),
        pytest.param(zipped(bomb=b"0" * (70 * 2**20)), id="zip bomb"),
        pytest.param(workbook(["编号", "姓名", "单位"], ["1", "王五", None], merge="B2:C2"), id="merged"),
        pytest.param(with_part(BOOK, SHEET, (b"<worksheet", b"<!DOCTYPE x><worksheet")), id="doctype"),
        pytest.param(with_part(BOOK, SHEET, (b"</sheetData>", b"")), id="broken xml"),
    ],
)
def test_what_is_no_list_is_refused_as_a_whole(data: bytes) -> None:
    with pytest.raises(SheetInvalid):
        read_sheet(data, OFFICERS)


@given(st.integers(0, len(BOOK) - 1), st.integers(1, 255))
def test_a_workbook_with_a_byte_changed_is_read_or_refused(place: int, change: int) -> None:
    data = bytearray(BOOK)
    data[place] ^= change
    with suppress(SheetInvalid):
        read_sheet(bytes(data), OFFICERS)


@given(st.binary(max_size=200) | st.binary(max_size=200).map(lambda tail: b"PK\x03\x04" + tail))
def test_any_bytes_are_a_list_or_refused(data: bytes) -> None:
    with suppress(SheetInvalid):
        read_sheet(data, OFFICERS)


@given(st.text())
def test_what_is_shown_is_short_visible_and_no_formula(text: str) -> None:
    value = shown(text)
    assert len(value) <= 42
    assert value.isprintable()
    assert not value.startswith(("=", "+", "-", "@"))
