"""Revision 0041: tickets of looks at many clips."""

from __future__ import annotations

from alembic import op

from evidence.db.migrate import execute_script, read_script

revision = "0041"
down_revision = "0040"


def upgrade() -> None:
    """Create the tables."""
    execute_script(op.get_bind(), read_script("evidence/schema/0036_looks.sql"))
