"""SQL of transcription jobs: who may write down what is said in a clip, for how long, how often it was tried.

The same rules as of derivation jobs (`ingest.jobs_store`): the row is the truth, a worker holds it by a token with an
end, times are the database's. Nobody rings: jobs are found by looking, after the derivations are done with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from evidence.clips.store import MadeObject
from evidence.db.pool import Connection, Pool

FOUND_MAX = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """The right to write down what is said in a clip, from the objects of a derivation; `attempt` counts from 1."""

    clip: UUID
    derivation: UUID
    token: UUID
    attempt: int
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptionJob:
    """How far a clip's transcription is; `outcome` when it is done, `reason` why it failed or was tried again."""

    state: str
    outcome: str | None
    reason: str | None


async def find_work(pool: Pool, *, since: UUID) -> int:
    """Make jobs for clips with speech that have none, of derivations from entry `since` on; return how many."""
    status = await pool.execute(
        """INSERT INTO transcription_job (clip, derivation, state, due_at, created_at, updated_at)
           SELECT DISTINCT ON (o.clip) o.clip, o.entry_id, 'waiting', now(), now(), now() FROM clip_object o
           WHERE o.kind = 'speech' AND o.entry_id >= $1
             AND NOT EXISTS (SELECT FROM transcription_job j WHERE j.clip = o.clip)
           ORDER BY o.clip, o.entry_id DESC LIMIT $2
           ON CONFLICT DO NOTHING""",
        since,
        FOUND_MAX,
    )
    return int(status.rsplit(" ", 1)[1])


async def take_next(pool: Pool, *, token: UUID, lease_seconds: float) -> Hold | None:
    """Take the job that is due longest and that nobody alive holds, counting the attempt; None when there is none."""
    row = await pool.fetchrow(
        """UPDATE transcription_job
           SET state = 'running', attempts = attempts + 1, lease = $1, updated_at = clock_timestamp(),
               lease_until = clock_timestamp() + make_interval(secs => $2)
           WHERE clip = (
               SELECT clip FROM transcription_job
               WHERE state = 'waiting' AND due_at <= clock_timestamp()
                  OR state = 'running' AND lease_until < clock_timestamp()
               ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
           RETURNING clip, derivation, lease AS token, attempts AS attempt, reason""",
        token,
        lease_seconds,
    )
    return None if row is None else Hold(**dict(row))


async def renew(pool: Pool, hold: Hold, *, lease_seconds: float) -> bool:
    """Move the end of a hold; False when another worker has the job."""
    status = await pool.execute(
        """UPDATE transcription_job SET lease_until = clock_timestamp() + make_interval(secs => $3)
           WHERE clip = $1 AND lease = $2""",
        hold.clip,
        hold.token,
        lease_seconds,
    )
    return not status.endswith(" 0")


async def give_back(pool: Pool, token: UUID, *, reason: str | None, counts: bool, delay_seconds: float) -> None:
    """Let a job go undone for a while; `counts` tells whether the attempt is one of the few there are."""
    await pool.execute(
        """UPDATE transcription_job
           SET state = 'waiting', lease = NULL, lease_until = NULL, reason = coalesce($2, reason),
               attempts = attempts - CASE WHEN $3 THEN 0 ELSE 1 END,
               due_at = now() + make_interval(secs => $4), updated_at = now()
           WHERE lease = $1""",
        token,
        reason,
        counts,
        delay_seconds,
    )


async def finish(conn: Connection, hold: Hold, *, outcome: str, reason: str | None) -> bool:
    """Close a job, within the transaction that publishes if there is something to; False when another worker has it."""
    status = await conn.execute(
        """UPDATE transcription_job
           SET state = 'done', lease = NULL, lease_until = NULL, outcome = $3, reason = $4, updated_at = now()
           WHERE clip = $1 AND lease = $2""",
        hold.clip,
        hold.token,
        outcome,
        reason,
    )
    return not status.endswith(" 0")


async def heard_objects(pool: Pool, derivation: UUID) -> Mapping[str, MadeObject]:
    """Return the objects of a derivation by kind."""
    rows = await pool.fetch("SELECT kind, sha256, size, media_type FROM clip_object WHERE entry_id = $1", derivation)
    return {row["kind"]: MadeObject(**dict(row)) for row in rows}


async def job_of(conn: Connection, clip: UUID) -> TranscriptionJob | None:
    """Return how far a clip's transcription is, None where nobody has asked for one yet."""
    row = await conn.fetchrow("SELECT state, outcome, reason FROM transcription_job WHERE clip = $1", clip)
    return None if row is None else TranscriptionJob(**dict(row))
