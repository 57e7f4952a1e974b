"""Revision 0001: the first schema, package by package, and the job queue's own tables."""

from __future__ import annotations

from alembic import op
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment
from pgqueuer.domain.settings import DBSettings
from pgqueuer.domain.types import Channel

from evidence.db.migrate import FIRST_SCHEMA, execute_script, read_script

revision = "0001"
down_revision = None

# Spelled out because pgqueuer reads names that are not given from environment variables as common as `TRIGGER`.
_QUEUE = DBSettings(
    prefix="",
    channel=Channel("ch_pgqueuer"),
    function="fn_pgqueuer_changed",
    statistics_table="pgqueuer_statistics",
    queue_status_type="pgqueuer_status",
    queue_table="pgqueuer",
    queue_table_log="pgqueuer_log",
    trigger="tg_pgqueuer_changed",
    schedules_table="pgqueuer_schedules",
)


def upgrade() -> None:
    """Create everything."""
    for script in FIRST_SCHEMA:
        execute_script(op.get_bind(), read_script(script))
    execute_script(op.get_bind(), QueryBuilderEnvironment(_QUEUE).build_install_query())
