"""Alembic's entry: runs the wanted revisions on the connection that `evidence.db.migrate` hands in.

The whole run is one transaction behind one advisory lock: two programs that start at once migrate one after the other,
and the second finds nothing to do; a crash leaves the schema as it was.
"""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, text

MIGRATION_LOCK = 7_161_002
"""Advisory lock key of a migration run."""

connection: Connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=None, transaction_per_migration=False)
with context.begin_transaction():
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
    context.run_migrations()
