"""SQL of uploads: the row is the truth about an upload, its file only carries the bytes.

Every change names the state it starts from, so that two processes can never both make it. Moving the offset also names
the writer: a request whose upload was taken over changes nothing any more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

import asyncpg

from evidence.db.paging import FIRST_ID
from evidence.db.pool import Connection, Pool


class UploadState(StrEnum):
    """Life of an upload: `open` -> `complete` -> one of the three ends."""

    OPEN = "open"
    COMPLETE = "complete"
    SEALED = "sealed"
    QUARANTINED = "quarantined"
    TERMINATED = "terminated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a file comes from, settled when its upload is created.

    Attributes:
        name: Last part of the path.
        path: As the sender has it, see `ingest.names`; of a dock: as inventoried.
        raw: Whether the path is escaped because its bytes are not UTF-8.
        recorder, dock, inventory: Of a dock's upload, else None.
        recorded_at, officer, key_mark: As inventoried; None and False for staff uploads.
    """

    name: str
    path: str
    raw: bool = False
    recorder: str | None = None
    dock: UUID | None = None
    inventory: UUID | None = None
    recorded_at: datetime | None = None
    officer: str | None = None
    key_mark: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadRow:
    """One upload as the database knows it; `length` and `offset` in bytes, digests of 32 bytes.

    `updated_at` is when its sender was last heard of; None before it is inserted. `partial`, `parts` and `final` belong
    to concatenation: a part, the parts of a final upload in order, and which final upload a part belongs to.
    """

    id: UUID
    actor: str
    spool: UUID
    length: int | None
    metadata: Mapping[str, str]
    source: Source
    created_at: datetime
    offset: int = 0
    state: UploadState = UploadState.OPEN
    writer: UUID | None = None
    sha256: bytes | None = None
    root: bytes | None = None
    sm3: bytes | None = None
    manifest: str | None = None
    clip: UUID | None = None
    entry: UUID | None = None
    repeated: bool | None = None
    code: str | None = None
    reason: str | None = None
    updated_at: datetime | None = None
    partial: bool = False
    parts: tuple[UUID, ...] | None = None
    final: UUID | None = None

    @property
    def seals_itself(self) -> bool:
        """Whether it becomes a clip as soon as it is complete: it is no part, and no dock owes a manifest for it."""
        return self.source.dock is None and not self.partial

    @property
    def waits_for_sender(self) -> bool:
        """Whether nothing happens to it unless its sender comes again: with bytes, a manifest, or the other parts."""
        if self.final is not None or (self.state is UploadState.OPEN and self.parts is not None):
            return False
        if self.state is UploadState.COMPLETE:
            return not self.seals_itself and self.sha256 is None
        return self.state is UploadState.OPEN


_Executor: TypeAlias = "Pool | Connection"


async def insert(db: _Executor, row: UploadRow) -> None:
    """Insert a new, open upload."""
    source = row.source
    await db.execute(
        """INSERT INTO upload (id, actor, spool, length, metadata, state, name, path, raw, recorder, dock, inventory,
               recorded_at, officer, key_mark, created_at, updated_at, partial, parts)
           VALUES ($1, $2, $3, $4, $5, 'open', $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15, $16, $17)""",
        row.id,
        row.actor,
        row.spool,
        row.length,
        dict(row.metadata),
        source.name,
        source.path,
        source.raw,
        source.recorder,
        source.dock,
        source.inventory,
        source.recorded_at,
        source.officer,
        source.key_mark,
        row.created_at,
        row.partial,
        row.parts,
    )


async def find(db: _Executor, upload: UUID) -> UploadRow | None:
    """Return an upload, or None."""
    record = await db.fetchrow("SELECT * FROM upload WHERE id = $1", upload)
    return None if record is None else _row(record)


async def lock(conn: Connection, upload: UUID) -> UploadRow | None:
    """Return an upload and hold its row until the transaction ends."""
    record = await conn.fetchrow("SELECT * FROM upload WHERE id = $1 FOR UPDATE", upload)
    return None if record is None else _row(record)


async def unfinished(db: _Executor, *, spool: UUID, states: Sequence[UploadState]) -> list[UploadRow]:
    """Return this spool's uploads in the given states, oldest first."""
    records = await db.fetch(
        "SELECT * FROM upload WHERE spool = $1 AND state = ANY($2::text[]) ORDER BY id", spool, [str(s) for s in states]
    )
    return [_row(record) for record in records]


