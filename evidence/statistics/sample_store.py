"""SQL of samples and prices, and of the population of cases at a checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from evidence.custody.recorded import RecordedEvent
from evidence.custody.statistics_payloads import SampleCommitted, SampleDrawn, SampleScored, StoragePriced
from evidence.db.paging import LAST_ID
from evidence.db.pool import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A sample; what is None was not drawn yet. Digests of 32 bytes."""

    sample: UUID
    commitment: bytes
    size: int
    root: bytes
    population: int
    population_sha256: bytes
    draw: int
    rule: str
    purpose: str
    committed_at: datetime
    committed_by: str
    entry_id: UUID
    seed: bytes | None
    drawn_size: int | None
    drawn_root: bytes | None
    cases: list[str] | None
    drawn_at: datetime | None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A published state of the log."""

    size: int
    root: bytes


async def project_storage_priced(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `storage.priced`."""
    body = StoragePriced.model_validate(event.payload)
    await conn.execute(
        """INSERT INTO storage_price (price, hundredths, currency, citation, stated_at, stated_by, entry_id)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        body.price,
        body.hundredths,
        body.currency,
        body.citation,
        event.at,
        event.actor,
        event.entry_id,
    )


async def project_sample_committed(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `sample.committed`."""
    body = SampleCommitted.model_validate(event.payload)
    await conn.execute(
        """INSERT INTO case_sample (sample, commitment, size, root, population, population_sha256, draw, rule, purpose,
                                    committed_at, committed_by, entry_id)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)""",
        *(body.sample, body.commitment, body.size, body.root, body.population, body.population_sha256),
        *(body.draw, body.rule, body.purpose, event.at, event.actor, event.entry_id),
    )


async def project_sample_drawn(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `sample.drawn`."""
    body = SampleDrawn.model_validate(event.payload)
    await conn.execute(
        """INSERT INTO case_sample_draw (sample, seed, size, root, cases, drawn_at, drawn_by, entry_id)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)""",
        *(body.sample, body.seed, body.size, body.root, [str(case) for case in body.cases]),
        *(event.at, event.actor, event.entry_id),
    )


async def project_sample_scored(conn: Connection, event: RecordedEvent) -> None:
    """Insert the row of `sample.scored`."""
    body = SampleScored.model_validate(event.payload)
    await conn.execute(
        """INSERT INTO case_sample_score (entry_id, sample, case_id, points, note, scored_at, scored_by, sheet)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)""",
        *(event.entry_id, body.sample, body.case, body.points, body.note, event.at, event.actor),
        None if body.sheet is None else [row.model_dump(mode="json", exclude_none=True) for row in body.sheet],
    )


_ASSESSED = ("points", "note", "scored_by", "sheet")

_SAMPLES = """
    SELECT s.sample, s.commitment, s.size, s.root, s.population, s.population_sha256, s.draw, s.rule, s.purpose,
           s.committed_at, s.committed_by, s.entry_id, d.seed, d.size AS drawn_size, d.root AS drawn_root, d.cases,
           d.drawn_at
    FROM case_sample s LEFT JOIN case_sample_draw d USING (sample)
"""


async def find_sample(conn: Connection, sample: UUID) -> Sample | None:
    """Return a sample by its id."""
    row = await conn.fetchrow(f"{_SAMPLES} WHERE s.sample = $1", sample)
    return None if row is None else Sample(**dict(row))


async def samples_before(conn: Connection, *, before: UUID | None, limit: int) -> Sequence[Sample]:
    """Return samples, the newest first, older than `before`."""
    rows = await conn.fetch(f"{_SAMPLES} WHERE s.sample < $1 ORDER BY s.sample DESC LIMIT $2", before or LAST_ID, limit)
    return [Sample(**dict(row)) for row in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What somebody found in a case: points out of a hundred, and the rows of their sheet where one was used."""

    points: int
    note: str
    scored_by: str
    sheet: list[dict[str, Any]] | None


async def scores_of(conn: Connection, sample: UUID) -> dict[UUID, Assessment]:
    """Return the assessment of every case of a sample that was scored; the newest counts."""
    rows = await conn.fetch(
        """SELECT DISTINCT ON (case_id) case_id, points, note, scored_by, sheet FROM case_sample_score
           WHERE sample = $1 ORDER BY case_id, entry_id DESC""",
        sample,
    )
    return {row["case_id"]: Assessment(**{name: row[name] for name in _ASSESSED}) for row in rows}


async def checkpoint_at(conn: Connection, size: int | None) -> Checkpoint | None:
    """Return the published checkpoint of a size, or the newest one."""
    row = await conn.fetchrow(
        """SELECT p.size, c.root FROM ledger_publication p JOIN ledger_checkpoint c USING (size)
           WHERE p.size > 0 AND ($1::bigint IS NULL OR p.size = $1) ORDER BY p.size DESC LIMIT 1""",
        size,
    )
    return None if row is None else Checkpoint(row["size"], row["root"])


async def first_checkpoint_with(conn: Connection, entry: UUID) -> Checkpoint | None:
    """Return the first published checkpoint that contains an entry."""
    row = await conn.fetchrow(
        """SELECT p.size, c.root FROM ledger_leaf l JOIN ledger_publication p ON p.size > l.index
           JOIN ledger_checkpoint c USING (size) WHERE l.entry_id = $1 ORDER BY p.size LIMIT 1""",
        entry,
    )
    return None if row is None else Checkpoint(row["size"], row["root"])


async def cases_at(conn: Connection, size: int) -> list[UUID]:
    """Return the cases that the log's first `size` entries open, in its order."""
    rows = await conn.fetch(
        "SELECT c.case_id FROM case_file c JOIN ledger_leaf l USING (entry_id) WHERE l.index < $1 ORDER BY l.index",
        size,
    )
    return [row["case_id"] for row in rows]
