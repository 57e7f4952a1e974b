"""Importing registers: every bad row by name, all rows or none, the same file twice the same register."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from uuid import UUID

import pytest

from evidence.core.clock import utc_now
from evidence.db.pool import Connection, Pool
from evidence.recorders.register_store import holdings_of
from evidence.registers.errors import RowsRefused
from evidence.registers.importing import ImportReport, RegisterKind, import_register
from evidence.registers.officer_store import find_officer
from evidence.registers.recorder_store import newest_registration
from evidence.registers.unit_store import Unit, unit_versions
from evidence.registers.units import ancestors, subtree, unit_called
from tests.support.clock import SeededEntropy

UNITS = "单位名称,单位代码,上级单位\n一中队,,140100000000\n市局,140100000000,\n二中队,,市局\n"
OFFICERS = (
    "编号,姓名,单位,职务,证件编号,执法类别,执法区域,有效期起,有效期止\n"
    "013579,王五,一中队,中队长,HB-001,环境执法,全市,2024-01-01,2028-12-31\n"
    "024680,赵六,二中队,,,,,,\n"
)
RECORDERS = (
    "设备编号,序列号,型号,单位,状态,领用人编号,领用日期\nA1,SN-1,V9,一中队,在用,013579,2026-01-01\nA2,,,市局,维修,,\n"
)


async def take(pool: Pool, kind: RegisterKind, text: str, *, apply: bool = True) -> ImportReport:
    return await import_register(
        pool,
        text.encode(),
        kind=kind,
        name="名单.csv",
        apply=apply,
        actor="service",
        clock=utc_now,
        entropy=SeededEntropy(len(text)),
    )


async def entries(pool: Pool) -> list[str]:
    return [row["type"] for row in await pool.fetch("SELECT type FROM custody_payload ORDER BY entry_id")]


async def test_three_lists_make_three_registers_and_the_same_again_changes_nothing(pool: Pool) -> None:
    lists: Mapping[RegisterKind, str] = {
        RegisterKind.UNITS: UNITS,
        RegisterKind.OFFICERS: OFFICERS,
        RegisterKind.RECORDERS: RECORDERS,
    }
    for kind, text in lists.items():
        dry = await take(pool, kind, text, apply=False)
        assert (dry.bad, dry.applied, dry.changed) == ((), False, dry.rows)
        before = await entries(pool)
        done = await take(pool, kind, text)
        assert (done.applied, done.changed, done.sha256) == (True, dry.rows, hashlib.sha256(text.encode()).digest())
        after = await entries(pool)
        assert len(after) > len(before)
        again = await take(pool, kind, text)
        assert (again.applied, again.changed) == (True, 0)
        assert await entries(pool) == after
    assert (await entries(pool)).count("register.imported") == 3
    async with pool.acquire() as conn:
        city = await unit_called(conn, "市局")
        assert city is not None
        assert len(await subtree(conn, city.unit)) == 3
        officer = await find_officer(conn, number="013579")
        assert officer is not None
        assert (officer.certificate, str(officer.valid_until), officer.unit) == ("HB-001", "2028-12-31", "一中队")
        recorder = await newest_registration(conn, "A2")
        assert recorder is not None
        assert (recorder.state, recorder.unit) == ("repair", city.unit)
        (span,) = await holdings_of(conn, "A1")
        assert span.number == "013579"
        stated = await conn.fetchval("SELECT sha256 FROM register_import WHERE kind = 'officers'")
    assert stated == hashlib.sha256(OFFICERS.encode()).digest()


async def test_every_bad_row_is_reported_and_nothing_taken(pool: Pool) -> None:
    await take(pool, RegisterKind.UNITS, UNITS)
    before = await entries(pool)
    text = (
        "编号,姓名,单位,有效期起,有效期止\n"
        "1,王五,一中队,,\n"  # 2: in order
        "1,赵六,一中队,,\n"  # 3: twice
        "2,,一中队,,\n"  # 4: no name
        "3,孙七,三中队,,\n"  # 5: no such unit
        "4,周八,一中队,2026-02-30,\n"  # 6: no such day
        "5,吴九,一中队,2026-02-02,2026-02-01\n"  # 7: ends before it begins
        "6,=HYPERLINK(1),一中队,,\n"  # 8: a formula
        "7,郑\u202e十,一中队,,\n"  # 9: another name than it shows
    )
    report = await take(pool, RegisterKind.OFFICERS, text, apply=False)
    assert [(bad.row, bad.column, bad.code) for bad in report.bad] == [
        (3, "number", "row.duplicate"),
        (4, "name", "row.missing_value"),
        (5, "unit", "unit.unknown"),
        (6, "valid_until", "register.validity_invalid"),
        (7, "valid_until", "register.validity_invalid"),
        (8, "name", "cell.formula"),
        (9, "", "party.name_invalid"),
    ]
    assert (report.rows, report.changed) == (8, 1)
    with pytest.raises(RowsRefused) as refused:
        await take(pool, RegisterKind.OFFICERS, text)
    rows = refused.value.details["rows"]
    assert isinstance(rows, list)
    assert len(rows) == 7
    assert await entries(pool) == before


@pytest.mark.parametrize(
    ("kind", "text", "column", "code"),
    [
        (RegisterKind.UNITS, "单位名称,上级单位\n甲,乙\n乙,甲\n", "parent", "unit.unknown"),
        (RegisterKind.UNITS, "单位名称,单位代码\n甲,123\n", "", "unit.invalid"),
        (RegisterKind.RECORDERS, "设备编号,状态\nA1,丢失\n", "state", "register.word_unknown"),
        (RegisterKind.RECORDERS, "设备编号,领用人编号\nA1,999\n", "holder", "officer.unknown"),
        (RegisterKind.RECORDERS, "设备编号,单位\nA1,无此单位\n", "unit", "unit.unknown"),
    ],
)
async def test_references_that_lead_nowhere(pool: Pool, kind: RegisterKind, text: str, column: str, code: str) -> None:
    report = await take(pool, kind, text, apply=False)
    assert {(bad.column, bad.code) for bad in report.bad} == {(column, code)}


@pytest.mark.slow
async def test_ten_thousand_officers(pool: Pool) -> None:
    lines = [f"{number:06},王五,一中队" for number in range(1, 10_001)]
    report = await take(pool, RegisterKind.OFFICERS, "编号,姓名,单位\n" + "\n".join(lines))
    assert (report.applied, report.changed) == (True, 10_000)


async def test_names_that_only_look_like_another_are_bad_rows_of_the_dry_run_too(pool: Pool) -> None:
    await take(pool, RegisterKind.UNITS, "单位名称\n八一队\n")
    await take(pool, RegisterKind.OFFICERS, "编号,姓名,单位\n013579,王芳,八一队\n")
    lists = {
        RegisterKind.UNITS: ("单位名称\nハ一队\n三中队\n三中队\u3164\n", [(2, "name"), (4, "name")]),
        RegisterKind.OFFICERS: (
            "编号,姓名,单位\n1,王\u3000芳,八一队\n2,王芳,八一队\n０13579,李四,八一队\n4,аdmin,八一队\n",
            [(2, "name"), (4, "number"), (5, "name")],
        ),
    }
    for kind, (text, places) in lists.items():
        dry = await take(pool, kind, text, apply=False)
        assert [(one.row, one.column, one.code) for one in dry.bad] == [
            (*place, "party.name_lookalike") for place in places
        ]
        with pytest.raises(RowsRefused):
            await take(pool, kind, text)


async def test_units_are_read_once_however_many_rows_a_list_has(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each row used to read every version of every unit: ten thousand rows took hours."""
    reads = 0

    async def counted(conn: Connection, unit: UUID | None = None) -> Sequence[Unit]:
        nonlocal reads
        reads += 1
        return await unit_versions(conn, unit)

    for module in ("evidence.registers.unit_store.unit_versions", "evidence.registers.importing.unit_versions"):
        monkeypatch.setattr(module, counted)
    rows = [f"{number}队,{140100000000 + number},{f'{number - 1}队' if number % 10 else ''}" for number in range(60)]
    taken = await take(pool, RegisterKind.UNITS, "\n".join(["单位名称,单位代码,上级单位", *rows, ""]))
    assert (taken.changed, reads) == (60, 1)
    async with pool.acquire() as conn:
        last = await unit_called(conn, "59队")
        assert last is not None
        assert len(await ancestors(conn, last.unit)) == 9
