"""Revision 0001: the first schema, package by package, and the job queue's own tables."""

from __future__ import annotations

from alembic import op
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment

from evidence.db.migrate import FIRST_SCHEMA, execute_script, read_script

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create everything."""
    for script in FIRST_SCHEMA:
        execute_script(op.get_bind(), read_script(script))
    execute_script(op.get_bind(), QueryBuilderEnvironment().build_install_query())
