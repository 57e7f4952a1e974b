"""Revision 0002: parts of uploads that are sent side by side."""

from __future__ import annotations

from alembic import op

from evidence.db.migrate import execute_script, read_script

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add what concatenation has to remember."""
    execute_script(op.get_bind(), read_script("ingest/schema/0002_concatenation.sql"))
