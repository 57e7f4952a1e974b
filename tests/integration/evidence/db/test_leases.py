"""The lease that all tables of jobs share: one holder, a token that stops counting, attempts that add up."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import asyncpg
import pytest

from evidence.db.leases import JobTable
from evidence.db.pool import Connection, Pool

TABLE = JobTable(name="chore", key="chore", given=("what",), cleared=("what",))
OLD, NEW = uuid4(), uuid4()


@pytest.fixture
async def conn(pool: Pool) -> AsyncIterator[Connection]:
    async with pool.acquire() as conn:
        await conn.execute(
            """CREATE TEMPORARY TABLE chore (
                   chore uuid PRIMARY KEY, what text, state text NOT NULL DEFAULT 'waiting',
                   attempts int NOT NULL DEFAULT 0 CHECK (attempts >= 0), lease uuid, lease_until timestamptz,
                   due_at timestamptz NOT NULL DEFAULT now(), reason text, done int, outcome text,
                   updated_at timestamptz,
                   CHECK ((state = 'running') = (lease IS NOT NULL AND lease_until IS NOT NULL)))"""
        )
        yield conn
        await conn.execute("DROP TABLE chore")


async def chore(conn: Connection, due: str = "0 seconds") -> UUID:
    number = uuid4()
    await conn.execute(
        "INSERT INTO chore (chore, what, due_at) VALUES ($1, 'sweep', now() + $2::text::interval)", number, due
    )
    return number


async def state(conn: Connection, job: UUID) -> asyncpg.Record:
    row = await conn.fetchrow("SELECT * FROM chore WHERE chore = $1", job)
    assert row is not None
    return row


async def test_one_holds_a_job_until_its_hold_runs_out(conn: Connection) -> None:
    job = await chore(conn)
    assert await TABLE.seconds_held(conn, job) is None
    taken = await TABLE.take(conn, job, token=OLD, lease_seconds=30)
    assert taken is not None
    assert dict(taken) == {"chore": job, "what": "sweep", "token": OLD, "attempt": 1, "reason": None}
    assert await TABLE.take(conn, job, token=NEW, lease_seconds=30) is None
    assert await TABLE.take_next(conn, token=NEW, lease_seconds=30) is None
    assert 25 < (await TABLE.seconds_held(conn, job) or 0) <= 30
    assert await TABLE.renew(conn, job, token=OLD, lease_seconds=-1, told={"done": 7})
    assert (await state(conn, job))["done"] == 7
    assert await TABLE.unattended(conn, age_seconds=0, limit=9) == [job]
    again = await TABLE.take_next(conn, token=NEW, lease_seconds=30)
    assert again is not None
    assert again["attempt"] == 2


async def test_an_old_token_changes_nothing(conn: Connection) -> None:
    job = await chore(conn)
    await TABLE.take(conn, job, token=OLD, lease_seconds=-1)
    await TABLE.take(conn, job, token=NEW, lease_seconds=30)
    before = await state(conn, job)
    assert not await TABLE.renew(conn, job, token=OLD, lease_seconds=900)
    assert not await TABLE.finish(conn, job, token=OLD, state="done", told={"outcome": "late"})
    await TABLE.give_back(conn, OLD, reason="late", counts=True, delay_seconds=0)
    async with conn.transaction():
        assert not await TABLE.holds(conn, job, token=OLD)
        assert await TABLE.holds(conn, job, token=NEW)
    assert await state(conn, job) == before
    assert await TABLE.finish(conn, job, token=NEW, state="done", told={"outcome": "swept"})
    ended = await state(conn, job)
    assert (ended["state"], ended["outcome"], ended["what"], ended["lease"]) == ("done", "swept", None, None)
    assert await TABLE.take(conn, job, token=uuid4(), lease_seconds=30) is None


@pytest.mark.parametrize(("counts", "attempts"), [(True, 1), (False, 0)])
@pytest.mark.parametrize("named", [True, False])
async def test_what_is_given_back_waits_for_its_time(
    conn: Connection, counts: bool, attempts: int, named: bool
) -> None:
    job, other = await chore(conn), await chore(conn)
    await TABLE.take(conn, job, token=OLD, lease_seconds=30)
    await TABLE.take(conn, other, token=NEW, lease_seconds=30)
    given = job if named else None
    await TABLE.give_back(conn, OLD, job=given, reason="no room", counts=counts, delay_seconds=60)
    back = await state(conn, job)
    assert (back["state"], back["attempts"], back["reason"]) == ("waiting", attempts, "no room")
    assert (await state(conn, other))["state"] == "running"
    assert await TABLE.take_next(conn, token=uuid4(), lease_seconds=30) is None
    assert await TABLE.unattended(conn, age_seconds=0, limit=9) == []


async def test_the_longest_due_goes_first(conn: Connection) -> None:
    await chore(conn)
    first = await chore(conn, "-1 hour")
    await chore(conn, "1 hour")
    taken = await TABLE.take_next(conn, token=OLD, lease_seconds=30)
    assert taken is not None
    assert taken["chore"] == first
