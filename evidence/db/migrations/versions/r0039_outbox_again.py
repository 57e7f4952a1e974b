"""Revision 0039: what administrators do about the outbox by hand."""

from __future__ import annotations

from alembic import op

from evidence.db.migrate import execute_script, read_script

revision = "0039"
down_revision = "0038"


def upgrade() -> None:
    """Add the columns."""
    execute_script(op.get_bind(), read_script("evidence/schema/0034_outbox_again.sql"))
