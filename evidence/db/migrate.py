"""Schema revisions: plain SQL of the packages, run by Alembic on an asyncpg connection.

Each package keeps its tables in `schema/*.sql` beside its code; a revision names the files in the order they are run.
SQLAlchemy appears here and nowhere else. A program refuses to work on a schema it does not know.
"""

from __future__ import annotations

import asyncio
import threading
from importlib.resources import files
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection as SyncConnection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from sqlalchemy.util import await_only

from evidence.db.pool import Connection, connect
from evidence.errors import DatabaseUnsuitable

FIRST_SCHEMA = (
    "ledger/schema/0001_ledger.sql",
    "evidence/schema/0001_evidence.sql",
    "evidence/schema/0002_parties.sql",
    "ingest/schema/0001_ingest.sql",
)
"""The scripts of revision 0001, in the order they are run."""

_ONE_RUN = threading.Lock()


async def migrate(dsn: str) -> str:
    """Bring a database's schema to this program's revision and return it; nothing happens when it is there already.

    Raises:
        DatabaseUnreachable: The server does not answer or refuses us.
        DatabaseUnsuitable: The schema is of a newer program, or the server too old.
    """
    return await asyncio.to_thread(_migrate_alone, dsn)


async def current_revision(conn: Connection) -> str | None:
    """Return the revision of the schema a connection sees, or None when there is no schema yet."""
    if await conn.fetchval("SELECT to_regclass('alembic_version')") is None:
        return None
    revision: str | None = await conn.fetchval("SELECT version_num FROM alembic_version")
    return revision


async def require_schema(conn: Connection) -> None:
    """See that the schema is the one this program was written for.

    Raises:
        DatabaseUnsuitable: It is missing, older or newer; the message says what to do.
    """
    present = await current_revision(conn)
    if present != newest_revision():
        raise DatabaseUnsuitable(
            f"the schema is of revision {present}, this program needs {newest_revision()}; run `shilu migrate`"
        )


def newest_revision() -> str:
    """Return the revision this program was written for."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None  # noqa: S101 - the package ships at least one revision
    return head


def known_revisions() -> frozenset[str]:
    """Return every revision this program knows."""
    return frozenset(script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions())


def read_script(name: str) -> str:
    """Return the text of a package's schema script, for example `ledger/schema/0001_ledger.sql`."""
    package, _, path = name.partition("/")
    return files(package).joinpath(path).read_text(encoding="utf-8")


def execute_script(bind: SyncConnection, script: str) -> None:
    """Run a script of several statements in the revision's transaction.

    asyncpg runs many statements at once only in the simple protocol, which SQLAlchemy does not use; so the script goes
    to the driver's own connection, which is inside the transaction since the migration's lock was taken.
    """
    driver = bind.connection.driver_connection
    assert isinstance(driver, asyncpg.Connection)  # noqa: S101 - made by migrate()
    await_only(driver.execute(script))


def _migrate_alone(dsn: str) -> str:
    # Alembic keeps a run's context in module globals: one run at a time per process, off everybody's event loop.
    with _ONE_RUN:
        return asyncio.run(_migrate(dsn))


async def _migrate(dsn: str) -> str:
    raw = await connect(dsn, program="shilu-migrate")
    try:
        present = await current_revision(raw)
        if present is not None and present not in known_revisions():
            raise DatabaseUnsuitable(f"the schema is of revision {present}, which this program does not know")
    finally:
        await raw.close()

    async def make_connection() -> asyncpg.Connection[asyncpg.Record]:
        return await connect(dsn, program="shilu-migrate")

    engine = create_async_engine("postgresql+asyncpg://", async_creator=make_connection, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_upgrade)
    finally:
        await engine.dispose()
    return newest_revision()


def _config() -> Config:
    config = Config()
    folder = Path(__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    return config


def _upgrade(connection: SyncConnection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    connection.commit()
