"""SQL of the search index: one document per clip. What is asked of it stands in `page_store.py`.

A document holds nothing that is not in the evidential rows; it is written again in every transaction that changes
what it is made of, and can be made again from nothing at any time (`rebuild`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from evidence.clips.document import DOCUMENT_FORM, DocumentParts, compose
from evidence.custody.recorded import RecordedEvent
from evidence.db.locks import lock_subject
from evidence.db.paging import FIRST_ID
from evidence.db.pool import Connection
from evidence.deadlines.ended_store import ENDED_AT, MADE
from evidence.deadlines.storing import Span
from evidence.deadlines.term_store import Basis, basis_in_force, term_of

_PARTS = """
SELECT c.clip, c.sha256, c.size, c.received_at,
       (SELECT jsonb_agg(jsonb_build_object('name', s.name, 'path', s.path, 'recorder', s.recorder, 'dock', s.dock,
                                            'officer', s.officer, 'key_mark', s.key_mark) ORDER BY s.entry_id)
        FROM clip_source s WHERE s.clip = c.clip) AS sources,
       (SELECT min(s.recorded_at) FROM clip_source s WHERE s.clip = c.clip) AS recorded_at,
       (SELECT d.outcome FROM clip_derivation d WHERE d.clip = c.clip ORDER BY d.entry_id DESC LIMIT 1) AS outcome,
       (SELECT d.probe FROM clip_derivation d WHERE d.clip = c.clip ORDER BY d.entry_id DESC LIMIT 1) AS probe,
       (SELECT a.content FROM clip_annotation a WHERE a.clip = c.clip ORDER BY a.version DESC LIMIT 1) AS content,
       (SELECT jsonb_agg(jsonb_build_object('case', f.case_id, 'number', f.number, 'title', f.title_now,
                                            'kind', f.kind)
                         ORDER BY l.entry_id)
        FROM case_exhibit l JOIN case_now f USING (case_id) WHERE l.clip = c.clip) AS cases,
       {ended_at} AS ended_at, whose.unit, whose.flags, whose.blocked,
       EXISTS (SELECT FROM clip_disposal g WHERE g.clip = c.clip) AS disposed,
       (SELECT x.classes FROM clip_class x WHERE x.clip = c.clip ORDER BY x.entry_id DESC LIMIT 1) AS classes
FROM clip c
JOIN clip_source first ON first.entry_id = c.entry_id
LEFT JOIN LATERAL (SELECT unit, flags, blocked, recorded_at FROM clip_attribution_version v WHERE v.clip = c.clip
                   ORDER BY v.version DESC LIMIT 1) whose ON true
LEFT JOIN LATERAL (SELECT {made} FROM clip_derivation d WHERE d.clip = c.clip
                   ORDER BY d.entry_id DESC LIMIT 1) made ON true
""".replace("{ended_at}", ENDED_AT).replace("{made}", MADE)


async def refresh_clip(conn: Connection, event: RecordedEvent) -> None:
    """Write the document of the clip an event is about, in the event's transaction.

    Two transactions may change different rows of one clip at once, for example an annotation and a case link. The lock
    makes the second one wait for the first one's commit before it reads, so that neither change is lost here.
    """
    clip = UUID(str(event.payload["clip"]))
    await _refresh(conn, clip)


async def refresh_case(conn: Connection, event: RecordedEvent) -> None:
    """Write the documents of all exhibits of the case an event is about, in the event's transaction."""
    clips = await conn.fetch(
        "SELECT clip FROM case_exhibit WHERE case_id = $1 ORDER BY clip", UUID(str(event.payload["case"]))
    )
    for row in clips:
        await _refresh(conn, row["clip"])


async def _refresh(conn: Connection, clip: UUID) -> None:
    await lock_subject(conn, f"search:{clip}")
    row = await conn.fetchrow(f"{_PARTS} WHERE c.clip = $1", clip)
    if row is not None:
        await _write(conn, [DocumentParts(**dict(row))])


async def rebuild(conn: Connection, *, batch: int = 500) -> int:
    """Write every document again, in batches of their own transactions; return how many there are.

    Intake may go on meanwhile. The connection must not be within a transaction.
    """
    written, last = 0, FIRST_ID
    while True:
        async with conn.transaction():
            await _begin(conn)
            clips = await conn.fetch("SELECT clip FROM clip WHERE clip > $1 ORDER BY clip LIMIT $2", last, batch)
            if not clips:
                return written
            ids = [row["clip"] for row in clips]
            await _write_again(conn, ids)
        written, last = written + len(ids), ids[-1]


