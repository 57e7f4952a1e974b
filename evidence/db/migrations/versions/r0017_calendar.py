"""Revision 0017: working days that the agency loads."""

from __future__ import annotations

from alembic import op

from evidence.db.migrate import execute_script, read_script

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Create the table."""
    execute_script(op.get_bind(), read_script("evidence/schema/0013_calendar.sql"))
