"""Revision 0018: grants, access classes, and what a search may show."""

from __future__ import annotations

from alembic import op

from evidence.db.migrate import execute_script, read_script

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Create the tables and the columns of the search index."""
    execute_script(op.get_bind(), read_script("evidence/schema/0014_access.sql"))
