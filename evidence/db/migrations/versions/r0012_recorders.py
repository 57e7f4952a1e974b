"""Revision 0012: sequences and holders of recorders, and what docks say of themselves."""

from __future__ import annotations

from alembic import op

from evidence.db.migrate import execute_script, read_script

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Create the tables of recorders, officers and docks' states."""
    execute_script(op.get_bind(), read_script("evidence/schema/0009_recorders.sql"))
