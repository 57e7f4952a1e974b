"""What a row of each list says, and how it is taken: the columns by their headings, and the words of a register.

Each importer returns whether the row changed anything; a row that says what is on record already does not.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from types import MappingProxyType
from typing import TypeVar
from uuid import UUID

from evidence.core.clock import Clock, Entropy
from evidence.db.pool import Connection
from evidence.parties.lookalikes import KnownNames
from evidence.recorders.register import assign_recorder
from evidence.recorders.register_store import holdings_of
from evidence.registers.errors import UnitUnknown, WordUnknown
from evidence.registers.officer_store import find_officer, names_of_officers
from evidence.registers.officers import CertificateField, OfficerWords, register_officer
from evidence.registers.recorder_store import newest_registration
from evidence.registers.recorders import RecorderFacts, RecorderKind, RecorderState, register_recorder
from evidence.registers.tree import UnitTree
from evidence.registers.unit_store import Unit, names_of_units
from evidence.registers.units import UnitWords, register_unit, unit_called
from evidence.registers.validity import CHINA, Validity, parse_day

WordT = TypeVar("WordT")

_CERTIFICATE: tuple[CertificateField, ...] = ("duty", "certificate", "category", "area")

COLUMNS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "units": {
            "name": "name",
            "单位名称": "name",
            "code": "code",
            "单位代码": "code",
            "parent": "parent",
            "上级单位": "parent",
            "valid_from": "valid_from",
            "启用日期": "valid_from",
            "valid_until": "valid_until",
            "停用日期": "valid_until",
        },
        "officers": {
            "number": "number",
            "编号": "number",
            "name": "name",
            "姓名": "name",
            "unit": "unit",
            "单位": "unit",
            "duty": "duty",
            "职务": "duty",
            "certificate": "certificate",
            "证件编号": "certificate",
            "category": "category",
            "执法类别": "category",
            "area": "area",
            "执法区域": "area",
            "valid_from": "valid_from",
            "有效期起": "valid_from",
            "valid_until": "valid_until",
            "有效期止": "valid_until",
        },
        "recorders": {
            "recorder": "recorder",
            "设备编号": "recorder",
            "serial": "serial",
            "序列号": "serial",
            "model": "model",
            "型号": "model",
            "unit": "unit",
            "单位": "unit",
            "kind": "kind",
            "类型": "kind",
            "state": "state",
            "状态": "state",
            "holder": "holder",
            "领用人编号": "holder",
            "since": "since",
            "领用日期": "since",
        },
    }
)
"""Column by heading, for each register; headings are compared in lower case."""

REQUIRED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"units": ("name",), "officers": ("number", "name", "unit"), "recorders": ("recorder",)}
)
"""What a row cannot do without; the first is what it is known by in its file, or its code where it has one."""

_KINDS: Mapping[str, RecorderKind] = MappingProxyType(
    {
        "body_worn": RecorderKind.BODY_WORN,
        "执法记录仪": RecorderKind.BODY_WORN,
        "fixed_camera": RecorderKind.FIXED_CAMERA,
        "固定摄像": RecorderKind.FIXED_CAMERA,
    }
)
_STATES: Mapping[str, RecorderState] = MappingProxyType(
    {
        "in_use": RecorderState.IN_USE,
        "在用": RecorderState.IN_USE,
        "repair": RecorderState.REPAIR,
        "维修": RecorderState.REPAIR,
        "retired": RecorderState.RETIRED,
        "报废": RecorderState.RETIRED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """Who takes rows, and on which connection: within one transaction.

    `names` are those of the register that the rows go into, `tree` the units as they stand meanwhile.
    """

    conn: Connection
    names: KnownNames
    tree: UnitTree
    actor: str
    clock: Clock
    entropy: Entropy


async def take_unit(taking: Taking, row: Mapping[str, str]) -> bool:
    """Take a row of units: known by its code, else by its name."""
    called = taking.tree.called(row.get("code") or row["name"])
    if len(called) > 1:
        raise UnitUnknown("several units are called so: give the code", unit=row["name"], column="name")
    known = called[0] if called else None
    parent = await _unit(taking, row.get("parent"), column="parent")
    words = UnitWords(name=row["name"], code=row.get("code"), parent=parent, validity=_validity(row))
    if known is not None and words == UnitWords(
        name=known.name, code=known.code, parent=known.parent, validity=known.validity
    ):
        return False
    await register_unit(
        taking.conn,
        words,
        actor=taking.actor,
        clock=taking.clock,
        entropy=taking.entropy,
        unit=None if known is None else known.unit,
        expected_version=0 if known is None else known.version,
        names=taking.names,
        tree=taking.tree,
    )
    return True


async def take_officer(taking: Taking, row: Mapping[str, str]) -> bool:
    """Take a row of officers."""
    known = await find_officer(taking.conn, number=row["number"])
    words = OfficerWords(
        number=row["number"],
        name=row["name"],
        unit=row["unit"],
        certificate={name: row[name] for name in _CERTIFICATE if name in row},
        validity=_validity(row),
    )
    if known is not None:
        unit = await unit_called(taking.conn, words.unit, tree=taking.tree)
        same_unit = known.unit == words.unit if unit is None else known.unit_id == unit.unit
        said = {name: text for name in _CERTIFICATE if (text := getattr(known, name)) is not None}
        if same_unit and (known.name, said, known.validity) == (words.name, words.certificate, words.validity):
            return False
    await register_officer(
        taking.conn,
        words,
        actor=taking.actor,
        clock=taking.clock,
        entropy=taking.entropy,
        names=taking.names,
        tree=taking.tree,
    )
    return True


async def take_recorder(taking: Taking, row: Mapping[str, str]) -> bool:
    """Take a row of recorders, and whose it is if the row says so."""
    conn = taking.conn
    facts = RecorderFacts(
        recorder=row["recorder"],
        kind=_word(row, "kind", _KINDS, RecorderKind.BODY_WORN),
        state=_word(row, "state", _STATES, RecorderState.IN_USE),
        serial=row.get("serial"),
        model=row.get("model"),
        unit=await _unit(taking, row.get("unit"), column="unit"),
    )
    known = await newest_registration(conn, facts.recorder)
    changed = known is None or facts != RecorderFacts(
        recorder=known.recorder,
        kind=RecorderKind(known.kind),
        state=RecorderState(known.state),
        serial=known.serial,
        model=known.model,
        unit=known.unit,
    )
    if changed:
        await register_recorder(conn, facts, actor=taking.actor, clock=taking.clock, entropy=taking.entropy)
    return await _hand_out(taking, row) or changed


async def _hand_out(taking: Taking, row: Mapping[str, str]) -> bool:
    """Give the recorder of a row to its holder, unless it is the holder's already."""
    if "holder" not in row:
        return False
    spans = await holdings_of(taking.conn, row["recorder"])
    day = parse_day(row.get("since"))
    since = None if day is None else datetime.combine(day, time(), tzinfo=CHINA)
    if spans and spans[-1].number == row["holder"] and since in {None, spans[-1].since}:
        return False
    await assign_recorder(
        taking.conn,
        recorder=row["recorder"],
        number=row["holder"],
        since=since,
        actor=taking.actor,
        clock=taking.clock,
        entropy=taking.entropy,
    )
    return True


