"""Revision 0009: first stills of clips that are still being derived."""

from __future__ import annotations

from alembic import op

from evidence.db.migrate import execute_script, read_script

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Create the table."""
    execute_script(op.get_bind(), read_script("evidence/schema/0007_previews.sql"))
