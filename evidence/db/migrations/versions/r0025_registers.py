"""Revision 0025: registers of units, officers and recorders, and whose a clip is."""

from __future__ import annotations

from alembic import op

from evidence.db.migrate import execute_script, read_script

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """Create the tables, the view and the officers' new columns."""
    execute_script(op.get_bind(), read_script("evidence/schema/0020_registers.sql"))
