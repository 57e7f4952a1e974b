"""What operators are told of jobs: counted from what is unfinished or given up, however many jobs there ever were."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

import pytest

from api.operations_store import JOBS_STATEMENT, JobCounts, count_jobs
from evidence.db.pool import Connection, Pool

NOW = datetime.now(UTC)
MANY = 20_000

Row: TypeAlias = tuple[int, str, str | None, str | None, datetime]
"""Number, state, outcome, reason, and when."""


@pytest.fixture
async def jobs(pool: Pool) -> None:
    """Derivations and transcriptions: nearly all done, three wait, one is at work, four were given up, one long ago."""
    async with pool.acquire() as conn:
        for table, good, bad in (
            ("derivation_job", "reviewable", "undecodable"),
            ("transcription_job", "transcribed", "failed"),
        ):
            rows: list[Row] = [(number, "done", good, None, NOW) for number in range(MANY)]
            rows += [(MANY + number, "waiting", None, None, NOW - timedelta(hours=number)) for number in range(3)]
            rows += [(MANY + 3, "running", None, None, NOW)]
            rows += [
                (MANY + 4 + number, "done", bad, f"reason {number}", NOW - timedelta(days=3 * number))
                for number in range(4)
            ]
            await _fill(conn, table, rows)


async def _fill(conn: Connection, table: str, rows: list[Row]) -> None:
    derived = table == "derivation_job"
    await conn.copy_records_to_table(
        table,
        columns=(
            *("clip", "sha256" if derived else "derivation", "state", "lease", "lease_until"),
            *("due_at", "outcome", "reason", "created_at", "updated_at"),
        ),
        records=[
            (
                UUID(int=number),
                bytes(32) if derived else UUID(int=number),
                state,
                UUID(int=1) if state == "running" else None,
                at if state == "running" else None,
                *(at, outcome, reason, at, at),
            )
            for number, state, outcome, reason, at in rows
        ],
    )
    await conn.execute(f"VACUUM (ANALYZE) {table}")


@pytest.mark.usefixtures("jobs")
async def test_jobs_are_counted_by_what_became_of_them(pool: Pool) -> None:
    async with pool.acquire() as conn:
        told: dict[str, JobCounts] = {one.kind: one for one in await count_jobs(conn)}
    for kind in ("derivation", "transcription"):
        one = told[kind]
        assert (one.waiting, one.running, one.failed, one.failed_recently) == (3, 1, 4, 3), kind
        assert one.oldest_at == NOW - timedelta(hours=2)
        assert one.reason == "reason 0", "of the newest that failed"
    for kind in ("redaction", "export"):
        one = told[kind]
        assert (one.waiting, one.running, one.failed, one.oldest_at, one.reason) == (0, 0, 0, None, None)


@pytest.mark.usefixtures("jobs")
async def test_no_table_of_jobs_is_read_whole(pool: Pool) -> None:
    async with pool.acquire() as conn:
        (row,) = await conn.fetch(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {JOBS_STATEMENT}")
    plan = json.loads(row[0])[0]["Plan"]
    read_whole = {node["Relation Name"] for node in _nodes(plan) if node["Node Type"] == "Seq Scan"}
    assert not read_whole & {"derivation_job", "transcription_job"}
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 100


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)
