"""Whose a clip is: put on record at its sealing, blocked from use where the registers do not tell, resolved by a
person.

`attribute_sealed` runs in the transaction that seals a clip, so there is no sealed clip of a register that is set up
without an attribution, whatever crashes. A clip that was sealed before this existed, or before the agency had
registered anybody, is caught up with by housekeeping (`catch_up`), clip by clip; until then it is judged whenever
somebody asks, by the same code. What is on record is not judged again when a register changes: who finds a flagged
clip in order says so by name and with a reason.

| Broken off | Left behind | What goes on |
|---|---|---|
| before the seal's commit | neither clip nor attribution | recovery seals again, and attributes |
| after it | both | nothing |
| while catching up, before a commit | clips without attribution | the next round |
| before a resolution's commit | the clip stays blocked | the person asks again |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from evidence.core.clock import Clock, Entropy, format_time
from evidence.core.wire.docking import take_docking
from evidence.custody.record import record
from evidence.db.locks import lock_subject
from evidence.db.pool import Connection, Pool
from evidence.errors import ClipUnknown, WireError
from evidence.parties.names import REASON_CHARACTERS_MAX, check_name
from evidence.recorders.errors import OfficerUnknown
from evidence.recorders.sighting import put_right
from evidence.registers import attribution_store, recorder_store
from evidence.registers.attribution_store import AttributionRow, SourceRow
from evidence.registers.errors import ClipBlocked, RegisterStale, ResolutionInvalid
from evidence.registers.judging import FLAGS, Known, Origin, RecordTime, Verdict, judge, record_time
from evidence.registers.officer_store import Officer, find_officer, officer_called, officer_versions
from evidence.registers.validity import counting, day_of

BATCH = 50
"""Clips that one call of `catch_up` takes, each in a transaction of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """Whose a clip is.

    Attributes:
        version: Of what is on record; 0 while nothing is, and the rest is as it would be recorded now.
        officer, unit: None where nobody can tell.
        flags: Of `evidence.registers.judging.FLAGS`.
        blocked: Whether it must not be used yet.
        recorded_at, basis: When it was recorded, and what that was read from.
        reason, by: Of the person who resolved it.
    """

    clip: UUID
    version: int
    officer: UUID | None
    unit: UUID | None
    flags: tuple[str, ...]
    blocked: bool
    recorded_at: datetime | None
    basis: str | None
    reason: str | None = None
    by: str | None = None


async def attribution_of(conn: Connection, clip: UUID) -> Attribution:
    """Return whose a clip is: as on record, else as the registers tell now.

    Raises:
        ClipUnknown: There is no such clip.
    """
    row = await attribution_store.newest_attribution(conn, clip)
    if row is not None:
        return shown(row)
    judged = await _judged(conn, clip)
    if judged is None:
        return Attribution(
            clip=clip,
            version=0,
            officer=None,
            unit=None,
            flags=("register_empty",),
            blocked=False,
            recorded_at=None,
            basis=None,
        )
    verdict, when = judged
    return Attribution(
        clip=clip,
        version=0,
        officer=verdict.officer,
        unit=verdict.unit,
        flags=verdict.flags,
        blocked=verdict.blocked,
        recorded_at=when.at,
        basis=when.basis,
    )


async def require_usable(conn: Connection, clip: UUID) -> None:
    """Refuse a clip that must not be used yet: put into a case, exported, reviewed.

    Raises:
        ClipBlocked: Whose it is, is not settled; `details` tells the flags and where to resolve it.
        ClipUnknown: There is no such clip.
    """
    found = await attribution_of(conn, clip)
    if found.blocked:
        reasons = "; ".join(FLAGS[flag] for flag in found.flags)
        raise ClipBlocked(
            f"{reasons}. A named person resolves it with a reason",
            clip=str(clip),
            flags=list(found.flags),
            resolve=f"POST /v1/clips/{clip}/attribution/resolution",
        )


async def attribute_sealed(conn: Connection, clip: UUID, *, clock: Clock, entropy: Entropy) -> None:
    """Put on record whose a clip is, in the transaction that seals it or another source of it.

    Nothing is recorded while the register is empty, nor over what is on record, unless that knew no recorder: what a
    person sent first may come from its recorder later.
    """
    await _lock(conn, clip)
    present = await attribution_store.newest_attribution(conn, clip)
    if present is not None and "no_recorder" not in present.flags:
        return
    judged = await _judged(conn, clip)
    if judged is None:
        return
    verdict, when = judged
    if present is not None and "no_recorder" in verdict.flags:
        return
    await record(
        conn,
        type="clip.attributed",
        actor="service",
        subject=f"clip:{clip}",
        payload={
            "clip": str(clip),
            "version": present.version + 1 if present else 1,
            "officer": None if verdict.officer is None else str(verdict.officer),
            "unit": None if verdict.unit is None else str(verdict.unit),
            "flags": list(verdict.flags),
            "blocked": verdict.blocked,
            "recorded_at": None if when.at is None else format_time(when.at),
            "basis": when.basis,
        },
        clock=clock,
        entropy=entropy,
    )


