"""Revision 0011: objects that were put back from the other store."""

from __future__ import annotations

from alembic import op

from evidence.db.migrate import execute_script, read_script

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Create the table and the index."""
    execute_script(op.get_bind(), read_script("evidence/schema/0008_restorations.sql"))
