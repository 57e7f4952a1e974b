"""Revision 0006: sealed beginnings of files that were still being written."""

from __future__ import annotations

from alembic import op

from evidence.db.migrate import execute_script, read_script

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create the table of prefixes."""
    execute_script(op.get_bind(), read_script("evidence/schema/0005_prefixes.sql"))
