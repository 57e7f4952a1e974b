"""Jobs that one worker at a time may do: claim, heartbeat, giving back, the end by compare-and-set, what nobody minds.

A job is a row. A worker holds it by a token with an end, which it moves on while it lives; when it is dead another
worker takes the job under a new token, and the old token changes nothing any more. Each taking counts an attempt, so
that a job which takes every worker down with it is tried a limited number of times; attempts that say nothing about
the job are given back uncounted. All times are the database's, so workers on different hosts agree.

Every table of jobs has the columns `state` (`waiting`, `running`, and its own words for what is over), `attempts`,
`lease`, `lease_until`, `due_at`, `reason` and `updated_at`; the rest is its own. What stands after each arrow:

    take -> work, renewing -> finish in the transaction that publishes     killed: the hold runs out, taken again
                           -> give_back                                    killed: the same, and the attempt counts
"""

# ruff: noqa: S608 - names of tables and columns are constants of the program, values go beside the statement

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import UUID

from evidence.db.pool import Connection, Pool

if TYPE_CHECKING:
    import asyncpg

Executor: TypeAlias = "Pool | Connection"
Row: TypeAlias = "asyncpg.Record"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobTable:
    """A table of jobs; names are constants of the program, never data.

    Attributes:
        name: The table.
        key: Its primary key, a UUID.
        given: Columns that whoever takes a job gets, besides `attempts` and `reason`.
        cleared: Columns that are emptied when a job is over, whatever came of it.
    """

    name: str
    key: str
    given: tuple[str, ...]
    cleared: tuple[str, ...] = ()

    async def take(self, db: Executor, job: UUID, *, token: UUID, lease_seconds: float) -> Row | None:
        """Take a job that nobody alive holds, counting the attempt; None when it is over or held."""
        return await db.fetchrow(
            f"""{self._taking} WHERE {self.key} = $3 AND (state = 'waiting'
                    OR state = 'running' AND lease_until < clock_timestamp())
                {self._returning}""",
            token,
            lease_seconds,
            job,
        )

    async def take_next(self, db: Executor, *, token: UUID, lease_seconds: float) -> Row | None:
        """Take the job that is due longest and that nobody alive holds, counting the attempt; None without one."""
        return await db.fetchrow(
            f"""{self._taking} WHERE {self.key} = (
                    SELECT {self.key} FROM {self.name}
                    WHERE state = 'waiting' AND due_at <= clock_timestamp()
                       OR state = 'running' AND lease_until < clock_timestamp()
                    ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
                {self._returning}""",
            token,
            lease_seconds,
        )

    async def seconds_held(self, db: Executor, job: UUID) -> float | None:
        """Return for how long a job is still held by another worker; None when it is not held at all."""
        seconds: float | None = await db.fetchval(
            f"""SELECT extract(epoch FROM lease_until - clock_timestamp())::float8 FROM {self.name}
                WHERE {self.key} = $1 AND state = 'running'""",
            job,
        )
        return seconds

    async def renew(
        self, db: Executor, job: UUID, *, token: UUID, lease_seconds: float, told: Mapping[str, Any] | None = None
    ) -> bool:
        """Move the end of a hold, writing down how far the work is; False when another worker has the job."""
        told = told or {}
        names = "".join(f", {column} = ${place}" for place, column in enumerate(told, 4))
        return _changed(
            await db.execute(
                f"""UPDATE {self.name} SET lease_until = clock_timestamp() + make_interval(secs => $3){names}
                    WHERE {self.key} = $1 AND lease = $2""",
                job,
                token,
                lease_seconds,
                *told.values(),
            )
        )

    async def give_back(
        self,
        db: Executor,
        token: UUID,
        *,
        job: UUID | None = None,
        reason: str | None,
        counts: bool,
        delay_seconds: float,
    ) -> None:
        """Let a job go undone for a while.

        Args:
            token: The hold.
            job: Which job it is, where that is known: it is found faster.
            reason: Why, as the next one who takes it will read it; None leaves what was said before.
            counts: Whether the attempt is one of the few there are.
            delay_seconds: How long nobody shall look at it.
        """
        await db.execute(
            f"""UPDATE {self.name}
                SET state = 'waiting', lease = NULL, lease_until = NULL, reason = coalesce($2, reason),
                    attempts = attempts - CASE WHEN $3 THEN 0 ELSE 1 END,
                    due_at = now() + make_interval(secs => $4), updated_at = now()
                WHERE lease = $1 AND state = 'running'{"" if job is None else f" AND {self.key} = $5"}""",
            token,
            reason,
            counts,
            delay_seconds,
            *(() if job is None else (job,)),
        )

    async def holds(self, conn: Connection, job: UUID, *, token: UUID) -> bool:
        """Tell whether the job is still this worker's, and keep it so until the transaction ends."""
        found = await conn.fetchval(
            f"SELECT 1 FROM {self.name} WHERE {self.key} = $1 AND lease = $2 FOR UPDATE", job, token
        )
        return found is not None

    async def finish(self, db: Executor, job: UUID, *, token: UUID, state: str, told: Mapping[str, Any]) -> bool:
        """End a job, within the transaction that publishes what came of it; False when another worker has it.

        Args:
            state: The table's word for this end.
            told: Columns that say what came of it.
        """
        cleared = "".join(f", {column} = NULL" for column in self.cleared if column not in told)
        names = "".join(f", {column} = ${place}" for place, column in enumerate(told, 4))
        return _changed(
            await db.execute(
                f"""UPDATE {self.name}
                    SET state = $3, lease = NULL, lease_until = NULL, updated_at = now(){cleared}{names}
                    WHERE {self.key} = $1 AND lease = $2""",
                job,
                token,
                state,
                *told.values(),
            )
        )

    async def unattended(self, db: Executor, *, age_seconds: float, limit: int) -> list[UUID]:
        """Return jobs that wait, or are held by a worker that must be dead, for longer than `age_seconds`."""
        rows = await db.fetch(
            f"""SELECT {self.key} AS job FROM {self.name}
                WHERE state = 'waiting' AND due_at < now() - make_interval(secs => $1)
                   OR state = 'running' AND lease_until < now() - make_interval(secs => $1)
                ORDER BY due_at LIMIT $2""",
            age_seconds,
            limit,
        )
        return [row["job"] for row in rows]

    @property
    def _taking(self) -> str:
        return f"""UPDATE {self.name}
                SET state = 'running', attempts = attempts + 1, lease = $1, updated_at = clock_timestamp(),
                    lease_until = clock_timestamp() + make_interval(secs => $2)"""

    @property
    def _returning(self) -> str:
        return f"RETURNING {', '.join((self.key, *self.given, 'lease AS token', 'attempts AS attempt', 'reason'))}"


def _changed(status: str) -> bool:
    return not status.endswith(" 0")
