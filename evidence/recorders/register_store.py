"""SQL of the register: whose which recorder is, and recorders as they stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from evidence.core.clock import parse_time
from evidence.core.wire.fields import take_optional, take_text, take_uuid
from evidence.custody.recorded import RecordedEvent
from evidence.db.pool import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A stretch of time in which a recorder is one officer's, or nobody's; `until` is None for the present one."""

    recorder: str
    officer: UUID | None
    number: str | None
    name: str | None
    unit: str | None
    since: datetime
    until: datetime | None
    assigned_at: datetime
    assigned_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderRow:
    """A recorder as it stands.

    Attributes:
        docked_at: When a dock saw it last, by that dock's clock; None when it was assigned and never docked.
        dock: Which dock that was.
        waiting: Files of that inventory that are not sealed.
        officer, number, name, unit: Whose it is now.
    """

    recorder: str
    docked_at: datetime | None
    dock: UUID | None
    dock_name: str | None
    files: int
    waiting: int
    officer: UUID | None
    number: str | None
    name: str | None
    unit: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitRow:
    """How many officers a unit has, and how many recorders its officers hold."""

    unit: str
    officers: int
    recorders: int


async def project_recorder_assigned(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `recorder.assigned`."""
    await conn.execute(
        """INSERT INTO recorder_assignment (entry_id, assignment, recorder, officer, since, assigned_at, assigned_by)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        event.entry_id,
        take_uuid(event.payload["assignment"], where="assignment"),
        take_text(event.payload["recorder"], where="recorder"),
        take_optional(event.payload["officer"], take_uuid, where="officer"),
        parse_time(take_text(event.payload["since"], where="since")),
        event.at,
        event.actor,
    )


_OFFICERS = """(
    SELECT DISTINCT ON (officer) officer, number, name, unit, registered_at FROM officer
    ORDER BY officer, entry_id DESC
)"""

# Of several assignments from the same moment on the one that was stated last counts.
_HELD = """(
    SELECT DISTINCT ON (recorder) recorder, officer FROM recorder_assignment
    WHERE since <= $1 ORDER BY recorder, since DESC, entry_id DESC
)"""


async def holdings_of(conn: Connection, recorder: str) -> Sequence[Holding]:
    """Return whose a recorder was when, oldest first."""
    rows = await conn.fetch(
        f"""SELECT a.recorder, a.officer, o.number, o.name, o.unit, a.since,
                   lead(a.since) OVER (ORDER BY a.since, a.entry_id) AS until, a.assigned_at, a.assigned_by
            FROM recorder_assignment a LEFT JOIN {_OFFICERS} o USING (officer)
            WHERE a.recorder = $1 ORDER BY a.since, a.entry_id""",  # noqa: S608 - a table of this module
        recorder,
    )
    return [Holding(**dict(row)) for row in rows]


async def recorder_is_known(conn: Connection, recorder: str) -> bool:
    """Tell whether a dock ever saw a recorder, or somebody was given it."""
    return bool(
        await conn.fetchval(
            """SELECT EXISTS (SELECT FROM dock_inventory WHERE recorder = $1)
                   OR EXISTS (SELECT FROM recorder_assignment WHERE recorder = $1)""",
            recorder,
        )
    )


async def list_recorders(conn: Connection, *, now: datetime, after: str, limit: int) -> Sequence[RecorderRow]:
    """Return recorders in order of their numbers, beginning behind `after`."""
    rows = await conn.fetch(
        f"""WITH RECURSIVE seen AS (
                (SELECT min(recorder) AS recorder FROM dock_inventory WHERE recorder > $2)
                UNION ALL
                SELECT (SELECT min(i.recorder) FROM dock_inventory i WHERE i.recorder > seen.recorder)
                FROM seen WHERE seen.recorder IS NOT NULL),
            named AS (
                SELECT recorder FROM (SELECT recorder FROM seen WHERE recorder IS NOT NULL LIMIT $3) docked
                UNION SELECT recorder FROM recorder_assignment WHERE recorder > $2
                ORDER BY recorder LIMIT $3)
            SELECT named.recorder, i.seen_at AS docked_at, i.dock, d.name AS dock_name, coalesce(i.files, 0) AS files,
                   (SELECT count(*) FROM dock_inventory_file f
                    WHERE f.inventory = i.inventory AND f.size > 0 AND NOT EXISTS (
                        SELECT FROM clip_source s JOIN clip USING (clip)
                        WHERE s.recorder = named.recorder AND s.path = f.path AND s.raw = f.raw AND clip.size = f.size)
                   ) AS waiting,
                   h.officer, o.number, o.name, o.unit
            FROM named
            LEFT JOIN LATERAL (
                SELECT * FROM dock_inventory WHERE dock_inventory.recorder = named.recorder
                ORDER BY received_at DESC, inventory DESC LIMIT 1) i ON true
            LEFT JOIN dock d ON d.dock = i.dock
            LEFT JOIN {_HELD} h ON h.recorder = named.recorder
            LEFT JOIN {_OFFICERS} o ON o.officer = h.officer
            ORDER BY named.recorder""",  # noqa: S608 - tables of this module
        now,
        after,
        limit,
    )
    return [RecorderRow(**dict(row)) for row in rows]


async def units(conn: Connection, *, now: datetime) -> Sequence[UnitRow]:
    """Return every unit that has officers, with the recorders that they hold now."""
    rows = await conn.fetch(
        f"""SELECT o.unit, count(DISTINCT o.officer) AS officers, count(h.recorder) AS recorders
            FROM {_OFFICERS} o LEFT JOIN {_HELD} h ON h.officer = o.officer GROUP BY o.unit ORDER BY o.unit""",  # noqa: S608
        now,
    )
    return [UnitRow(**dict(row)) for row in rows]
