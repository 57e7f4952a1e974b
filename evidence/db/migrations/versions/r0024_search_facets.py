"""Revision 0024: places and findings for the search."""

from __future__ import annotations

from alembic import op

from evidence.db.migrate import execute_script, read_script

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Add the column, the measure of distance and the indexes."""
    execute_script(op.get_bind(), read_script("evidence/schema/0019_search_facets.sql"))
