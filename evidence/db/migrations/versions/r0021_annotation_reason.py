"""Revision 0021: why a version of an annotation was written."""

from __future__ import annotations

from alembic import op

from evidence.db.migrate import execute_script, read_script

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Add the column."""
    execute_script(op.get_bind(), read_script("evidence/schema/0017_annotation_reason.sql"))
