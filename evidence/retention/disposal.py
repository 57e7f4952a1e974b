"""Disposal as a legal act: appraised by one person, approved by another, carried out clip by clip, on record.

Order of effects for each clip of an approved appraisal:

1. the locks of its copies are looked at; one that has not       crash: nothing happened
   ended puts the clip off until then
2. ONE transaction, alone with everything that may keep a        crash before the commit: nothing happened;
   clip: term, holds and cases are judged again; entry           after it: the clip answers 410, its objects are
   `clip.disposed`, the tombstone; tickets are taken back        there still, and whoever comes next removes them
3. the published log contains the entry                          crash: the same
4. the copies go, every version, then the local objects          crash: some are gone; the next round removes the rest
   (`evidence.retention.removal`)

So at any moment there is the object or the tombstone, or both, and never neither; and no byte goes before its
tombstone is where nobody can take it back. Entries, payloads, digests, leaf hashes and receipts stay and verify as
before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from evidence.core.clock import Clock, Entropy
from evidence.core.ids import uuid7
from evidence.custody.record import Recorded, record
from evidence.db.locks import lock_subject
from evidence.db.pool import Connection
from evidence.parties.names import REASON_CHARACTERS_MAX, check_name
from evidence.retention.disposal_store import (
    Appraisal,
    OwnObject,
    copies_elsewhere,
    drop_tickets,
    find_appraisal,
    find_tombstone,
    objects_of,
)
from evidence.retention.errors import AppraisalDecided, AppraisalUnknown, FourEyesRequired, NotDue
from evidence.retention.rules import Retention, may_go
from evidence.retention.schedules import Keeper
from evidence.retention.store import clip_facts
from evidence.retention.tombstones import RETENTION_SUBJECT
from ledger.canonical import JsonObject

CLIPS_MAX = 1000
_REASONS_SHOWN = 20

LOCAL = "local"
"""What entries call the store of this house."""


@dataclass(frozen=True, slots=True)
class Appraised:
    """An appraisal on record."""

    appraisal: UUID
    entry_id: UUID
    at: datetime


async def appraise(
    conn: Connection, *, clips: Sequence[UUID], reason: str, actor: str, clock: Clock, entropy: Entropy
) -> Appraised:
    """Propose to dispose of clips, in the caller's transaction; all of them may go, or nothing is proposed.

    Args:
        clips: At most `CLIPS_MAX`, each once.

    Raises:
        NameInvalid: The reason is empty, too long, or has control characters.
        NotDue: One of them may not go; `details["clips"]` says why, of the first ones.
    """
    check_name(reason, characters_max=REASON_CHARACTERS_MAX)
    if not 0 < len(clips) <= CLIPS_MAX or len(set(clips)) != len(clips):
        raise NotDue(f"an appraisal is about 1 to {CLIPS_MAX} clips, each once")
    await lock_subject(conn, RETENTION_SUBJECT)
    keeper = await Keeper.read(conn, clock=clock)
    facts = await clip_facts(conn, clips)
    judged = {clip: keeper.judge(one) for clip, one in facts.items()}
    refused = {str(clip): why for clip in clips if (why := _why_not(judged.get(clip)))}
    if refused:
        shown = dict(list(refused.items())[:_REASONS_SHOWN])
        raise NotDue(f"{len(refused)} of {len(clips)} clips may not be disposed of", clips=shown)
    appraisal = uuid7(clock=clock, entropy=entropy)
    recorded = await record(
        conn,
        type="disposal.appraised",
        actor=actor,
        subject=f"appraisal:{appraisal}",
        payload={
            "appraisal": str(appraisal),
            "reason": reason,
            "clips": [
                {
                    "clip": str(clip),
                    "sha256": facts[clip].sha256.hex(),
                    "size": facts[clip].size,
                    "expired_on": _expired_on(judged[clip]),
                    "because": list(judged[clip].because),
                }
                for clip in clips
            ],
        },
        clock=clock,
        entropy=entropy,
    )
    return Appraised(appraisal, recorded.entry_id, recorded.at)


async def decide(
    conn: Connection, *, appraisal: UUID, approve: bool, reason: str, actor: str, clock: Clock, entropy: Entropy
) -> Recorded:
    """Approve or refuse an appraisal as a whole, in the caller's transaction.

    Raises:
        NameInvalid: The reason is empty, too long, or has control characters.
        AppraisalUnknown, AppraisalDecided: There is none that is open.
        FourEyesRequired: Who appraised wants to decide.
    """
    check_name(reason, characters_max=REASON_CHARACTERS_MAX)
    await lock_subject(conn, RETENTION_SUBJECT)
    known = await get_appraisal(conn, appraisal)
    if known.approved is not None:
        raise AppraisalDecided("the appraisal was decided before", appraisal=str(appraisal))
    if known.appraised_by == actor:
        raise FourEyesRequired("who appraised does not decide")
    return await record(
        conn,
        type="disposal.approved" if approve else "disposal.refused",
        actor=actor,
        subject=f"appraisal:{appraisal}",
        payload={"appraisal": str(appraisal), "reason": reason},
        clock=clock,
        entropy=entropy,
    )


async def get_appraisal(conn: Connection, appraisal: UUID) -> Appraisal:
    """Return an appraisal.

    Raises:
        AppraisalUnknown: There is none with this id.
    """
    known = await find_appraisal(conn, appraisal)
    if known is None:
        raise AppraisalUnknown(f"there is no appraisal {appraisal}")
    return known


async def bury(
    conn: Connection,
    *,
    clip: UUID,
    appraisal: UUID,
    stores: Sequence[str],
    actor: str,
    clock: Clock,
    entropy: Entropy,
) -> list[OwnObject]:
    """Put up a clip's tombstone, in the caller's transaction; asked again, nothing more.

    Args:
        stores: From where its objects will be removed.

    Returns:
        What is to be removed once the entry is published.

    Raises:
        NotDue: It may not go any more: held, in a case, kept for longer, not approved, or copied to a store that is not
            at hand.
    """
    await lock_subject(conn, RETENTION_SUBJECT)
    objects = [one for one in await objects_of(conn, clip) if not one.shared]
    if await find_tombstone(conn, clip) is not None:
        return objects
    known = await get_appraisal(conn, appraisal)
    if not known.approved or known.decided_by == known.appraised_by:
        raise NotDue("the appraisal is not approved by another person", appraisal=str(appraisal))
    facts = (await clip_facts(conn, [clip])).get(clip)
    judged = None if facts is None else (await Keeper.read(conn, clock=clock)).judge(facts)
    if judged is None or not may_go(judged.state):
        why = _why_not(judged) or ""
        raise NotDue(f"it may not be disposed of any more: {why}", clips={str(clip): why})
    if elsewhere := await copies_elsewhere(conn, clip=clip, here=stores):
        raise NotDue(f"copies of clip {clip} are in {elsewhere[0]}, which is not at hand", stores=elsewhere)
    stated: list[JsonObject] = [{"kind": one.kind, "sha256": one.sha256.hex(), "size": one.size} for one in objects]
    await record(
        conn,
        type="clip.disposed",
        actor=actor,
        subject=f"clip:{clip}",
        payload={
            "clip": str(clip),
            "appraisal": str(appraisal),
            "expired_on": _expired_on(judged),
            "because": list(judged.because),
            "objects": list(stated),
            "stores": list(stores),
        },
        clock=clock,
        entropy=entropy,
    )
    await drop_tickets(conn, clip)
    return objects


def _why_not(judged: Retention | None) -> str | None:
    if judged is None:
        return "there is no such clip, or not any more"
    if may_go(judged.state):
        return None
    until = "for ever" if judged.kept_through is None else f"through {judged.kept_through}"
    return f"{judged.state}, {until}: {'; '.join(judged.because)}"


def _expired_on(judged: Retention) -> str:
    assert judged.kept_through is not None  # noqa: S101 - what may go has a term
    return judged.kept_through.isoformat()
