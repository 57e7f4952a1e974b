"""SQL of the audit of uploads: what their rows say against what the record says. Reads only, page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

from evidence.db.pool import Connection

_PAGE = 1000
_FIRST = UUID(int=0)


@dataclass(frozen=True, slots=True)
class EndedUpload:
    """An upload that was sealed or quarantined, beside what the record has of it; None where there is nothing.

    Attributes:
        state: `sealed` or `quarantined`.
        clip, entry, repeated: As the upload's row says.
        source_clip, source_repeated: Of the clip source under that entry.
        is_its_own: Whether that source came by this upload, or by an earlier one from the very same place.
        payloads: How many payloads `upload.quarantined` there are about it.
    """

    upload: UUID
    state: str
    clip: UUID | None
    entry: UUID | None
    repeated: bool | None
    source_clip: UUID | None
    source_repeated: bool | None
    is_its_own: bool | None
    payloads: int


async def ended_uploads(conn: Connection) -> AsyncIterator[EndedUpload]:
    """Yield every sealed and quarantined upload in the order of ids."""
    last = _FIRST
    while True:
        rows = await conn.fetch(
            """SELECT u.id, u.state, u.clip, u.entry, u.repeated, s.clip AS source_clip,
                   s.repeated AS source_repeated,
                   s.upload = u.id OR (s.dock, s.recorder, s.path, s.raw) = (u.dock, u.recorder, u.path, u.raw)
                       AS is_its_own,
                   CASE WHEN u.state <> 'quarantined' THEN 0 ELSE (
                       SELECT count(*) FROM custody_payload p
                       WHERE p.subject = 'upload:' || u.id AND p.type = 'upload.quarantined') END AS payloads
               FROM upload u
               LEFT JOIN clip_source s ON s.entry_id = u.entry
               WHERE u.id > $1 AND u.state IN ('sealed', 'quarantined')
               ORDER BY u.id LIMIT $2""",
            last,
            _PAGE,
        )
        for row in rows:
            yield EndedUpload(
                upload=row["id"],
                state=row["state"],
                clip=row["clip"],
                entry=row["entry"],
                repeated=row["repeated"],
                source_clip=row["source_clip"],
                source_repeated=row["source_repeated"],
                is_its_own=row["is_its_own"],
                payloads=row["payloads"],
            )
        if len(rows) < _PAGE:
            return
        last = rows[-1]["id"]


async def sealed_elsewhere(conn: Connection) -> AsyncIterator[tuple[UUID, str]]:
    """Yield uploads that the record has sealed or quarantined while their rows say otherwise, with the row's state.

    An upload whose row is gone is not among them: rows of uploads are no evidence and may be lost with their host.
    """
    rows = await conn.fetch(
        """SELECT u.id, u.state FROM upload u JOIN clip_source s ON s.upload = u.id WHERE u.state <> 'sealed'
           UNION
           SELECT u.id, u.state FROM upload u JOIN custody_payload p ON p.subject = 'upload:' || u.id
           WHERE p.type = 'upload.quarantined' AND u.state <> 'quarantined'
           ORDER BY 1"""
    )
    for row in rows:
        yield row["id"], row["state"]
