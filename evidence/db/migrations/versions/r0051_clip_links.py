"""Revision 0051: links by which somebody outside watches one clip."""

from __future__ import annotations

from alembic import op

from evidence.db.migrate import execute_script, read_script

revision = "0051"
down_revision = "0050"


def upgrade() -> None:
    """Create the tables."""
    execute_script(op.get_bind(), read_script("evidence/schema/0039_clip_links.sql"))
