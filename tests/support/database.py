"""Databases for tests: one embedded server per run, one fresh database per test, copied from a migrated template."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from evidence.db.migrate import migrate

TEMPLATE = "template_shilu"
_TEMPLATE_LOCK = 7_161_900


def with_database(dsn: str, name: str) -> str:
    """Return the address of another database on the same server."""
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{name}"))


async def make_template(dsn: str) -> None:
    """Migrate the template database once per server, whoever of the test workers comes first."""
    admin = await asyncpg.connect(dsn)
    try:
        await admin.execute("SELECT pg_advisory_lock($1)", _TEMPLATE_LOCK)
        if await admin.fetchval("SELECT datistemplate FROM pg_database WHERE datname = $1", TEMPLATE):
            return
        await admin.execute(f"DROP DATABASE IF EXISTS {TEMPLATE} WITH (FORCE)")
        await admin.execute(f"CREATE DATABASE {TEMPLATE}")
        await migrate(with_database(dsn, TEMPLATE))
        await admin.execute(f"ALTER DATABASE {TEMPLATE} IS_TEMPLATE true")
    finally:
        await admin.close()


@asynccontextmanager
async def fresh_database(server_dsn: str, *, template: str = TEMPLATE) -> AsyncIterator[str]:
    """Give the address of a new database and drop it afterwards, whoever is still connected."""
    name = f"test_{secrets.token_hex(8)}"
    # Copied file by file: the server is not safe against power cuts anyway, and the log of it would be twice the work.
    await _administer(server_dsn, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    try:
        yield with_database(server_dsn, name)
    finally:
        await _administer(server_dsn, f"DROP DATABASE {name} WITH (FORCE)")


async def _administer(dsn: str, statement: str) -> None:
    admin = await asyncpg.connect(dsn)
    try:
        await admin.execute(statement)
    finally:
        await admin.close()


def make_template_now(dsn: str) -> None:
    """Do `make_template` outside of any event loop."""
    asyncio.run(make_template(dsn))
