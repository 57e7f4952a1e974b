"""Revision 0038: archiving in steps, and sheets of assessments."""

from __future__ import annotations

from alembic import op

from evidence.db.migrate import execute_script, read_script

revision = "0038"
down_revision = "0037"


def upgrade() -> None:
    """Create the table, add the column."""
    execute_script(op.get_bind(), read_script("evidence/schema/0033_case_check.sql"))
