"""Officers, by what their certificate says (姓名、单位、职务、证件编号、执法类别、执法区域), and for how long it is
valid.

An officer is known by number; whoever states the same number again states another version of the same officer: another
unit, a renewed certificate, a withdrawn one. Which version counts on a day tells `evidence.registers.validity`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, TypeAlias
from uuid import UUID

from evidence.core.clock import Clock, Entropy
from evidence.core.ids import uuid7
from evidence.core.wire.fields import NAME_CHARS_MAX
from evidence.custody.record import record
from evidence.db.locks import lock_subject
from evidence.db.pool import Connection
from evidence.parties.lookalikes import KnownNames
from evidence.parties.names import check_name
from evidence.recorders.errors import OfficerUnknown
from evidence.registers.errors import RegisterStale
from evidence.registers.officer_store import Officer, find_officer, names_of_officers, newest_officer
from evidence.registers.tree import UnitTree
from evidence.registers.units import unit_called
from evidence.registers.validity import ALWAYS, Validity, format_day
from ledger.canonical import JsonValue

CertificateField: TypeAlias = Literal["duty", "certificate", "category", "area"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficerWords:
    """What somebody says of an officer.

    Attributes:
        number: What recorders and docks call the officer.
        unit: Code or name of a registered unit; any name while no unit is registered.
        certificate: What else the certificate says: `duty`, `certificate` (its number), `category`, `area`.
        validity: The days on which it is valid.
    """

    number: str
    name: str
    unit: str
    certificate: Mapping[CertificateField, str] = field(default_factory=lambda: MappingProxyType({}))
    validity: Validity = ALWAYS


@dataclass(frozen=True, slots=True)
class Registered:
    """An officer on record, the version, and the ledger entry that states it."""

    officer: UUID
    entry_id: UUID
    version: int


async def register_officer(
    conn: Connection,
    words: OfficerWords,
    *,
    actor: str,
    clock: Clock,
    entropy: Entropy,
    expected_version: int | None = None,
    names: KnownNames | None = None,
    tree: UnitTree | None = None,
) -> Registered:
    """Register an officer, or another version of the one who bears this number, in the caller's transaction.

    Args:
        expected_version: The version that the words are about; None when it does not matter.
        names, tree: What officers are called, and the units, kept by whoever registers many in one transaction; None
            to read it here.

    Raises:
        NameInvalid: A word is empty, too long, or has control characters.
        UnitUnknown: Units are registered, and none is called so, or several are.
        RegisterStale: There is another version by now.
        NameLookalike: Name or number look like another officer's and are written otherwise.
    """
    for word in (words.number, words.name, words.unit, *words.certificate.values()):
        check_name(word, characters_max=NAME_CHARS_MAX)
    # One lock for all: an import registers thousands in one transaction.
    await lock_subject(conn, "officers")
    known = await find_officer(conn, number=words.number)
    present = known.version if known else 0
    if expected_version is not None and present != expected_version:
        raise RegisterStale(f"the officer is at version {present}", version=present)
    unit = await unit_called(conn, words.unit, tree=tree)
    officer = known.officer if known else uuid7(clock=clock, entropy=entropy)
    names = KnownNames.of(await names_of_officers(conn)) if names is None else names
    for column, word in (("name", words.name), ("number", words.number)):
        names.require_distinct(officer, word, column=column)
        names.add(officer, word)
    payload: dict[str, JsonValue] = {
        "officer": str(officer),
        "number": words.number,
        "name": words.name,
        "unit": words.unit if unit is None else unit.name,
        "unit_id": None if unit is None else str(unit.unit),
        **{str(name): text for name, text in words.certificate.items()},
        "valid_from": format_day(words.validity.first),
        "valid_until": format_day(words.validity.last),
    }
    recorded = await record(
        conn,
        type="officer.registered",
        actor=actor,
        subject=f"officer:{officer}",
        payload={name: value for name, value in payload.items() if value is not None},
        clock=clock,
        entropy=entropy,
    )
    return Registered(officer, recorded.entry_id, present + 1)


async def get_officer(conn: Connection, officer: UUID) -> Officer:
    """Return an officer as registered last.

    Raises:
        OfficerUnknown: There is none with this id.
    """
    found = await newest_officer(conn, officer)
    if found is None:
        raise OfficerUnknown("no officer has this id")
    return found
