"""Revision 0027: what is said about cases, and exhibits that are none any more."""

from __future__ import annotations

from alembic import op

from evidence.db.migrate import execute_script, read_script

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    """Create the table and the view."""
    execute_script(op.get_bind(), read_script("evidence/schema/0022_case_statements.sql"))
