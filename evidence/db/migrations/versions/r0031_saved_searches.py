"""Revision 0031: questions that people keep."""

from __future__ import annotations

from alembic import op

from evidence.db.migrate import execute_script, read_script

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    """Create the tables."""
    execute_script(op.get_bind(), read_script("evidence/schema/0026_saved_searches.sql"))
