"""Revision 0043: excerpts in packages."""

from __future__ import annotations

from alembic import op

from evidence.db.migrate import execute_script, read_script

revision = "0043"
down_revision = "0042"


def upgrade() -> None:
    """Add the column."""
    execute_script(op.get_bind(), read_script("evidence/schema/0038_export_excerpts.sql"))
