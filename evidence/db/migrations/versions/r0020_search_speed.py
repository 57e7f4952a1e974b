"""Revision 0020: the search index in narrow rows, its words as numbers; documents are renewed later."""

from __future__ import annotations

from alembic import op

from evidence.db.migrate import execute_script, read_script

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Change the table and its index."""
    execute_script(op.get_bind(), read_script("evidence/schema/0016_search_speed.sql"))
