"""Revision 0035: what is told the public."""

from __future__ import annotations

from alembic import op

from evidence.db.migrate import execute_script, read_script

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    """Create the tables."""
    execute_script(op.get_bind(), read_script("evidence/schema/0030_publicity.sql"))
