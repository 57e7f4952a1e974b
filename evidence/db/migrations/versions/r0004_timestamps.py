"""Revision 0004: time stamps over published checkpoints."""

from __future__ import annotations

from alembic import op

from evidence.db.migrate import execute_script, read_script

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the table of time stamps."""
    execute_script(op.get_bind(), read_script("evidence/schema/0003_timestamps.sql"))