async def growing(db: _Executor, *, spool: UUID, bytes_min: int) -> list[UploadRow]:
    """Return this spool's uploads of unknown length that have come that far, oldest first.

    Parts are not among them, nor what controllers bring: they leave the length open for another reason, and after a cut
    send all of it again, so that every attempt would leave a beginning on record.
    """
    records = await db.fetch(
        """SELECT * FROM upload WHERE spool = $1 AND state = 'open' AND length IS NULL AND NOT partial
               AND actor NOT LIKE 'controller:%' AND offset_bytes >= $2 ORDER BY id""",
        spool,
        bytes_min,
    )
    return [_row(record) for record in records]


async def quarantined(db: _Executor, *, after: UUID | None, limit: int) -> list[UploadRow]:
    """Return uploads in quarantine in the order of ids, behind `after`, at most `limit`."""
    records = await db.fetch(
        "SELECT * FROM upload WHERE state = 'quarantined' AND id > $1 ORDER BY id LIMIT $2", after or FIRST_ID, limit
    )
    return [_row(record) for record in records]


async def idle(db: _Executor, *, spool: UUID, since: datetime) -> list[UploadRow]:
    """Return this spool's uploads that wait for a sender who has not been heard of since, oldest first."""
    records = await db.fetch(
        """SELECT * FROM upload
           WHERE spool = $1 AND state IN ('open', 'complete') AND updated_at <= $2 ORDER BY id""",
        spool,
        since,
    )
    return [row for row in map(_row, records) if row.waits_for_sender]


async def outstanding_bytes(db: _Executor, *, spool: UUID) -> int:
    """Return how many announced bytes this spool still has to take in."""
    count: int = await db.fetchval(
        "SELECT coalesce(sum(length - offset_bytes), 0)::bigint FROM upload WHERE spool = $1 AND state = 'open'", spool
    )
    return count


async def declare_length(db: _Executor, upload: UUID, *, length: int, at: datetime) -> bool:
    """Set a deferred length, once, and close the upload when all of it is there; tell whether it was set."""
    status = await db.execute(
        """UPDATE upload SET length = $2, updated_at = $3,
               state = CASE WHEN offset_bytes = $2 THEN 'complete' ELSE state END
           WHERE id = $1 AND state = 'open' AND length IS NULL AND offset_bytes <= $2""",
        upload,
        length,
        at,
    )
    return _changed(status)


async def claim(db: _Executor, upload: UUID, *, offset: int, writer: UUID, at: datetime) -> bool:
    """Make `writer` the one request that may move the offset, if it stands at `offset`; tell whether it does."""
    status = await db.execute(
        "UPDATE upload SET writer = $3, updated_at = $4 WHERE id = $1 AND state = 'open' AND offset_bytes = $2",
        upload,
        offset,
        writer,
        at,
    )
    return _changed(status)


async def is_writer(db: _Executor, upload: UUID, *, writer: UUID) -> bool:
    """Tell whether a request is still the one that may move the offset."""
    answer: bool = await db.fetchval(
        "SELECT EXISTS (SELECT FROM upload WHERE id = $1 AND state = 'open' AND writer = $2)", upload, writer
    )
    return answer


async def acknowledge(db: _Executor, upload: UUID, *, writer: UUID, offset: int, at: datetime) -> UploadState | None:
    """Move the offset forward, never back, and close the upload at its length.

    Returns:
        The state after it, or None when the writer lost the upload and nothing was changed.
    """
    state: str | None = await db.fetchval(
        """UPDATE upload SET offset_bytes = $3, updated_at = $4,
               state = CASE WHEN length = $3 THEN 'complete' ELSE state END
           WHERE id = $1 AND writer = $2 AND state = 'open' AND offset_bytes <= $3
           RETURNING state""",
        upload,
        writer,
        offset,
        at,
    )
    return None if state is None else UploadState(state)


async def intend_seal(
    db: _Executor, upload: UUID, *, sha256: bytes, root: bytes, sm3: bytes | None, manifest: str | None, at: datetime
) -> bool:
    """Keep what is about to be sealed; tell whether the upload was still waiting for it."""
    status = await db.execute(
        """UPDATE upload SET sha256 = $2, root = $3, manifest = $4, updated_at = $5, sm3 = $6
           WHERE id = $1 AND state = 'complete'""",
        upload,
        sha256,
        root,
        manifest,
        at,
        sm3,
    )
    return _changed(status)


