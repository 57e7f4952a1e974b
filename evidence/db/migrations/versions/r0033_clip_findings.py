"""Revision 0033: what audits named of clips, for the search."""

from __future__ import annotations

from alembic import op

from evidence.db.migrate import execute_script, read_script

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    """Create the table."""
    execute_script(op.get_bind(), read_script("evidence/schema/0028_clip_findings.sql"))
