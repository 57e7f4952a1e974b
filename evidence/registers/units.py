"""Units, a tree in time: each version of a unit is an entry, a moved or renamed unit is another version of the same
one.

A unit has a name, a code of 12 digits where the agency gives one, and perhaps a unit above it. A version counts from
its first day on, until its last or for good (`evidence.registers.validity`); none begins in the future, for what is to
come is no record. On no day is a unit below itself: whoever registers holds the lock of the whole tree, and every day
on which anything changes is looked at.

A unit that was closed keeps its place in the tree: what it did stays its own, and its superior's to see.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from evidence.core.clock import Clock, Entropy
from evidence.core.ids import uuid7
from evidence.custody.record import record
from evidence.db.locks import lock_subject
from evidence.db.pool import Connection
from evidence.parties.lookalikes import KnownNames
from evidence.parties.names import check_name
from evidence.registers import unit_store
from evidence.registers.errors import RegisterStale, UnitCodeTaken, UnitInvalid, UnitUnknown
from evidence.registers.tree import UnitTree
from evidence.registers.unit_store import Unit
from evidence.registers.validity import ALWAYS, Validity, counting, day_of, format_day
from ledger.canonical import JsonValue

DEPTH_MAX = 50
"""Most units above one another; the state has six levels."""

_CODE = re.compile("[0-9]{12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitWords:
    """What somebody says of a unit.

    Attributes:
        code: 12 digits, or None where the agency has none.
        parent: The unit above it.
        validity: When this version is in force.
    """

    name: str
    code: str | None = None
    parent: UUID | None = None
    validity: Validity = ALWAYS


@dataclass(frozen=True, slots=True)
class UnitOnRecord:
    """A unit's new version and the ledger entry that states it."""

    unit: UUID
    version: int
    entry_id: UUID


async def register_unit(
    conn: Connection,
    words: UnitWords,
    *,
    actor: str,
    clock: Clock,
    entropy: Entropy,
    unit: UUID | None = None,
    expected_version: int = 0,
    names: KnownNames | None = None,
    tree: UnitTree | None = None,
) -> UnitOnRecord:
    """Register a unit, or another version of one, in the caller's transaction.

    Args:
        unit: Which one; None for a new one.
        expected_version: The version that the words are about, 0 for a new unit.
        names, tree: What units are called and where they stand, kept by whoever registers many in one transaction;
            None to read it here.

    Raises:
        NameInvalid: The name is empty, too long, or has control characters.
        UnitInvalid: The code is not 12 digits, the first day is to come, or the unit would be below itself.
        UnitUnknown: There is no such unit, or no such unit above it.
        UnitCodeTaken: Another unit has the code.
        RegisterStale: The unit has another version by now.
        NameLookalike: The name looks like another unit's and is written otherwise.
    """
    check_name(words.name)
    if words.code is not None and not _CODE.fullmatch(words.code):
        raise UnitInvalid("the code of a unit has 12 digits")
    if words.validity.first is not None and words.validity.first > day_of(clock()):
        raise UnitInvalid("a unit is in force from today, or from a day in the past on")
    await lock_subject(conn, "units")
    tree = UnitTree.of(await unit_store.unit_versions(conn)) if tree is None else tree
    known = tree.versions_of(unit)
    if unit is not None and not known:
        raise UnitUnknown(f"there is no unit {unit}", unit=str(unit))
    if (present := known[-1].version if known else 0) != expected_version:
        raise RegisterStale(f"the unit is at version {present}", version=present)
    named = unit or uuid7(clock=clock, entropy=entropy)
    _check_code(words.code, named, tree)
    _check_place(words, named, tree)
    names = KnownNames.of(await unit_store.names_of_units(conn)) if names is None else names
    names.require_distinct(named, words.name)
    names.add(named, words.name)
    payload: dict[str, JsonValue] = {
        "unit": str(named),
        "version": present + 1,
        "code": words.code,
        "name": words.name,
        "parent": None if words.parent is None else str(words.parent),
        "valid_from": format_day(words.validity.first),
        "valid_until": format_day(words.validity.last),
    }
    recorded = await record(
        conn,
        type="unit.registered",
        actor=actor,
        subject=f"unit:{named}",
        payload=payload,
        clock=clock,
        entropy=entropy,
    )
    tree.add(_version(named, present + 1, words, at=recorded.at, by=actor))
    return UnitOnRecord(named, present + 1, recorded.entry_id)


