"""Granting and withdrawing access, and putting classes on clips: each an entry in the ledger.

Grants are never changed: one is withdrawn and another made. A class is put on a clip or taken off by stating the whole
set anew; whoever does not hold a class cannot know of the clip that bears it, and so cannot take it off either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from evidence.access.classes import access_classes, checked_classes
from evidence.access.errors import AccessInvalid, GrantUnknown, GrantWithdrawn
from evidence.access.grant_store import find_grant
from evidence.clips.store import clip_row
from evidence.core.clock import Clock, Entropy, format_time
from evidence.core.ids import uuid7
from evidence.custody.access_payloads import GRANT_CASES_MAX, GRANT_UNITS_MAX
from evidence.custody.record import record
from evidence.db.locks import lock_subject
from evidence.db.pool import Connection
from evidence.errors import ClipUnknown
from evidence.parties.names import REASON_CHARACTERS_MAX, check_name
from ledger.canonical import JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What shall be granted to a person; `until` None until it is withdrawn."""

    staff: UUID
    units: Sequence[UUID] = ()
    all_units: bool = False
    cases: Sequence[UUID] = ()
    classes: Sequence[str] = ()
    until: datetime | None = None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantedAccess:
    """A grant on record."""

    grant: UUID
    entry_id: UUID


async def grant_access(
    conn: Connection, wanted: Wanted, *, actor: str, clock: Clock, entropy: Entropy
) -> GrantedAccess:
    """Grant a person access, in the caller's transaction.

    Raises:
        AccessInvalid: Nothing is granted, too much at once, an unknown class, or an end that has passed.
        NameInvalid: The reason is empty or not printable.
    """
    check_name(wanted.reason, characters_max=REASON_CHARACTERS_MAX)
    classes = checked_classes(wanted.classes)
    units, cases = _ids(wanted.units, GRANT_UNITS_MAX), _ids(wanted.cases, GRANT_CASES_MAX)
    if not (units or wanted.all_units or cases or classes):
        raise AccessInvalid("a grant names units, cases, classes or all units")
    if wanted.until is not None and wanted.until <= clock():
        raise AccessInvalid("the grant would have ended before it began", until=format_time(wanted.until))
    grant = uuid7(clock=clock, entropy=entropy)
    recorded = await record(
        conn,
        type="access.granted",
        actor=actor,
        subject=f"staff:{wanted.staff}",
        payload={
            "grant": str(grant),
            "staff": str(wanted.staff),
            "units": units,
            "all_units": wanted.all_units,
            "cases": cases,
            "classes": list[JsonValue](classes),
            "until": None if wanted.until is None else format_time(wanted.until),
            "reason": wanted.reason,
        },
        clock=clock,
        entropy=entropy,
    )
    return GrantedAccess(grant=grant, entry_id=recorded.entry_id)


async def withdraw_access(
    conn: Connection, grant: UUID, *, reason: str, actor: str, clock: Clock, entropy: Entropy
) -> UUID:
    """Withdraw a grant, in the caller's transaction; return the entry.

    Raises:
        GrantUnknown: There is no such grant.
        GrantWithdrawn: It was withdrawn before.
        NameInvalid: The reason is empty or not printable.
    """
    check_name(reason, characters_max=REASON_CHARACTERS_MAX)
    await lock_subject(conn, f"grant:{grant}")
    known = await find_grant(conn, grant)
    if known is None:
        raise GrantUnknown(f"there is no grant {grant}", grant=str(grant))
    if known.withdrawn_at is not None:
        raise GrantWithdrawn("the grant has been withdrawn", withdrawn_at=format_time(known.withdrawn_at))
    recorded = await record(
        conn,
        type="access.withdrawn",
        actor=actor,
        subject=f"staff:{known.staff}",
        payload={"grant": str(grant), "staff": str(known.staff), "reason": reason},
        clock=clock,
        entropy=entropy,
    )
    return recorded.entry_id


async def classify_clip(
    conn: Connection, clip: UUID, *, classes: Sequence[str], reason: str, actor: str, clock: Clock, entropy: Entropy
) -> UUID:
    """State which classes a clip bears from now on, in the caller's transaction; return the entry.

    Raises:
        ClipUnknown: There is no such clip.
        AccessInvalid: A class is unknown or retired.
        NameInvalid: The reason is empty or not printable.
    """
    check_name(reason, characters_max=REASON_CHARACTERS_MAX)
    wanted = checked_classes(classes)
    if await clip_row(conn, clip) is None:
        raise ClipUnknown(f"there is no clip {clip}", clip=str(clip))
    recorded = await record(
        conn,
        type="clip.classified",
        actor=actor,
        subject=f"clip:{clip}",
        payload={
            "clip": str(clip),
            "edition": access_classes().version,
            "classes": list[JsonValue](wanted),
            "reason": reason,
        },
        clock=clock,
        entropy=entropy,
    )
    return recorded.entry_id


def _ids(given: Sequence[UUID], most: int) -> list[JsonValue]:
    if len(given) > most:
        raise AccessInvalid(f"at most {most} at once, not {len(given)}")
    return [str(one) for one in sorted(set(given))]
