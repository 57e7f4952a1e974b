"""Revision 0003: keys of docks after the one they were enrolled with."""

from __future__ import annotations

from alembic import op

from evidence.db.migrate import execute_script, read_script

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the table of dock keys."""
    execute_script(op.get_bind(), read_script("evidence/schema/0003_dock_keys.sql"))
