"""SQL of signing in with a provider: which answers have counted, who was turned away, which subject an account has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from evidence.db.paging import FIRST_ID
from evidence.db.pool import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Stranger:
    """Somebody whom the provider knows and no account is linked with.

    Attributes:
        stranger: An id to page by, in the order people came first in.
        hint: What the provider calls the person; proves nothing.
        times: How often they were turned away.
    """

    stranger: UUID
    issuer: str
    subject: str
    hint: str | None
    first_at: datetime
    last_at: datetime
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A subject of a provider that an account belongs to."""

    issuer: str
    subject: str
    linked_at: datetime
    entry_id: UUID


async def use_answer(conn: Connection, state_sha256: bytes, *, at: datetime) -> bool:
    """Let an answer count; False when it has counted before. Two at once are decided by the row."""
    status = await conn.execute(
        "INSERT INTO federated_answer (state_sha256, used_at) VALUES ($1, $2) ON CONFLICT DO NOTHING", state_sha256, at
    )
    return not status.endswith(" 0")


async def note_stranger(
    conn: Connection, stranger: UUID, *, issuer: str, subject: str, hint: str | None, at: datetime
) -> None:
    """Take note of somebody who was turned away."""
    await conn.execute(
        """INSERT INTO federated_stranger (stranger, issuer, subject, hint, first_at, last_at, times)
           VALUES ($1, $2, $3, $4, $5, $5, 1)
           ON CONFLICT (issuer, subject)
           DO UPDATE SET hint = excluded.hint, last_at = excluded.last_at, times = federated_stranger.times + 1""",
        *(stranger, issuer, subject, hint, at),
    )


async def forget_stranger(conn: Connection, *, issuer: str, subject: str) -> None:
    """Forget somebody who is linked from now on."""
    await conn.execute("DELETE FROM federated_stranger WHERE issuer = $1 AND subject = $2", issuer, subject)


async def strangers(conn: Connection, *, after: UUID | None, limit: int) -> Sequence[Stranger]:
    """Return who was turned away, in the order they came first in, behind `after`."""
    rows = await conn.fetch(
        """SELECT stranger, issuer, subject, hint, first_at, last_at, times FROM federated_stranger
           WHERE stranger > $1 ORDER BY stranger LIMIT $2""",
        *(after or FIRST_ID, limit),
    )
    return [Stranger(**dict(row)) for row in rows]


async def links_of(conn: Connection, staff: UUID) -> Sequence[Link]:
    """Return the subjects that an account belongs to, one of each issuer at most."""
    rows = await conn.fetch(
        "SELECT issuer, subject, linked_at, entry_id FROM account_link WHERE staff = $1 ORDER BY linked_at", staff
    )
    return [Link(**dict(row)) for row in rows]


async def sweep_federated(
    conn: Connection, *, answers_before: datetime, strangers_before: datetime, rows_max: int
) -> None:
    """Remove answers that are too old to come again, people who did not come again, and the oldest of too many."""
    await conn.execute("DELETE FROM federated_answer WHERE used_at < $1", answers_before)
    await conn.execute("DELETE FROM federated_stranger WHERE last_at < $1", strangers_before)
    await conn.execute(
        """DELETE FROM federated_stranger WHERE stranger IN (
               SELECT stranger FROM federated_stranger ORDER BY last_at DESC OFFSET $1)""",
        rows_max,
    )
