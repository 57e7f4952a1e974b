"""Revision 0008: copies in a second store, SM3 of originals."""

from __future__ import annotations

from alembic import op

from evidence.db.migrate import execute_script, read_script

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Create the table and the column."""
    execute_script(op.get_bind(), read_script("evidence/schema/0006_copies.sql"))
