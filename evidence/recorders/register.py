"""The register: whose which recorder is, and what people say about findings. Each is an entry of the ledger.

A recorder is one officer's from a moment on until the next assignment; a moment in the past is allowed, for
recorders change hands before somebody sits down to write it, and the entry shows when that was.
"""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from evidence.core.clock import Clock, Entropy, format_time
from evidence.core.ids import uuid7
from evidence.core.wire.fields import NAME_CHARS_MAX
from evidence.custody.record import record
from evidence.db.pool import Connection
from evidence.parties.names import REASON_CHARACTERS_MAX, check_name
from evidence.recorders.errors import AssignmentInvalid, FindingUnknown, OfficerUnknown, RecorderUnknown
from evidence.recorders.register_store import recorder_is_known
from evidence.recorders.store import find_finding
from evidence.registers.officer_store import Officer, find_officer

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Nobody carried such a recorder before."""


async def assign_recorder(
    conn: Connection,
    *,
    recorder: str,
    number: str | None,
    since: datetime | None,
    actor: str,
    clock: Clock,
    entropy: Entropy,
) -> UUID:
    """Give a recorder to an officer, or take it back, in the caller's transaction; return the ledger entry's id.

    Args:
        number: The officer's; None when the recorder is nobody's from then on.
        since: From when on; None for now.

    Raises:
        NameInvalid: No recorder can have such a number.
        OfficerUnknown: Nobody bears this number.
        AssignmentInvalid: `since` lies in the future, or before `EARLIEST`.
    """
    check_name(recorder, characters_max=NAME_CHARS_MAX)
    officer = None if number is None else await _officer(conn, number)
    now = clock()
    if since is not None and not EARLIEST <= since <= now:
        raise AssignmentInvalid("a recorder is somebody's from now or from a moment in the past on")
    assignment = uuid7(clock=clock, entropy=entropy)
    recorded = await record(
        conn,
        type="recorder.assigned",
        actor=actor,
        subject=f"assignment:{assignment}",
        payload={
            "assignment": str(assignment),
            "recorder": recorder,
            "officer": None if officer is None else str(officer.officer),
            "since": format_time(since or now),
        },
        clock=clock,
        entropy=entropy,
    )
    return recorded.entry_id


async def explain_finding(
    conn: Connection,
    *,
    recorder: str,
    finding: UUID,
    place: int,
    text: str,
    actor: str,
    clock: Clock,
    entropy: Entropy,
) -> UUID:
    """Say how a finding came about, in the caller's transaction; return the ledger entry's id. It stays on record.

    Raises:
        FindingUnknown: There is no such finding about this recorder.
        NameInvalid: The text is empty, too long, or has control characters.
    """
    check_name(text, characters_max=REASON_CHARACTERS_MAX)
    known = await find_finding(conn, finding=finding, place=place)
    if known is None or known.recorder != recorder:
        raise FindingUnknown("there is no such finding about this recorder")
    recorded = await record(
        conn,
        type="recorder.finding_explained",
        actor=actor,
        subject=f"finding:{finding}",
        payload={"finding": str(finding), "place": place, "recorder": recorder, "text": text},
        clock=clock,
        entropy=entropy,
    )
    return recorded.entry_id


async def require_recorder(conn: Connection, recorder: str) -> None:
    """Refuse the number of a recorder that nobody has heard of.

    Raises:
        RecorderUnknown: There is none.
    """
    if not await recorder_is_known(conn, recorder):
        raise RecorderUnknown("no dock saw this recorder, and nobody was given it")


async def _officer(conn: Connection, number: str) -> Officer:
    found = await find_officer(conn, number=number)
    if found is None:
        raise OfficerUnknown("nobody bears this number")
    return found