async def resolve(
    conn: Connection,
    *,
    clip: UUID,
    officer: str | None,
    reason: str,
    expected_version: int,
    actor: str,
    clock: Clock,
    entropy: Entropy,
) -> AttributionRow:
    """Say by name and with a reason whose a blocked clip is, in the caller's transaction.

    Args:
        officer: The officer's number; None keeps what the registers told, nobody included.
        expected_version: The version of the attribution that was seen.

    Raises:
        ClipUnknown: There is no such clip.
        OfficerUnknown: Nobody bears this number.
        NameInvalid: The reason is empty, too long, or has control characters.
        ResolutionInvalid: The clip is not blocked.
        RegisterStale: The attribution has another version by now.
    """
    check_name(reason, characters_max=REASON_CHARACTERS_MAX)
    await _lock(conn, clip)
    found = await attribution_of(conn, clip)
    if expected_version != found.version:
        raise RegisterStale(f"the attribution is at version {found.version}", version=found.version)
    if not found.blocked:
        raise ResolutionInvalid("nothing about whose this clip is waits for anybody")
    if found.version == 0:
        # What is resolved stands on record first.
        await attribute_sealed(conn, clip, clock=clock, entropy=entropy)
        found = await attribution_of(conn, clip)
    named = None if officer is None else await find_officer(conn, number=officer)
    if officer is not None and named is None:
        raise OfficerUnknown("nobody bears this number")
    whose = found.officer if named is None else named.officer
    await record(
        conn,
        type="clip.attribution_resolved",
        actor=actor,
        subject=f"clip:{clip}",
        payload={
            "clip": str(clip),
            "version": found.version + 1,
            "officer": None if whose is None else str(whose),
            "unit": await _unit_on(conn, named, found),
            "flags": list(found.flags),
            "recorded_at": None if found.recorded_at is None else format_time(found.recorded_at),
            "basis": found.basis,
            "reason": reason,
        },
        clock=clock,
        entropy=entropy,
    )
    resolved = await attribution_store.newest_attribution(conn, clip)
    assert resolved is not None  # noqa: S101 - recorded just before
    return resolved


async def catch_up(pool: Pool, *, after: UUID, clock: Clock, entropy: Entropy) -> UUID | None:
    """Attribute a few clips behind `after` that nothing is on record about; return the last, None at the end."""
    async with pool.acquire() as conn:
        if await attribution_store.register_began(conn) is None:
            return None
        clips = await attribution_store.unattributed(conn, after=after, limit=BATCH)
        for clip in clips:
            async with conn.transaction():
                await attribute_sealed(conn, clip, clock=clock, entropy=entropy)
    return clips[-1] if clips else None


def shown(row: AttributionRow) -> Attribution:
    """Show what is on record."""
    return Attribution(
        clip=row.clip,
        version=row.version,
        officer=row.officer,
        unit=row.unit,
        flags=row.flags,
        blocked=row.blocked,
        recorded_at=row.recorded_at,
        basis=row.basis,
        reason=row.reason,
        by=None if row.reason is None else row.attributed_by,
    )


async def _judged(conn: Connection, clip: UUID) -> tuple[Verdict, RecordTime] | None:
    """Judge a clip by the registers as they are; None while they are empty."""
    source = await attribution_store.source_of(conn, clip)
    if source is None:
        raise ClipUnknown(f"there is no clip {clip}", clip=str(clip))
    if source.began_at is None:
        return None
    origin = Origin(
        recorder=source.recorder,
        stated=source.officer,
        named_at=source.recorded_at,
        modified_at=source.modified_at,
        offset_ms=_offset_ms(source.docking),
        received_at=source.received_at,
        before_register=source.sealed_at < source.began_at,
    )
    when = record_time(origin)
    return judge(origin, await _known(conn, source, at=when.at or source.received_at), when.at), when


async def _known(conn: Connection, source: SourceRow, *, at: datetime) -> Known:
    dock_unit = None if source.dock is None else await recorder_store.unit_of_dock(conn, source.dock)
    if source.recorder is None:
        return Known(unit=dock_unit)
    words = await recorder_store.newest_registration(conn, source.recorder)
    holder = await recorder_store.holder_at(conn, recorder=source.recorder, at=at)
    named = None if source.officer is None else await officer_called(conn, source.officer)
    return Known(
        is_fixed=words is not None and words.kind == "fixed_camera",
        unit=words.unit if words is not None and words.unit is not None else dock_unit,
        holder=() if holder is None else await officer_versions(conn, holder),
        named=() if named is None else await officer_versions(conn, named),
    )


async def _lock(conn: Connection, clip: UUID) -> None:
    # The very lock of the clip's search document, which each of these entries takes anyway: no order to get wrong.
    await lock_subject(conn, f"search:{clip}")


async def _unit_on(conn: Connection, named: Officer | None, found: Attribution) -> str | None:
    unit = found.unit
    if named is not None:
        versions = await officer_versions(conn, named.officer)
        then = None if found.recorded_at is None else counting(versions, day_of(found.recorded_at))
        unit = (then or named).unit_id or unit
    return None if unit is None else str(unit)


def _offset_ms(docking: Mapping[str, Any] | None) -> int:
    """Return the recorder's clock minus the service's as the dock measured it; 0 where it could not."""
    if docking is None:
        return 0
    try:
        said = take_docking(dict(docking), where="docking")
    except WireError:
        # Nobody reads it anew: the statement was judged when it was taken, by the rules of its own time.
        return 0
    if said.recorder_clock is None:
        return 0
    read_at = put_right(said.recorder_clock.read_at, offset_ms=said.clock.offset_ms if said.clock else 0)
    return int((said.recorder_clock.shown - read_at).total_seconds() * 1000)
