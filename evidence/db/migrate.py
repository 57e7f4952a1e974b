"""Schema revisions: plain SQL of the packages, run by Alembic on an asyncpg connection.

Each package keeps its tables in `schema/*.sql` beside its code; a revision names the files in the order they are run.
SQLAlchemy and Alembic are loaded when there is something to do (`evidence.db.upgrade`): they take as long to load as
half the house, and almost every program finds its schema at hand. A program refuses to work on one it does not know.
"""

from __future__ import annotations

import asyncio
import re
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

from evidence.db.pool import Connection, connect
from evidence.errors import DatabaseUnsuitable

if TYPE_CHECKING:
    from sqlalchemy import Connection as SyncConnection

FIRST_SCHEMA = (
    "ledger/schema/0001_ledger.sql",
    "evidence/schema/0001_evidence.sql",
    "evidence/schema/0002_parties.sql",
    "ingest/schema/0001_ingest.sql",
)
"""The scripts of revision 0001, in the order they are run."""

_REVISION_FILE = re.compile(r"r([0-9]{4})_[a-z0-9_]+\.py")


async def migrate(dsn: str) -> str:
    """Bring a database's schema to this program's revision and return it; nothing happens when it is there already.

    Raises:
        DatabaseUnreachable: The server does not answer or refuses us.
        DatabaseUnsuitable: The schema is of a newer program, or the server too old.
    """
    conn = await connect(dsn, program="shilu-migrate")
    try:
        present = await current_revision(conn)
    finally:
        await conn.close()
    if present == newest_revision():
        return newest_revision()
    if present is not None and present not in known_revisions():
        raise DatabaseUnsuitable(f"the schema is of revision {present}, which this program does not know")
    from evidence.db.upgrade import upgrade_alone

    await asyncio.to_thread(upgrade_alone, dsn)
    return newest_revision()


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
    return max(known_revisions())


def known_revisions() -> frozenset[str]:
    """Return every revision this program knows: they follow one another by number, see `migrations/versions`."""
    names = (path.name for path in (Path(__file__).parent / "migrations" / "versions").iterdir())
    return frozenset(match[1] for name in names if (match := _REVISION_FILE.fullmatch(name)))


def read_script(name: str) -> str:
    """Return the text of a package's schema script, for example `ledger/schema/0001_ledger.sql`."""
    package, _, path = name.partition("/")
    return files(package).joinpath(path).read_text(encoding="utf-8")


def execute_script(bind: SyncConnection, script: str) -> None:
    """Run a script of several statements in the revision's transaction.

    asyncpg runs many statements at once only in the simple protocol, which SQLAlchemy does not use; so the script goes
    to the driver's own connection, which is inside the transaction since the migration's lock was taken.
    """
    from sqlalchemy.util import await_only

    driver = bind.connection.driver_connection
    assert isinstance(driver, asyncpg.Connection)  # noqa: S101 - made by migrate()
    await_only(driver.execute(script))
