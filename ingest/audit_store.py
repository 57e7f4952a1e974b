"""SQL of the audit of uploads: what their rows say against what the record says. Reads only, page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

from evidence.db.pool import Connection

_PAGE = 1000
_PREFIX_PAGE = 16  # each may bring 2 MiB of leaves
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


@dataclass(frozen=True, slots=True)
class PrefixOnRecord:
    """A sealed beginning, beside what became of it.

    Attributes:
        upload: Whose beginning it is.
        chunks: Whole chunks of it.
        root: Of the clip tree over them, 32 bytes.
        state: Of the upload's row, None when there is no row.
        clip: The clip that the upload became, or whose content it had; None while there is none.
        clip_root: The root of that clip, 32 bytes.
        leaves: The kept leaves of that clip, 32 bytes each, not proved; None when there are none.
    """

    upload: UUID
    chunks: int
    root: bytes
    state: str | None
    clip: UUID | None
    clip_root: bytes | None
    leaves: bytes | None


async def prefixes_on_record(conn: Connection) -> AsyncIterator[PrefixOnRecord]:
    """Yield every sealed beginning in the order of entries."""
    last = _FIRST
    while True:
        rows = await conn.fetch(
            """SELECT p.entry_id, p.upload, p.chunks, p.root, u.state, c.clip, c.root AS clip_root, l.leaves
               FROM clip_prefix p
               LEFT JOIN upload u ON u.id = p.upload
               LEFT JOIN clip_source s ON s.upload = p.upload
               LEFT JOIN clip c ON c.clip = coalesce(s.clip, u.clip)
               LEFT JOIN clip_leaves l ON l.sha256 = c.sha256
               WHERE p.entry_id > $1 ORDER BY p.entry_id LIMIT $2""",
            last,
            _PREFIX_PAGE,
        )
        for row in rows:
            yield PrefixOnRecord(*list(row)[1:])
        if len(rows) < _PREFIX_PAGE:
            return
        last = rows[-1]["entry_id"]


async def sealed_elsewhere(conn: Connection) -> AsyncIterator[tuple[UUID, str]]:
    """Yield uploads that the record has ended otherwise than their rows say, with the row's state.

    An upload whose row is gone is not among them: rows of uploads are no evidence and may be lost with their host.
    """
    rows = await conn.fetch(
        """SELECT u.id, u.state FROM upload u JOIN clip_source s ON s.upload = u.id WHERE u.state <> 'sealed'
           UNION
           SELECT u.id, u.state FROM upload u JOIN custody_payload p ON p.subject = 'upload:' || u.id
           WHERE p.type = 'upload.quarantined' AND u.state <> 'quarantined'
           UNION
           SELECT u.id, u.state FROM upload u JOIN custody_payload p ON p.subject = 'upload:' || u.id
           WHERE p.type = 'upload.given_up' AND u.state <> 'terminated'
           ORDER BY 1"""
    )
    for row in rows:
        yield row["id"], row["state"]
