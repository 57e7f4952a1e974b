"""Revision 0050: jobs that were given up are found without reading all of them."""

from __future__ import annotations

from alembic import op

from evidence.db.migrate import execute_script, read_script

revision = "0050"
down_revision = "0045"


def upgrade() -> None:
    """Create the indexes."""
    execute_script(op.get_bind(), read_script("ingest/schema/0006_given_up_jobs.sql"))
