"""Revision 0010: SM3 of what is about to be sealed."""

from __future__ import annotations

from alembic import op

from evidence.db.migrate import execute_script, read_script

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the column."""
    execute_script(op.get_bind(), read_script("ingest/schema/0003_sm3.sql"))
