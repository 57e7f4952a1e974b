"""Revision 0019: recording-item lists, and what a case is opened with."""

from __future__ import annotations

from alembic import op

from evidence.db.migrate import execute_script, read_script

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Create the table and the columns."""
    execute_script(op.get_bind(), read_script("evidence/schema/0015_cases.sql"))
