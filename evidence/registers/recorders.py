"""What recorders are and where docks stand: each change an entry, the newest counts.

A recorder is known by the number that docks read. It is a body-worn recorder or a fixed camera, of a unit, in use, in
repair or retired. Who carries it when is another matter (`evidence.recorders.register`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from evidence.core.clock import Clock, Entropy
from evidence.core.ids import uuid7
from evidence.core.wire.fields import NAME_CHARS_MAX
from evidence.custody.record import record
from evidence.db.locks import lock_subject
from evidence.db.pool import Connection
from evidence.parties.errors import DockUnknown
from evidence.parties.names import check_name
from evidence.parties.store import find_dock
from evidence.registers.errors import RegisterStale
from evidence.registers.recorder_store import newest_registration
from evidence.registers.units import get_unit


class RecorderKind(StrEnum):
    """What a recorder is."""

    BODY_WORN = "body_worn"
    FIXED_CAMERA = "fixed_camera"


class RecorderState(StrEnum):
    """Whether a recorder is used."""

    IN_USE = "in_use"
    REPAIR = "repair"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderFacts:
    """What somebody says of a recorder; `unit` a registered one."""

    recorder: str
    kind: RecorderKind = RecorderKind.BODY_WORN
    state: RecorderState = RecorderState.IN_USE
    serial: str | None = None
    model: str | None = None
    unit: UUID | None = None


@dataclass(frozen=True, slots=True)
class RecorderOnRecord:
    """A recorder's version and the ledger entry that states it."""

    version: int
    entry_id: UUID


async def register_recorder(
    conn: Connection,
    facts: RecorderFacts,
    *,
    actor: str,
    clock: Clock,
    entropy: Entropy,
    expected_version: int | None = None,
) -> RecorderOnRecord:
    """Say what a recorder is, in the caller's transaction.

    Args:
        expected_version: The version that this is about, 0 for none; None when it does not matter.

    Raises:
        NameInvalid: A word is empty, too long, or has control characters.
        UnitUnknown: There is no such unit.
        RegisterStale: There is another version by now.
    """
    for word in (facts.recorder, facts.serial, facts.model):
        if word is not None:
            check_name(word, characters_max=NAME_CHARS_MAX)
    if facts.unit is not None:
        await get_unit(conn, facts.unit)
    await lock_subject(conn, "registered-recorders")
    known = await newest_registration(conn, facts.recorder)
    present = known.version if known else 0
    if expected_version is not None and present != expected_version:
        raise RegisterStale(f"the recorder is at version {present}", version=present)
    registration = uuid7(clock=clock, entropy=entropy)
    recorded = await record(
        conn,
        type="recorder.registered",
        actor=actor,
        subject=f"registration:{registration}",
        payload={
            "registration": str(registration),
            "recorder": facts.recorder,
            "version": present + 1,
            "kind": facts.kind.value,
            "serial": facts.serial,
            "model": facts.model,
            "unit": None if facts.unit is None else str(facts.unit),
            "state": facts.state.value,
        },
        clock=clock,
        entropy=entropy,
    )
    return RecorderOnRecord(present + 1, recorded.entry_id)


async def place_dock(
    conn: Connection, *, dock: UUID, unit: UUID | None, actor: str, clock: Clock, entropy: Entropy
) -> UUID:
    """Say in which unit a dock stands from now on, in the caller's transaction; return the ledger entry's id.

    Raises:
        DockUnknown: There is no such dock.
        UnitUnknown: There is no such unit.
    """
    if await find_dock(conn, dock) is None:
        raise DockUnknown("there is no such dock")
    if unit is not None:
        await get_unit(conn, unit)
    recorded = await record(
        conn,
        type="dock.placed",
        actor=actor,
        subject=f"dock:{dock}",
        payload={"dock": str(dock), "unit": None if unit is None else str(unit)},
        clock=clock,
        entropy=entropy,
    )
    return recorded.entry_id