async def _unit(taking: Taking, text: str | None, *, column: str) -> UUID | None:
    if text is None:
        return None
    try:
        found: Unit | None = await unit_called(taking.conn, text, tree=taking.tree)
    except UnitUnknown as error:
        raise UnitUnknown(error.message, unit=text, column=column) from error
    if found is None:
        raise UnitUnknown("no unit has this code or name", unit=text, column=column)
    return found.unit


def _validity(row: Mapping[str, str]) -> Validity:
    return Validity(first=parse_day(row.get("valid_from")), last=parse_day(row.get("valid_until")))


def _word(row: Mapping[str, str], column: str, words: Mapping[str, WordT], default: WordT) -> WordT:
    given = row.get(column)
    if given is None:
        return default
    if given.lower() not in words:
        raise WordUnknown(f"one of {', '.join(words)}", column=column)
    return words[given.lower()]


IMPORTERS: Mapping[str, Callable[[Taking, Mapping[str, str]], Awaitable[bool]]] = MappingProxyType(
    {"units": take_unit, "officers": take_officer, "recorders": take_recorder}
)
"""How a row of each register is taken."""


async def known_names(conn: Connection, register: str) -> KnownNames:
    """Return the names that rows of a register are held against; none for recorders."""
    match register:
        case "units":
            return KnownNames.of(await names_of_units(conn))
        case "officers":
            return KnownNames.of(await names_of_officers(conn))
    return KnownNames()


def template_of(register: str) -> bytes:
    """Return an empty list with its Chinese headings: CSV, UTF-8 with the byte order mark that programs ask for."""
    headings = [heading for heading in COLUMNS[register] if not heading.isascii()]
    return ("\ufeff" + ",".join(headings) + "\r\n").encode()
