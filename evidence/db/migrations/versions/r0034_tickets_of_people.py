"""Revision 0034: view tickets know whose they are."""

from __future__ import annotations

from alembic import op

from evidence.db.migrate import execute_script, read_script

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    """Add the columns."""
    execute_script(op.get_bind(), read_script("evidence/schema/0029_tickets_of_people.sql"))
