"""Schedules of how long recordings are kept: versioned data with effective dates, and what they mean for a clip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from uuid import UUID

from pydantic import ValidationError

from evidence.calendar.loading import calendar_in_force
from evidence.calendar.workdays import WorkCalendar, day_of, end_of
from evidence.clips.store import clip_row
from evidence.core.clock import Clock, Entropy
from evidence.core.ids import uuid7
from evidence.custody.record import Recorded, record
from evidence.custody.retention_payloads import MONTHS_MIN, RetentionScheduled
from evidence.db.locks import lock_subject
from evidence.db.pool import Connection
from evidence.errors import ClipUnknown
from evidence.retention.errors import RetentionInvalid
from evidence.retention.rules import Facts, Retention, State, after_months, retention_of
from evidence.retention.store import ClipFacts, clip_facts, old_clips, schedules
from evidence.retention.tombstones import RETENTION_SUBJECT, require_kept

_SCANNED_AT_ONCE = 500


async def state_schedule(
    conn: Connection, *, content: Mapping[str, object], actor: str, clock: Clock, entropy: Entropy
) -> tuple[UUID, Recorded]:
    """Put a schedule on record, in the caller's transaction.

    Args:
        content: `effective_from` (today or later), `rules`, and `months` and `citation` for what no rule fits.

    Returns:
        The schedule's id and its entry.

    Raises:
        RetentionInvalid: It breaks its form, keeps something for less than six months, or begins in the past.
    """
    schedule = uuid7(clock=clock, entropy=entropy)
    try:
        body = RetentionScheduled.model_validate({**content, "schedule": str(schedule)})
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise RetentionInvalid(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    await lock_subject(conn, RETENTION_SUBJECT)
    today = day_of(clock(), await calendar_in_force(conn))
    if body.effective_from < today:
        raise RetentionInvalid(f"a schedule begins today, {today}, or later")
    recorded = await record(
        conn,
        type="retention.scheduled",
        actor=actor,
        subject=f"schedule:{schedule}",
        payload=body.model_dump(mode="json"),
        clock=clock,
        entropy=entropy,
    )
    return schedule, recorded


class Keeper:
    """Says how long clips are kept, as of one moment: schedules and calendar are read once."""

    def __init__(self, known: Sequence[RetentionScheduled], calendar: WorkCalendar, today: date) -> None:
        self._known = known
        self._calendar = calendar
        self.today = today

    @classmethod
    async def read(cls, conn: Connection, *, clock: Clock) -> Keeper:
        """Read what counts now."""
        calendar = await calendar_in_force(conn)
        return cls([one.content for one in await schedules(conn)], calendar, day_of(clock(), calendar))

    def judge(self, facts: ClipFacts) -> Retention:
        """Say how long a clip is kept."""
        return retention_of(
            Facts(
                sealed_on=day_of(facts.sealed_at, self._calendar),
                item=facts.item,
                key_mark=facts.key_mark,
                cases=[(one["number"], one.get("kind")) for one in facts.cases],
                holds=facts.holds,
            ),
            self._known,
            today=self.today,
        )

    async def due(self, conn: Connection, *, after: UUID | None, limit: int) -> tuple[list[Due], UUID | None]:
        """Return clips whose term is over and that nothing holds, in order of ids behind `after`, and where to go on.

        A page may be short and have one behind it: many old clips may be kept for longer.
        """
        latest = end_of(_months_before(self.today, MONTHS_MIN), self._calendar)
        found: list[Due] = []
        seen = await old_clips(conn, sealed_before=latest, after=after, limit=_SCANNED_AT_ONCE)
        for facts in seen:
            judged = self.judge(facts)
            if judged.state is State.EXPIRED:
                found.append((facts, judged))
                if len(found) == limit:
                    return found, facts.clip
        return found, seen[-1].clip if len(seen) == _SCANNED_AT_ONCE else None


Due = tuple[ClipFacts, Retention]
"""A clip and what is said of it."""


async def clip_retention(conn: Connection, clip: UUID, *, clock: Clock) -> Retention:
    """Say how long one clip is kept.

    Raises:
        ClipUnknown, ClipDisposed: There is none, or not any more.
    """
    if await clip_row(conn, clip) is None:
        raise ClipUnknown(f"there is no clip {clip}", clip=str(clip))
    await require_kept(conn, clip)
    keeper = await Keeper.read(conn, clock=clock)
    return keeper.judge((await clip_facts(conn, [clip]))[clip])


def _months_before(day: date, months: int) -> date:
    """Return the last day from which so many months lead to a day or before it."""
    reached = day - timedelta(days=28 * months)
    while after_months(reached, months) > day:
        reached -= timedelta(days=1)
    return reached
