"""Running schema revisions with Alembic; loaded only when there are some to run, see `evidence.db.migrate`."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection as SyncConnection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from evidence.db.pool import connect

_ONE_RUN = threading.Lock()


def upgrade_alone(dsn: str) -> None:
    """Run all revisions that a database has not seen, in an event loop of this thread's own.

    Alembic keeps a run's context in module globals: one run at a time per process, off everybody's event loop.
    """
    with _ONE_RUN:
        asyncio.run(_upgrade(dsn))


def revisions_config() -> Config:
    """Return where Alembic finds the revisions."""
    config = Config()
    folder = Path(__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    return config


async def _upgrade(dsn: str) -> None:
    async def make_connection() -> asyncpg.Connection[asyncpg.Record]:
        return await connect(dsn, program="shilu-migrate")

    engine = create_async_engine("postgresql+asyncpg://", async_creator=make_connection, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_run)
    finally:
        await engine.dispose()


def _run(connection: SyncConnection) -> None:
    config = revisions_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    connection.commit()
