"""Revision 0023: packages that leave the house, links to them, and the jobs that make them."""

from __future__ import annotations

from alembic import op

from evidence.db.migrate import execute_script, read_script

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Create the tables."""
    execute_script(op.get_bind(), read_script("evidence/schema/0019_exports.sql"))
