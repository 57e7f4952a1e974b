"""Revision 0007: publications name the one before."""

from __future__ import annotations

from alembic import op

from evidence.db.migrate import execute_script, read_script

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the column."""
    execute_script(op.get_bind(), read_script("ledger/schema/0002_publication_chain.sql"))
