"""Revision 0028: accounts and their sessions."""

from __future__ import annotations

from alembic import op

from evidence.db.migrate import execute_script, read_script

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    """Create the tables."""
    execute_script(op.get_bind(), read_script("evidence/schema/0023_accounts.sql"))
