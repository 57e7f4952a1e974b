"""Revision 0005: statements about the log's keys."""

from __future__ import annotations

from alembic import op

from evidence.db.migrate import execute_script, read_script

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create the table."""
    execute_script(op.get_bind(), read_script("evidence/schema/0004_log_keys.sql"))
