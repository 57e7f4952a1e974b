"""SQL of what is said about cases, and of what coverage asks about their exhibits; and the projections of these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from evidence.cases.dossier import StatementRow
from evidence.cases.footage import ExhibitFootage, footage_of
from evidence.custody.recorded import Projection, RecordedEvent
from evidence.db.paging import FIRST_ID
from evidence.db.pool import Connection
from evidence.registers.attribution_store import starts_of


def project_statement(kind: str | None = None) -> Projection:
    """Return the projection that inserts the row of an event; its kind is the statement's own unless given."""

    async def project(conn: Connection, event: RecordedEvent) -> None:
        await conn.execute(
            """INSERT INTO case_statement (entry_id, case_id, kind, content, stated_by, stated_at)
               VALUES ($1, $2, $3, $4, $5, $6)""",
            event.entry_id,
            UUID(str(event.payload["case"])),
            kind or event.payload["statement"]["kind"],  # type: ignore[index,call-overload]  # its model was checked
            event.payload,
            event.actor,
            event.at,
        )

    return project


async def statements_of(
    conn: Connection, case_id: UUID, *, after: UUID | None = None, limit: int | None = None
) -> Sequence[StatementRow]:
    """Return what was said about a case, in the order of the entries, behind the entry `after`."""
    rows = await conn.fetch(
        """SELECT entry_id, case_id, kind, content, stated_by, stated_at FROM case_statement
           WHERE case_id = $1 AND entry_id > $2 ORDER BY entry_id LIMIT $3""",
        case_id,
        after or FIRST_ID,
        limit,
    )
    return [StatementRow(**dict(row)) for row in rows]


async def archived_by(conn: Connection, case_id: UUID) -> UUID | None:
    """Return the entry that archived a case; None while it is open."""
    entry: UUID | None = await conn.fetchval(
        "SELECT entry_id FROM case_statement WHERE case_id = $1 AND kind = 'archived'", case_id
    )
    return entry


async def footage_in(conn: Connection, case_id: UUID) -> list[ExhibitFootage]:
    """Return the exhibits of a case as coverage sees them, in order of their numbers."""
    rows = await conn.fetch(
        """SELECT l.exhibit, l.clip, s.recorder, s.officer, s.recorded_at AS shown_at,
                  (SELECT d.probe FROM clip_derivation d WHERE d.clip = l.clip
                   ORDER BY d.entry_id DESC LIMIT 1) AS probe,
                  coalesce(a.version, 0) AS version, a.content
           FROM case_exhibit l JOIN clip c USING (clip) JOIN clip_source s ON s.entry_id = c.entry_id
           LEFT JOIN LATERAL (SELECT version, content FROM clip_annotation WHERE clip = l.clip
                              ORDER BY version DESC LIMIT 1) a ON true
           WHERE l.case_id = $1 ORDER BY l.exhibit""",
        case_id,
    )
    began = await starts_of(conn, [row["clip"] for row in rows])
    return [footage_of(**dict(row), recorded_at=began.get(row["clip"], row["shown_at"])) for row in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenRow:
    """A sealed file as a manifest names it; digests of 32 bytes."""

    clip: UUID
    name: str
    size: int
    sha256: bytes
    root: bytes
    entry_id: UUID


async def frozen_rows(conn: Connection, clips: Sequence[UUID]) -> dict[UUID, FrozenRow]:
    """Return sealed files by their ids."""
    rows = await conn.fetch(
        "SELECT clip, name, size, sha256, root, entry_id FROM clip WHERE clip = ANY($1)", list(clips)
    )
    return {row["clip"]: FrozenRow(**dict(row)) for row in rows}


async def annotation_entries(conn: Connection, clips: Sequence[UUID]) -> dict[UUID, tuple[int, UUID]]:
    """Return version and entry of the annotation that counts, of those clips that have one."""
    rows = await conn.fetch(
        """SELECT DISTINCT ON (clip) clip, version, entry_id FROM clip_annotation WHERE clip = ANY($1)
           ORDER BY clip, version DESC""",
        list(clips),
    )
    return {row["clip"]: (row["version"], row["entry_id"]) for row in rows}


async def numbers_given(conn: Connection, case_id: UUID) -> list[int]:
    """Return every exhibit number that was ever given in a case, in order."""
    rows = await conn.fetch("SELECT exhibit FROM case_clip WHERE case_id = $1 ORDER BY exhibit", case_id)
    return [row["exhibit"] for row in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitedFile:
    """A file that a dock saw on a recorder and that never came."""

    recorder: str
    path: str
    recorded_at: datetime


async def files_awaited(conn: Connection, *, recorder: str, start: datetime, end: datetime) -> Sequence[AwaitedFile]:
    """Return files on a recorder, named from `start` to `end` by its clock, that docks saw and that never came."""
    rows = await conn.fetch(
        """SELECT DISTINCT i.recorder, f.path, f.recorded_at
           FROM dock_inventory i JOIN dock_inventory_file f USING (inventory)
           WHERE i.recorder = $1 AND f.recorded_at BETWEEN $2 AND $3 AND f.size > 0 AND NOT EXISTS (
                 SELECT FROM clip_source s JOIN clip USING (clip)
                 WHERE s.recorder = i.recorder AND s.path = f.path AND s.raw = f.raw AND clip.size = f.size)
           ORDER BY f.recorded_at, f.path LIMIT 100""",
        recorder,
        start,
        end,
    )
    return [AwaitedFile(**dict(row)) for row in rows]


async def recorders_of(conn: Connection, clips: Sequence[UUID]) -> dict[UUID, str]:
    """Return the recorder of each clip that came from one."""
    rows = await conn.fetch(
        """SELECT c.clip, s.recorder FROM clip c JOIN clip_source s USING (entry_id)
           WHERE c.clip = ANY($1) AND s.recorder IS NOT NULL""",
        list(clips),
    )
    return {row["clip"]: row["recorder"] for row in rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlinkedRow:
    """An exhibit that is none any more."""

    exhibit: int
    clip: UUID
    reason: str
    entry_id: UUID


async def unlinked_in(conn: Connection, case_id: UUID) -> Sequence[UnlinkedRow]:
    """Return the exhibits of a case that are none any more, in order of their numbers."""
    rows = await conn.fetch(
        """SELECT (content ->> 'exhibit')::integer AS exhibit, (content ->> 'clip')::uuid AS clip,
                  content ->> 'reason' AS reason, entry_id
           FROM case_statement WHERE case_id = $1 AND kind = 'unlinked' ORDER BY 1""",
        case_id,
    )
    return [UnlinkedRow(**dict(row)) for row in rows]


async def blocked_among(conn: Connection, clips: Sequence[UUID]) -> frozenset[UUID]:
    """Return those of some clips that are blocked until a named person says whose they are."""
    rows = await conn.fetch("SELECT clip FROM clip_attribution WHERE clip = ANY($1) AND blocked", list(clips))
    return frozenset(row["clip"] for row in rows)
