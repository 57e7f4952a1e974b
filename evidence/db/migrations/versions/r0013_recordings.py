"""Revision 0013: controllers of body worn systems, and the recordings they deliver."""

from __future__ import annotations

from alembic import op

from evidence.db.migrate import execute_script, read_script

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Create the tables."""
    execute_script(op.get_bind(), read_script("evidence/schema/0010_recordings.sql"))
    execute_script(op.get_bind(), read_script("ingest/schema/0004_swift.sql"))
