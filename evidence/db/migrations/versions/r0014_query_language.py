"""Revision 0014: what the query language asks for."""

from __future__ import annotations

from alembic import op

from evidence.db.migrate import execute_script, read_script

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add the columns and the index."""
    execute_script(op.get_bind(), read_script("evidence/schema/0011_query_language.sql"))
