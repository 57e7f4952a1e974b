"""SQL of recorders' sequences: sightings to compare, comparisons and findings on record, and their projections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from evidence.core.wire.fields import take_integer, take_list, take_object, take_optional, take_text, take_uuid
from evidence.custody.recorded import RecordedEvent
from evidence.db.pool import Connection

_FINDINGS_MAX = 10_000
_FINDING_NAMES = frozenset({"code", "weight", "facts"})


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryRow:
    """One inventory of a recorder, without its files; times as the dock stated them."""

    inventory: UUID
    dock: UUID
    seen_at: datetime
    docking: Mapping[str, Any] | None
    files: int
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRow:
    """One file of an inventory, in the recorder's order."""

    inventory: UUID
    path: str
    raw: bool
    size: int
    modified_at: datetime
    recorded_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedRow:
    """A file that was sealed, as its own inventory listed it; `duration_ms` where it was decoded."""

    path: str
    raw: bool
    size: int
    modified_at: datetime
    duration_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingRow:
    """One finding on record, with what people said about it.

    Attributes:
        entry_id: The comparison it is of; with `place` the finding's name.
        settled: Whether every file that it names as vanished was sealed afterwards.
        explanations: What was said, oldest first.
    """

    entry_id: UUID
    place: int
    recorder: str
    inventory: UUID
    dock: UUID
    code: str
    weight: str
    facts: Mapping[str, Any]
    compared_at: datetime
    settled: bool
    explanations: Sequence[Mapping[str, Any]]

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to look: it weighs something, nobody explained it, and nothing settled it."""
        return self.weight != "info" and not self.settled and not self.explanations


async def project_recorder_compared(conn: Connection, event: RecordedEvent) -> None:
    """Insert the rows of `recorder.compared`."""
    body = event.payload
    recorder, inventory = take_text(body["recorder"], where="recorder"), take_uuid(body["inventory"], where="inventory")
    findings = take_list(body["findings"], where="findings", count_max=_FINDINGS_MAX)
    await conn.execute(
        """INSERT INTO recorder_comparison (entry_id, recorder, dock, inventory, previous, findings, compared_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        event.entry_id,
        recorder,
        take_uuid(body["dock"], where="dock"),
        inventory,
        take_optional(body["previous"], take_uuid, where="previous"),
        len(findings),
        event.at,
    )
    said = [take_object(finding, names=_FINDING_NAMES, where="finding") for finding in findings]
    # Rows with JSON cannot be copied in: the codec writes text.
    await conn.executemany(
        """INSERT INTO recorder_finding (entry_id, place, recorder, inventory, code, weight, facts)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        [
            (event.entry_id, place, recorder, inventory, one["code"], one["weight"], one["facts"])
            for place, one in enumerate(said)
        ],
    )


async def project_finding_explained(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `recorder.finding_explained`."""
    body = event.payload
    await conn.execute(
        """INSERT INTO recorder_explanation (entry_id, finding, place, recorder, said, explained_at, explained_by)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        event.entry_id,
        take_uuid(body["finding"], where="finding"),
        take_integer(body["place"], where="place"),
        take_text(body["recorder"], where="recorder"),
        take_text(body["text"], where="text"),
        event.at,
        event.actor,
    )


async def find_inventory_of(conn: Connection, inventory: UUID) -> tuple[str, UUID] | None:
    """Return the recorder and the dock of an inventory on record."""
    row = await conn.fetchrow("SELECT recorder, dock FROM dock_inventory WHERE inventory = $1", inventory)
    return None if row is None else (row["recorder"], row["dock"])


async def newest_inventories(conn: Connection, recorder: str, *, limit: int) -> Sequence[InventoryRow]:
    """Return the inventories of a recorder that arrived last, by whichever dock, newest first."""
    rows = await conn.fetch(
        """SELECT inventory, dock, seen_at, docking, files, received_at FROM dock_inventory
           WHERE recorder = $1 ORDER BY received_at DESC, inventory DESC LIMIT $2""",
        recorder,
        limit,
    )
    return [InventoryRow(**dict(row)) for row in rows]


async def files_of(conn: Connection, inventories: Sequence[UUID]) -> Sequence[FileRow]:
    """Return the files of some inventories, each in the recorder's order."""
    rows = await conn.fetch(
        """SELECT inventory, path, raw, size, modified_at, recorded_at FROM dock_inventory_file
           WHERE inventory = ANY($1) ORDER BY inventory, place""",
        list(inventories),
    )
    return [FileRow(**dict(row)) for row in rows]


async def sealed_files(conn: Connection, recorder: str, paths: Sequence[str]) -> Sequence[SealedRow]:
    """Return what was sealed of a recorder under some paths, whichever dock brought it."""
    rows = await conn.fetch(
        """SELECT s.path, s.raw, f.size, f.modified_at,
                  (SELECT (d.probe -> 'container' ->> 'duration_ms')::bigint FROM clip_derivation d
                   WHERE d.clip = s.clip ORDER BY d.entry_id DESC LIMIT 1) AS duration_ms
           FROM clip_source s
           JOIN dock_inventory_file f ON f.inventory = s.inventory AND f.path = s.path AND f.raw = s.raw
           WHERE s.recorder = $1 AND s.path = ANY($2)""",
        recorder,
        list(paths),
    )
    return [SealedRow(**dict(row)) for row in rows]


async def recorded_findings(conn: Connection, inventory: UUID) -> Sequence[tuple[str, Mapping[str, Any]]] | None:
    """Return code and facts of each finding of the newest comparison of an inventory; None when there is none."""
    entry = await conn.fetchval(
        "SELECT entry_id FROM recorder_comparison WHERE inventory = $1 ORDER BY entry_id DESC LIMIT 1", inventory
    )
    if entry is None:
        return None
    rows = await conn.fetch("SELECT code, facts FROM recorder_finding WHERE entry_id = $1 ORDER BY place", entry)
    return [(row["code"], row["facts"]) for row in rows]


_COUNTING = """NOT EXISTS (
    SELECT FROM recorder_comparison later WHERE later.inventory = c.inventory AND later.entry_id > c.entry_id)"""
"""Condition of a comparison `c`: none of the same inventory came after it."""

SETTLED = """(f.code = 'recorder.file_vanished' AND (f.facts ->> 'count')::bigint = (
    SELECT count(*) FROM jsonb_array_elements(f.facts -> 'files') gone
    WHERE EXISTS (
        SELECT FROM clip_source s JOIN clip USING (clip)
        WHERE s.recorder = f.recorder AND s.path = gone ->> 'path' AND clip.size = (gone ->> 'size')::bigint)))"""
"""Whether all that was missed when the finding `f` was made has been sealed since."""

_FINDINGS = f"""
SELECT f.entry_id, f.place, f.recorder, f.inventory, c.dock, f.code, f.weight, f.facts, c.compared_at,
       {SETTLED} AS settled,
       coalesce((SELECT jsonb_agg(jsonb_build_object('text', e.said, 'at', e.explained_at, 'by', e.explained_by)
                                  ORDER BY e.entry_id)
                 FROM recorder_explanation e WHERE e.finding = f.entry_id AND e.place = f.place), '[]') AS explanations
FROM recorder_comparison c JOIN recorder_finding f USING (entry_id)
"""  # noqa: S608 - conditions of this module


async def findings_of(
    conn: Connection, recorder: str | None, *, before: tuple[UUID, int] | None, limit: int
) -> Sequence[FindingRow]:
    """Return what counts about a recorder, or about all, newest first, beginning behind the finding `before`."""
    rows = await conn.fetch(
        f"""{_FINDINGS} WHERE ($1::text IS NULL OR c.recorder = $1) AND {_COUNTING}
            AND ($2::uuid IS NULL OR f.entry_id < $2 OR (f.entry_id = $2 AND f.place > $3))
            ORDER BY f.entry_id DESC, f.place LIMIT $4""",
        recorder,
        before[0] if before else None,
        before[1] if before else 0,
        limit,
    )
    return [FindingRow(**dict(row)) for row in rows]


async def find_finding(conn: Connection, *, finding: UUID, place: int) -> FindingRow | None:
    """Return one finding, whether it still counts or not."""
    row = await conn.fetchrow(f"{_FINDINGS} WHERE f.entry_id = $1 AND f.place = $2", finding, place)
    return None if row is None else FindingRow(**dict(row))


async def open_findings(conn: Connection, recorders: Sequence[str]) -> Mapping[str, int]:
    """Count for each recorder the findings that nobody has explained and nothing has settled."""
    rows = await conn.fetch(
        f"""SELECT f.recorder, count(*) AS count FROM recorder_comparison c JOIN recorder_finding f USING (entry_id)
            WHERE c.recorder = ANY($1) AND f.weight <> 'info' AND {_COUNTING} AND NOT {SETTLED}
              AND NOT EXISTS (SELECT FROM recorder_explanation e WHERE e.finding = f.entry_id AND e.place = f.place)
            GROUP BY f.recorder""",  # noqa: S608 - conditions of this module
        list(recorders),
    )
    return {row["recorder"]: row["count"] for row in rows}
