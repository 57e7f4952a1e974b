"""SQL of what administrators do about the outbox by hand: pausing, and sending again what was given up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from evidence.db.pool import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """A message that was given up and is to be sent again, and how it is told."""

    subscription: UUID
    log_index: int
    url: str
    detail: str
    until: datetime
    secrets: list[bytes] = field(repr=False)


_SECRETS = """CASE WHEN c.before_until > $1 AND c.secret_before IS NOT NULL
              THEN ARRAY[c.secret, c.secret_before] ELSE ARRAY[c.secret] END AS secrets"""


async def set_pause(conn: Connection, subscription: UUID, *, at: datetime | None) -> None:
    """Tell a platform nothing for now, from a time on; None goes on, at once and where it stood."""
    await conn.execute(
        """UPDATE outbox_cursor SET paused_at = CASE WHEN $2::timestamptz IS NULL THEN NULL
                                                     ELSE coalesce(paused_at, $2) END,
                                    retry_at = CASE WHEN $2::timestamptz IS NULL AND paused_at IS NOT NULL
                                                    THEN least(retry_at, now()) ELSE retry_at END,
                                    lease = CASE WHEN $2::timestamptz IS NULL THEN lease END
           WHERE subscription = $1""",
        *(subscription, at),
    )


async def ask_again(conn: Connection, subscription: UUID, entries: Sequence[UUID] | None, *, at: datetime) -> int:
    """Have messages that were given up sent again, all of them for None; return how many are waiting for it now."""
    status = await conn.execute(
        """UPDATE outbox_dead SET again_at = coalesce(again_at, $2)
           WHERE subscription = $1 AND ($3::uuid[] IS NULL OR entry_id = ANY($3))""",
        *(subscription, at, None if entries is None else list(entries)),
    )
    return int(status.rpartition(" ")[2])


async def take_again(conn: Connection, *, until: datetime, now: datetime) -> Again | None:
    """Take the message that has waited longest to be sent again, until a time; None when there is none."""
    row = await conn.fetchrow(
        f"""UPDATE outbox_dead d SET again_at = $2
            FROM outbox_subscription s, outbox_cursor c
            WHERE s.subscription = d.subscription AND c.subscription = d.subscription
              AND (d.subscription, d.entry_id) = (
                  SELECT n.subscription, n.entry_id FROM outbox_dead n JOIN outbox_cursor m USING (subscription)
                  WHERE n.again_at <= $1 AND m.secret IS NOT NULL AND m.paused_at IS NULL
                    AND NOT EXISTS (SELECT FROM outbox_end e WHERE e.subscription = n.subscription)
                  ORDER BY n.again_at, n.log_index LIMIT 1 FOR UPDATE OF n SKIP LOCKED)
            RETURNING d.subscription, d.log_index, s.url, s.detail, d.again_at AS until, {_SECRETS}""",  # noqa: S608
        *(now, until),
    )
    return None if row is None else Again(**dict(row))


async def was_taken(conn: Connection, again: Again) -> None:
    """Forget a message that the platform has by now, unless somebody else has taken it meanwhile."""
    await conn.execute(
        "DELETE FROM outbox_dead WHERE subscription = $1 AND log_index = $2 AND again_at = $3",
        *(again.subscription, again.log_index, again.until),
    )


async def was_refused(conn: Connection, again: Again, *, problem: str, at: datetime) -> None:
    """Keep a message that was refused once more, with the reason, until somebody asks anew."""
    await conn.execute(
        """UPDATE outbox_dead SET again_at = NULL, problem = $4, given_up_at = $5
           WHERE subscription = $1 AND log_index = $2 AND again_at = $3""",
        *(again.subscription, again.log_index, again.until, problem, at),
    )


async def signing_secrets(conn: Connection, subscription: UUID, *, now: datetime) -> list[bytes]:
    """Return what a subscription's messages are signed with now; none before it has a secret."""
    row = await conn.fetchrow(
        f"SELECT {_SECRETS} FROM outbox_cursor c WHERE c.subscription = $2 AND c.secret IS NOT NULL",  # noqa: S608
        *(now, subscription),
    )
    return [] if row is None else list(row["secrets"])