async def renew(conn: Connection, *, after: UUID = FIRST_ID, batch: int = 200) -> UUID | None:
    """Write one batch of documents of another form again, in a transaction of its own.

    Returns:
        The clip to go on behind, None when there are no more.
    """
    async with conn.transaction():
        await _begin(conn)
        rows = await conn.fetch(
            "SELECT clip FROM search_document WHERE clip > $1 AND form <> $2 ORDER BY clip LIMIT $3",
            after,
            DOCUMENT_FORM,
            batch,
        )
        ids = [row["clip"] for row in rows]
        await _write_again(conn, ids)
    return ids[-1] if ids else None


async def rewrite_received(conn: Connection, span: Span, *, after: UUID = FIRST_ID, batch: int = 200) -> UUID | None:
    """Write one batch of the documents of what was received in a span again, in a transaction of its own.

    Returns:
        The clip to go on behind, None when there are no more.
    """
    async with conn.transaction():
        await _begin(conn)
        rows = await conn.fetch(
            """SELECT clip FROM search_document
               WHERE received_at >= $1 AND received_at < $2 AND clip > $3 ORDER BY clip LIMIT $4""",
            *span,
            after,
            batch,
        )
        ids = [row["clip"] for row in rows]
        await _write_again(conn, ids)
    return ids[-1] if ids else None


async def counted_by(conn: Connection) -> Basis:
    """Return by which calendar and rules every document says whether its clip came late."""
    row = await conn.fetchrow("SELECT calendar, rules FROM search_term")
    return Basis() if row is None else Basis(row["calendar"], row["rules"])


async def set_counted_by(conn: Connection, basis: Basis) -> None:
    """Take down by which calendar and rules every document counts now."""
    await conn.execute(
        """INSERT INTO search_term (calendar, rules) VALUES ($1, $2)
           ON CONFLICT (only_row) DO UPDATE SET calendar = excluded.calendar, rules = excluded.rules""",
        basis.calendar,
        basis.rules,
    )


async def first_received(conn: Connection) -> datetime | None:
    """Return when the first clip was received."""
    at: datetime | None = await conn.fetchval("SELECT min(received_at) FROM search_document")
    return at


async def open_transactions(conn: Connection) -> str:
    """Return a number that is above those of all transactions that have changed something and are open."""
    number: str = await conn.fetchval("SELECT pg_snapshot_xmax(pg_current_snapshot())::text")
    return number


async def are_over(conn: Connection, number: str) -> bool:
    """Tell whether every transaction below a number of `open_transactions` is over."""
    over: bool = await conn.fetchval("SELECT pg_snapshot_xmin(pg_current_snapshot()) >= $1::text::xid8", number)
    return over


async def _begin(conn: Connection) -> None:
    """Give the transaction its number before it reads by what it counts, so that `open_transactions` knows of it."""
    await conn.execute("SELECT pg_current_xact_id()")


async def _write_again(conn: Connection, clips: Sequence[UUID]) -> None:
    for clip in clips:
        await lock_subject(conn, f"search:{clip}")
    rows = await conn.fetch(f"{_PARTS} WHERE c.clip = ANY($1)", clips)
    await _write(conn, [DocumentParts(**dict(row)) for row in rows])


async def _write(conn: Connection, parts: Sequence[DocumentParts]) -> None:
    term = await term_of(conn, await basis_in_force(conn))
    await conn.executemany(
        """INSERT INTO search_document
               (clip, received_at, recorded_at, size, duration_ms, facets, haystack, grams, places, unit, classes, form)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
           ON CONFLICT (clip) DO UPDATE SET received_at = excluded.received_at, recorded_at = excluded.recorded_at,
               size = excluded.size, duration_ms = excluded.duration_ms, facets = excluded.facets,
               haystack = excluded.haystack, grams = excluded.grams, places = excluded.places, unit = excluded.unit,
               classes = excluded.classes, form = excluded.form""",
        [
            (
                *(made.clip, made.received_at, made.recorded_at, made.size, made.duration_ms),
                *(made.facets, made.haystack, made.grams, made.places, made.unit, made.classes, DOCUMENT_FORM),
            )
            for made in (compose(one, term) for one in parts)
        ],
    )
