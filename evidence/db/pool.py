"""Connections to PostgreSQL: one pool per program, every connection set up alike.

Every session runs in UTC, gives `jsonb` as Python values, and names the program it belongs to. Functions of the house
take a `Connection` first and leave the transaction to their caller, so that several of them make one commit.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from evidence.errors import DatabaseUnreachable, DatabaseUnsuitable

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"
"""A connection, taken from a pool or made alone."""

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

POSTGRES_MAJOR_MIN = 15
"""Oldest PostgreSQL that serves: the first with `UNIQUE NULLS NOT DISTINCT` and `MERGE`."""

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

    Raises:
        DatabaseUnreachable: The server does not answer or refuses us.
        DatabaseUnsuitable: It is older than PostgreSQL 15, or the address is none.
    """
    try:
        conn = await asyncpg.connect(dsn, timeout=timeout_seconds, server_settings=_settings(program))
    except _UNREACHABLE as error:
        raise DatabaseUnreachable(f"PostgreSQL cannot be reached: {error}") from error
    except (ValueError, asyncpg.InterfaceError) as error:
        raise DatabaseUnsuitable(f"not a PostgreSQL address: {error}") from error
    major = conn.get_server_version().major
    if major < POSTGRES_MAJOR_MIN:
        await conn.close()
        raise DatabaseUnsuitable(f"PostgreSQL {major} is too old, {POSTGRES_MAJOR_MIN} is the oldest that serves")
    await set_up(conn)
    return conn


@asynccontextmanager
async def open_pool(
    dsn: str, *, program: str = "shilu", size_max: int = 10, command_timeout_seconds: float | None = 60.0
) -> AsyncIterator[Pool]:
    """Open a pool for the length of an `async with` block; its connections are made when they are needed.

    Raises:
        DatabaseUnreachable: The server does not answer or refuses us.
        DatabaseUnsuitable: It is older than PostgreSQL 15, or the address is none.
    """
    await (await connect(dsn, program=program)).close()
    async with asyncpg.create_pool(
        dsn,
        min_size=0,
        max_size=size_max,
        init=set_up,
        reset=_keep_as_it_is,
        command_timeout=command_timeout_seconds,
        server_settings=_settings(program),
    ) as pool:
        yield pool


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