def _version(unit: UUID, version: int, words: UnitWords, *, at: datetime, by: str) -> Unit:
    return Unit(
        unit=unit,
        version=version,
        code=words.code,
        name=words.name,
        parent=words.parent,
        valid_from=words.validity.first,
        valid_until=words.validity.last,
        registered_at=at,
        registered_by=by,
    )


async def unit_called(conn: Connection, text: str, *, tree: UnitTree | None = None) -> Unit | None:
    """Return the unit that a code or a name means; None as long as no unit is registered at all.

    Args:
        tree: The units, where somebody has read them; None to ask the database.

    Raises:
        UnitUnknown: None is called so, or several are.
    """
    found = await unit_store.units_called(conn, text) if tree is None else tree.called(text)
    exact = [one for one in found if one.code == text] or found
    if len(exact) == 1:
        return exact[0]
    if not exact and not (await unit_store.any_unit(conn) if tree is None else tree):
        return None
    reason = f"{len(exact)} units are called so: name it by its code" if exact else "no unit has this code or name"
    raise UnitUnknown(reason, unit=text)


async def get_unit(conn: Connection, unit: UUID) -> Unit:
    """Return a unit as registered last.

    Raises:
        UnitUnknown: There is none with this id.
    """
    found = await unit_store.newest_unit(conn, unit)
    if found is None:
        raise UnitUnknown(f"there is no unit {unit}", unit=str(unit))
    return found


async def subtree(conn: Connection, unit: UUID, *, on: date | None = None) -> frozenset[UUID]:
    """Return a unit and every unit below it, closed ones included; empty when nobody registered it.

    Args:
        on: On which day; None for today.
    """
    if on is None:
        return await unit_store.units_below(conn, unit)
    parents = _parents(await unit_store.unit_versions(conn), on)
    return frozenset(one for one in parents if one == unit or unit in _above(parents, one))


async def ancestors(conn: Connection, unit: UUID, *, on: date | None = None) -> tuple[UUID, ...]:
    """Return the units above a unit, the nearest first.

    Args:
        on: On which day; None for today.
    """
    if on is None:
        return await unit_store.units_above(conn, unit)
    return tuple(_above(_parents(await unit_store.unit_versions(conn), on), unit))


def _check_code(code: str | None, unit: UUID, tree: UnitTree) -> None:
    other = tree.with_code(code, but=unit)
    if other is not None:
        raise UnitCodeTaken(f"the code is that of {other.name}", unit=str(other.unit))


def _check_place(words: UnitWords, unit: UUID, tree: UnitTree) -> None:
    """Refuse a place in the tree that is below the unit itself, on whichever day."""
    if words.parent is None:
        return
    if words.parent != unit and not tree.versions_of(words.parent):
        raise UnitUnknown(f"there is no unit {words.parent}", unit=str(words.parent))
    for day, chain in tree.chains(words.parent, words.validity):
        if unit in chain:
            raise UnitInvalid(f"the unit would be below itself on {day}", parent=str(words.parent))
        if len(chain) >= DEPTH_MAX:
            raise UnitInvalid(f"more than {DEPTH_MAX} units would stand above one another")


def _parents(versions: Sequence[Unit], day: date) -> Mapping[UUID, UUID | None]:
    grouped: dict[UUID, list[Unit]] = {}
    for one in versions:
        grouped.setdefault(one.unit, []).append(one)
    counted = {unit: counting(known, day) for unit, known in grouped.items()}
    return {unit: one.parent for unit, one in counted.items() if one is not None}


def _above(parents: Mapping[UUID, UUID | None], unit: UUID) -> list[UUID]:
    chain: list[UUID] = []
    while (above := parents.get(chain[-1] if chain else unit)) is not None and above not in chain:
        chain.append(above)
    return chain
