"""Revision 0042: what became of decisions."""

from __future__ import annotations

from alembic import op

from evidence.db.migrate import execute_script, read_script

revision = "0042"
down_revision = "0041"


def upgrade() -> None:
    """Create the table."""
    execute_script(op.get_bind(), read_script("evidence/schema/0037_revocations.sql"))
