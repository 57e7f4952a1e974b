"""Revision 0015: redacted copies are made by workers."""

from __future__ import annotations

from alembic import op

from evidence.db.migrate import execute_script, read_script

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Add the table of what was asked for."""
    execute_script(op.get_bind(), read_script("ingest/schema/0004_redactions.sql"))
