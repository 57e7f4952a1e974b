"""Connections to PostgreSQL: one pool per program, every connection set up alike.

Every session runs in UTC, gives `jsonb` as Python values, and names the program it belongs to. Functions of the house
take a `Connection` first and leave the transaction to their caller, so that several of them make one commit.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress
from typing import TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from evidence.errors import DatabaseUnreachable, DatabaseUnsuitable

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"
"""A connection, taken from a pool or made alone."""

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

POSTGRES_MAJOR_MIN = 15
"""Oldest PostgreSQL that serves: the first with `UNIQUE NULLS NOT DISTINCT` and `MERGE`."""

CLOSE_SECONDS = 10.0
"""How long in seconds a pool waits for the server to let its connections go."""

_UNREACHABLE = (
    OSError,
    TimeoutError,
    asyncpg.CannotConnectNowError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.PostgresConnectionError,
    asyncpg.TooManyConnectionsError,
)


async def connect(
    dsn: str, *, program: str = "shilu", timeout_seconds: float = 30.0
) -> asyncpg.Connection[asyncpg.Record]:
    """Open a single connection, for example one that listens or holds an advisory lock.

    Args:
        timeout_seconds: How long the server may take to let us in, and again until the connection is set up.

    Raises:
        DatabaseUnreachable: The server does not answer, at once or in the middle of it, or refuses us.
        DatabaseUnsuitable: It is older than PostgreSQL 15, or the address is none.
    """
    try:
        conn = await asyncpg.connect(dsn, timeout=timeout_seconds, server_settings=_settings(program))
    except _UNREACHABLE as error:
        raise DatabaseUnreachable(f"PostgreSQL cannot be reached: {error}") from error
    except (ValueError, asyncpg.InterfaceError) as error:
        raise DatabaseUnsuitable(f"not a PostgreSQL address: {error}") from error
    with ExitStack() as undo:
        undo.callback(conn.terminate)
        major = conn.get_server_version().major
        if major < POSTGRES_MAJOR_MIN:
            raise DatabaseUnsuitable(f"PostgreSQL {major} is too old, {POSTGRES_MAJOR_MIN} is the oldest that serves")
        try:
            async with asyncio.timeout(timeout_seconds):
                await set_up(conn)
        except _UNREACHABLE as error:
            raise DatabaseUnreachable(f"PostgreSQL stopped answering: {error}") from error
        undo.pop_all()
    return conn


@asynccontextmanager
async def open_pool(
    dsn: str,
    *,
    program: str = "shilu",
    size_max: int = 10,
    timeout_seconds: float = 30.0,
    command_timeout_seconds: float | None = 60.0,
) -> AsyncIterator[Pool]:
    """Open a pool for the length of an `async with` block; its connections are made when they are needed.

    A server that falls takes nobody along: what it does not close within `CLOSE_SECONDS` is cut.

    Raises:
        DatabaseUnreachable: The server does not answer or refuses us.
        DatabaseUnsuitable: It is older than PostgreSQL 15, or the address is none.
    """
    (await connect(dsn, program=program, timeout_seconds=timeout_seconds)).terminate()
    pool = await asyncpg.create_pool(
        dsn,
        min_size=0,
        max_size=size_max,
        init=set_up,
        reset=_keep_as_it_is,
        timeout=timeout_seconds,
        command_timeout=command_timeout_seconds,
        server_settings=_settings(program),
    )
    try:
        yield pool
    finally:
        # The driver waits for the server's goodbye, and for the end of a cancelled statement, as long as it takes.
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await pool.close()


async def set_up(conn: Connection) -> None:
    """Teach a fresh connection the house's types."""
    await conn.set_type_codec("jsonb", schema="pg_catalog", encoder=_to_json, decoder=json.loads)


async def _keep_as_it_is(conn: Connection) -> None:
    """Save a statement at every return to the pool, a third of all there were.

    The driver would drop what a user of the connection left behind: settings, session locks, listeners. Nobody leaves
    any; tests/architecture holds the statements to that. A transaction that is still open is rolled back all the same.
    """


def _settings(program: str) -> dict[str, str]:
    return {"application_name": program, "timezone": "UTC"}


def _to_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
