"""Revision 0022: scopes of staff tokens."""

from __future__ import annotations

from alembic import op

from evidence.db.migrate import execute_script, read_script

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Add the column."""
    execute_script(op.get_bind(), read_script("evidence/schema/0018_token_scopes.sql"))