async def finish_sealed(
    conn: Connection, upload: UUID, *, clip: UUID, entry: UUID, repeated: bool, at: datetime
) -> None:
    """Close a complete upload as sealed."""
    await conn.execute(
        """UPDATE upload SET state = 'sealed', clip = $2, entry = $3, repeated = $4, writer = NULL, updated_at = $5
           WHERE id = $1 AND state = 'complete'""",
        upload,
        clip,
        entry,
        repeated,
        at,
    )


async def finish_quarantined(conn: Connection, upload: UUID, *, code: str, reason: str, at: datetime) -> bool:
    """Close an upload whose bytes lie in quarantine; tell whether it was still under way."""
    status = await conn.execute(
        """UPDATE upload SET state = 'quarantined', code = $2, reason = $3, writer = NULL, updated_at = $4
           WHERE id = $1 AND state IN ('open', 'complete')""",
        upload,
        code,
        reason,
        at,
    )
    return _changed(status)


async def finish_terminated(
    db: _Executor,
    upload: UUID,
    *,
    at: datetime,
    code: str | None = None,
    reason: str | None = None,
    clip: UUID | None = None,
) -> bool:
    """Close an upload that leads to no clip of its own; tell whether it was still under way."""
    status = await db.execute(
        """UPDATE upload SET state = 'terminated', code = $2, reason = $3, clip = $4, writer = NULL, updated_at = $5
           WHERE id = $1 AND state IN ('open', 'complete')""",
        upload,
        code,
        reason,
        clip,
        at,
    )
    return _changed(status)


async def find_all(db: _Executor, uploads: Sequence[UUID]) -> dict[UUID, UploadRow]:
    """Return those of some uploads that there are."""
    records = await db.fetch("SELECT * FROM upload WHERE id = ANY($1::uuid[])", list(uploads))
    return {record["id"]: _row(record) for record in records}


async def take_parts(conn: Connection, final: UUID, *, parts: Sequence[UUID], at: datetime) -> int:
    """Give complete parts that nobody has to a final upload; return how many were free."""
    status = await conn.execute(
        """UPDATE upload SET final = $1, updated_at = $3
           WHERE id = ANY($2::uuid[]) AND partial AND state = 'complete' AND final IS NULL""",
        final,
        list(parts),
        at,
    )
    return int(status.rpartition(" ")[2])


async def finals_with_parts(db: _Executor, *, spool: UUID) -> list[UploadRow]:
    """Return this spool's final uploads that still hold parts, oldest first."""
    records = await db.fetch(
        """SELECT * FROM upload u WHERE spool = $1 AND parts IS NOT NULL
               AND EXISTS (SELECT FROM upload p WHERE p.final = u.id AND p.state = 'complete') ORDER BY id""",
        spool,
    )
    return [_row(record) for record in records]


async def close_parts(db: _Executor, final: UUID, *, code: str, at: datetime) -> list[UUID]:
    """End the parts whose bytes are in their final upload; return which."""
    records = await db.fetch(
        """UPDATE upload SET state = 'terminated', code = $2, updated_at = $3
           WHERE final = $1 AND state = 'complete' RETURNING id""",
        final,
        code,
        at,
    )
    return [record["id"] for record in records]


async def release_parts(db: _Executor, final: UUID, *, at: datetime) -> None:
    """Take parts away from a final upload that did not come about, for another one to use."""
    await db.execute(
        "UPDATE upload SET final = NULL, updated_at = $2 WHERE final = $1 AND state = 'complete'", final, at
    )


def _changed(status: str) -> bool:
    # asyncpg answers with the command tag, for example "UPDATE 1".
    return not status.endswith(" 0")


def _row(record: asyncpg.Record) -> UploadRow:
    return UploadRow(
        id=record["id"],
        actor=record["actor"],
        spool=record["spool"],
        length=record["length"],
        offset=record["offset_bytes"],
        metadata=record["metadata"],
        state=UploadState(record["state"]),
        writer=record["writer"],
        source=Source(
            name=record["name"],
            path=record["path"],
            raw=record["raw"],
            recorder=record["recorder"],
            dock=record["dock"],
            inventory=record["inventory"],
            recorded_at=record["recorded_at"],
            officer=record["officer"],
            key_mark=record["key_mark"],
        ),
        sha256=record["sha256"],
        root=record["root"],
        sm3=record["sm3"],
        manifest=record["manifest"],
        clip=record["clip"],
        entry=record["entry"],
        repeated=record["repeated"],
        code=record["code"],
        reason=record["reason"],
        created_at=record["created_at"],
        updated_at=record["updated_at"],
        partial=record["partial"],
        parts=None if record["parts"] is None else tuple(record["parts"]),
        final=record["final"],
    )
