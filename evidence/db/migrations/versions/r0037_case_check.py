"""Revision 0037: archiving in steps, and sheets of assessments."""

from __future__ import annotations

from alembic import op

from evidence.db.migrate import execute_script, read_script

revision = "0037"
down_revision = "0036"


def upgrade() -> None:
    """Create the table, add the column."""
    execute_script(op.get_bind(), read_script("evidence/schema/0032_case_check.sql"))
