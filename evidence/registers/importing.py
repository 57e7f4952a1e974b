"""Importing a register from a list: every bad row is named, and all rows are taken in one transaction or none.

A dry run goes through the very code that takes the rows, in a transaction that is then given up; so what it finds in
order is in order, as long as nobody changes the register in between. Rows that say what is on record already change
nothing: the same file twice is the same register. What was taken is stated by `register.imported` with the file's
SHA-256.

| Broken off | Left behind |
|---|---|
| before the commit | nothing |
| after it, before the answer | the register; the file again changes nothing |
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from enum import StrEnum

from evidence.core.clock import Clock, Entropy
from evidence.core.ids import uuid7
from evidence.custody.record import record
from evidence.db.locks import lock_subject
from evidence.db.pool import Pool
from evidence.parties.names import check_name
from evidence.registers.errors import RowsRefused, UnitUnknown
from evidence.registers.importers import COLUMNS, IMPORTERS, REQUIRED, Taking, known_names
from evidence.registers.sheets import BadCell, SheetRow, read_sheet, shown
from evidence.registers.tree import UnitTree
from evidence.registers.unit_store import unit_versions
from ledger.errors import CodedError

BAD_SHOWN_MAX = 1000
"""Most bad rows that one refusal names; a report on a dry run names every one."""


class RegisterKind(StrEnum):
    """What a list is a list of."""

    UNITS = "units"
    OFFICERS = "officers"
    RECORDERS = "recorders"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What an import found.

    Attributes:
        rows: Rows with something in them.
        changed: Those that changed the register, or would.
        bad: Every cell and row that cannot be taken, in the file's order.
        applied: Whether the register was changed.
    """

    kind: RegisterKind
    name: str
    sha256: bytes
    rows: int
    changed: int
    bad: tuple[BadCell, ...]
    applied: bool


async def import_register(
    pool: Pool,
    data: bytes,
    *,
    kind: RegisterKind,
    name: str,
    apply: bool,
    actor: str,
    clock: Clock,
    entropy: Entropy,
) -> ImportReport:
    """Take a list into a register, or say what would come of it.

    Args:
        data: The file, whole.
        name: What it is called.
        apply: Whether to take it; else it is a dry run.

    Raises:
        NameInvalid: The file's name cannot be shown.
        SheetInvalid: The file is no such list.
        RowsRefused: Rows cannot be taken; nothing was.
    """
    check_name(name)
    sheet = read_sheet(data, COLUMNS[kind.value])
    digest = hashlib.sha256(data).digest()
    bad = [*sheet.bad]
    async with pool.acquire() as conn:
        transaction = conn.transaction()
        await transaction.start()
        async with AsyncExitStack() as undo:
            undo.push_async_callback(transaction.rollback)
            await lock_subject(conn, "register-import")
            # Nobody registers a unit meanwhile, so what is read here stays true but for the rows themselves.
            await lock_subject(conn, "units")
            names = await known_names(conn, kind.value)
            tree = UnitTree.of(await unit_versions(conn))
            taking = Taking(conn=conn, names=names, tree=tree, actor=actor, clock=clock, entropy=entropy)
            changed = await _take(taking, _complete(sheet.rows, kind, bad), kind, bad)
            kept = apply and not bad
            if kept and changed:
                await _state(taking, kind, name=name, digest=digest, rows=changed)
            if kept:
                undo.pop_all()
                await transaction.commit()
    report = ImportReport(
        kind=kind,
        name=name,
        sha256=digest,
        rows=len({*(row.number for row in sheet.rows), *(one.row for one in sheet.bad)}),
        changed=changed,
        bad=tuple(sorted(bad, key=lambda one: one.row)),
        applied=kept,
    )
    if apply and bad:
        raise RowsRefused(f"{len(bad)} cells cannot be taken, so no row was", rows=as_details(report.bad))
    return report


def as_details(bad: Sequence[BadCell], *, count_max: int = BAD_SHOWN_MAX) -> list[dict[str, str | int]]:
    """Show bad cells as JSON, the first `count_max`."""
    return [
        {"row": one.row, "column": one.column, "code": one.code, "value": one.value, "message": one.message}
        for one in bad[:count_max]
    ]


def _complete(rows: Sequence[SheetRow], kind: RegisterKind, bad: list[BadCell]) -> list[SheetRow]:
    """Return the rows that have what they need, each thing once in the file."""
    first: dict[str, int] = {}
    good = []
    for row in rows:
        missing = [column for column in REQUIRED[kind.value] if column not in row.values]
        bad += [_bad(row, column, "row.missing_value", "a value is missing here") for column in missing]
        if missing:
            continue
        column = "code" if "code" in row.values else REQUIRED[kind.value][0]
        if (before := first.setdefault(row.values[column], row.number)) != row.number:
            bad.append(_bad(row, column, "row.duplicate", f"the same as in row {before}"))
            continue
        good.append(row)
    return good


async def _take(taking: Taking, rows: Sequence[SheetRow], kind: RegisterKind, bad: list[BadCell]) -> int:
    """Take rows; what names a unit that stands further down waits for it."""
    take, changed, waiting = IMPORTERS[kind.value], 0, list(rows)
    while waiting:
        postponed: list[tuple[SheetRow, CodedError]] = []
        for row in waiting:
            try:
                changed += await take(taking, row.values)
            except UnitUnknown as error:
                postponed.append((row, error))
            except CodedError as error:
                bad.append(_refused(row, error))
        if len(postponed) == len(waiting):
            bad += [_refused(row, error) for row, error in postponed]
            break
        waiting = [row for row, _ in postponed]
    return changed


def _refused(row: SheetRow, error: CodedError) -> BadCell:
    column = str(error.details.get("column", _COLUMN_OF.get(error.code, "")))
    return _bad(row, column, error.code, error.message)


_COLUMN_OF: Mapping[str, str] = {
    "unit.unknown": "unit",
    "unit.code_taken": "code",
    "officer.unknown": "holder",
    "recorder.assignment_invalid": "since",
    "register.validity_invalid": "valid_until",
}


def _bad(row: SheetRow, column: str, code: str, message: str) -> BadCell:
    value = row.values.get(column, row.values.get("parent", "") if column == "unit" else "")
    return BadCell(row=row.number, column=column, code=code, value=shown(value), message=shown_message(message))


def shown_message(message: str) -> str:
    """Return a message fit to be shown in one line."""
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in message[:200])


async def _state(taking: Taking, kind: RegisterKind, *, name: str, digest: bytes, rows: int) -> None:
    imported = uuid7(clock=taking.clock, entropy=taking.entropy)
    await record(
        taking.conn,
        type="register.imported",
        actor=taking.actor,
        subject=f"imported:{imported}",
        payload={
            "imported": str(imported),
            "kind": kind.value,
            "name": name,
            "sha256": digest.hex(),
            "rows": rows,
        },
        clock=taking.clock,
        entropy=taking.entropy,
    )
