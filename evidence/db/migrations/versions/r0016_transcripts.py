"""Revision 0016: transcripts of what is said in clips, and the jobs that make them."""

from __future__ import annotations

from alembic import op

from evidence.db.migrate import execute_script, read_script

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Create the tables and the index."""
    execute_script(op.get_bind(), read_script("evidence/schema/0012_transcripts.sql"))
    execute_script(op.get_bind(), read_script("ingest/schema/0005_transcription.sql"))
