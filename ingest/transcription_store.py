"""SQL of transcription jobs: who may write down what is said in a clip, for how long, how often it was tried.

The row is the truth, held as `evidence.db.leases` tells. Nobody rings: jobs are found by
looking, after the derivations are done with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from evidence.clips.store import MadeObject
from evidence.db.leases import JobTable
from evidence.db.pool import Connection, Pool

FOUND_MAX = 500

TABLE = JobTable(name="transcription_job", key="clip", given=("derivation",))


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
    """Take the job that is due longest; see `JobTable.take_next`."""
    row = await TABLE.take_next(pool, token=token, lease_seconds=lease_seconds)
    return None if row is None else Hold(**dict(row))


async def renew(pool: Pool, hold: Hold, *, lease_seconds: float) -> bool:
    """Move the end of a hold; see `JobTable.renew`."""
    return await TABLE.renew(pool, hold.clip, token=hold.token, lease_seconds=lease_seconds)


async def finish(conn: Connection, hold: Hold, *, outcome: str, reason: str | None) -> bool:
    """Close a job, within the transaction that publishes if there is something to; False when another worker has it."""
    told = {"outcome": outcome, "reason": reason}
    return await TABLE.finish(conn, hold.clip, token=hold.token, state="done", told=told)


async def heard_objects(pool: Pool, derivation: UUID) -> Mapping[str, MadeObject]:
    """Return the objects of a derivation by kind."""
    rows = await pool.fetch("SELECT kind, sha256, size, media_type FROM clip_object WHERE entry_id = $1", derivation)
    return {row["kind"]: MadeObject(**dict(row)) for row in rows}


async def job_of(conn: Connection, clip: UUID) -> TranscriptionJob | None:
    """Return how far a clip's transcription is, None where nobody has asked for one yet."""
    row = await conn.fetchrow("SELECT state, outcome, reason FROM transcription_job WHERE clip = $1", clip)
    return None if row is None else TranscriptionJob(**dict(row))
