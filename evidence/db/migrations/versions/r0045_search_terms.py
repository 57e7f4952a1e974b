"""Revision 0045: by which calendar and rules the search index says what came late."""

from __future__ import annotations

from alembic import op

from evidence.db.migrate import execute_script, read_script

revision = "0045"
down_revision = "0043"


def upgrade() -> None:
    """Create the table."""
    execute_script(op.get_bind(), read_script("evidence/schema/0040_search_terms.sql"))
