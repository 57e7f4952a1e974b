"""Legal holds: what may not go, whatever its term. Placed with a basis, released by somebody else with a reason.

Everything that decides whether a clip may go takes the lock `retention`: holds and disposals alone, links to cases
beside each other. So a hold that was answered stands before any later disposal, and a disposal sees every hold before
it.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from evidence.cases.cases import get_case
from evidence.clips.store import clip_row
from evidence.core.clock import Clock, Entropy, format_time
from evidence.core.ids import uuid7
from evidence.core.wire.fields import NAME_CHARS_MAX
from evidence.custody.record import Recorded, record
from evidence.db.locks import lock_subject
from evidence.db.pool import Connection
from evidence.errors import ClipUnknown
from evidence.parties.names import REASON_CHARACTERS_MAX, check_name
from evidence.retention.errors import FourEyesRequired, HoldReleasedAlready, HoldUnknown, RetentionInvalid
from evidence.retention.store import Hold, find_hold, standing_holds
from evidence.retention.tombstones import RETENTION_SUBJECT, require_kept


async def holds_on(conn: Connection, clip: UUID) -> tuple[Hold, ...]:
    """Return the holds that keep a clip: its own, those of its cases, those of its recorders at its time."""
    return await standing_holds(conn, clip)


async def place_hold(
    conn: Connection,
    *,
    clip: UUID | None = None,
    case: UUID | None = None,
    recorder: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    basis: str,
    actor: str,
    clock: Clock,
    entropy: Entropy,
) -> tuple[UUID, Recorded]:
    """Place a hold on one clip, the clips of a case, or those of a recorder, in the caller's transaction.

    Args:
        since, until: Only recordings of a recorder from this time, or up to it; None for no bound.
        basis: By what right.

    Returns:
        The hold's id and its entry.

    Raises:
        RetentionInvalid: It is about nothing, or about two things, or its times are in no order.
        NameInvalid: A word is empty, too long, or has control characters.
        ClipUnknown, ClipDisposed, CaseUnknown: There is nothing to hold.
    """
    check_name(basis, characters_max=REASON_CHARACTERS_MAX)
    if sum(one is not None for one in (clip, case, recorder)) != 1:
        raise RetentionInvalid("a hold is about one clip, one case or one recorder")
    if recorder is None and (since is not None or until is not None):
        raise RetentionInvalid("only a hold on a recorder has times")
    if since is not None and until is not None and until <= since:
        raise RetentionInvalid("a hold ends after it begins")
    if recorder is not None:
        check_name(recorder, characters_max=NAME_CHARS_MAX)
    await lock_subject(conn, RETENTION_SUBJECT)
    if clip is not None:
        if await clip_row(conn, clip) is None:
            raise ClipUnknown(f"there is no clip {clip}", clip=str(clip))
        await require_kept(conn, clip)
    if case is not None:
        await get_case(conn, case)
    hold = uuid7(clock=clock, entropy=entropy)
    recorded = await record(
        conn,
        type="hold.placed",
        actor=actor,
        subject=f"hold:{hold}",
        payload={
            "hold": str(hold),
            "clip": None if clip is None else str(clip),
            "case": None if case is None else str(case),
            "recorder": recorder,
            "since": None if since is None else format_time(since),
            "until": None if until is None else format_time(until),
            "basis": basis,
        },
        clock=clock,
        entropy=entropy,
    )
    return hold, recorded


async def release_hold(
    conn: Connection, *, hold: UUID, reason: str, actor: str, clock: Clock, entropy: Entropy
) -> Recorded:
    """Release a hold, in the caller's transaction.

    Raises:
        NameInvalid: The reason is empty, too long, or has control characters.
        HoldUnknown, HoldReleasedAlready: There is none that stands.
        FourEyesRequired: Who placed it wants to release it.
    """
    check_name(reason, characters_max=REASON_CHARACTERS_MAX)
    await lock_subject(conn, RETENTION_SUBJECT)
    known = await find_hold(conn, hold)
    if known is None:
        raise HoldUnknown(f"there is no hold {hold}")
    if known.released_at is not None:
        raise HoldReleasedAlready("the hold was released before", hold=str(hold))
    if known.placed_by == actor:
        raise FourEyesRequired("who placed a hold does not release it")
    return await record(
        conn,
        type="hold.released",
        actor=actor,
        subject=f"hold:{hold}",
        payload={"hold": str(hold), "reason": reason},
        clock=clock,
        entropy=entropy,
    )
