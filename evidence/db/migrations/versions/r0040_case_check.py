"""Revision 0040: archiving in steps, and sheets of assessments."""

from __future__ import annotations

from alembic import op

from evidence.db.migrate import execute_script, read_script

revision = "0040"
down_revision = "0039"


def upgrade() -> None:
    """Create the table, add the column."""
    execute_script(op.get_bind(), read_script("evidence/schema/0035_case_check.sql"))
