"""A server that takes connections and then says nothing more: nobody waits for it longer than they said."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from evidence.db import pool as pool_module
from evidence.db.pool import connect, open_pool
from evidence.errors import DatabaseUnreachable
from tests.support.database_gate import DatabaseGate, database_gate

PATIENCE_SECONDS = 0.2
STATEMENTS = 40
"""Far more of them than any of the tests has answers for."""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "CLOSE_SECONDS", PATIENCE_SECONDS)


async def test_who_never_lets_us_in_is_unreachable(postgres: str, tmp_path: Path) -> None:
    async with database_gate(postgres, tmp_path) as gate:
        gate.answers_left = 0
        began = time.monotonic()
        with pytest.raises(DatabaseUnreachable):
            await connect(gate.dsn, timeout_seconds=PATIENCE_SECONDS)
        assert time.monotonic() - began < 5


async def ask_on_and_on(gate: DatabaseGate, *, answers: int) -> None:
    async with open_pool(gate.dsn, timeout_seconds=PATIENCE_SECONDS, command_timeout_seconds=PATIENCE_SECONDS) as pool:
        gate.answers_left = answers
        for _ in range(STATEMENTS):
            await pool.fetchval("SELECT 1")


@pytest.mark.parametrize("answers", range(0, 15, 2))
async def test_a_pool_ends_though_nobody_says_goodbye(postgres: str, tmp_path: Path, answers: int) -> None:
    async with database_gate(postgres, tmp_path) as gate:
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            await ask_on_and_on(gate, answers=answers)
        assert time.monotonic() - began < 5
        assert gate.answers_left == 0


async def test_a_statement_that_is_given_up_does_not_hold_the_pool(postgres: str, tmp_path: Path) -> None:
    """The driver cancels it over a connection of its own, and closing waits for the answer to that: for ever."""
    async with database_gate(postgres, tmp_path) as gate:
        began = time.monotonic()
        async with open_pool(gate.dsn, command_timeout_seconds=None) as pool:
            conn = await pool.acquire()
            gate.answers_left = 0
            asked = asyncio.create_task(conn.fetchval("SELECT 1"))
            await asyncio.sleep(PATIENCE_SECONDS)
            asked.cancel()
        assert time.monotonic() - began < 5
