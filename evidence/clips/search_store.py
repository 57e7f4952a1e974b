"""SQL of the search index: one document per clip, and the queries over it.

A document holds nothing that is not in the evidential rows; it is written again in every transaction that changes
what it is made of, and can be made again from nothing at any time (`rebuild`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from evidence.access.scope import WHOLE, Scope
from evidence.clips.document import DOCUMENT_FORM, DocumentParts, compose, facet
from evidence.clips.folding import like_pattern, term_grams
from evidence.clips.query_tree import EVERYTHING, Between, Every, Facets, Node, Some, Without, Words
from evidence.custody.recorded import RecordedEvent
from evidence.db.locks import lock_subject
from evidence.db.paging import FIRST_ID
from evidence.db.pool import Connection
from ledger.canonical import JsonObject

_PARTS = """
SELECT c.clip, c.sha256, c.size, c.received_at,
       (SELECT jsonb_agg(jsonb_build_object('name', s.name, 'path', s.path, 'recorder', s.recorder, 'dock', s.dock,
                                            'officer', s.officer, 'key_mark', s.key_mark) ORDER BY s.entry_id)
        FROM clip_source s WHERE s.clip = c.clip) AS sources,
       (SELECT min(s.recorded_at) FROM clip_source s WHERE s.clip = c.clip) AS recorded_at,
       (SELECT d.outcome FROM clip_derivation d WHERE d.clip = c.clip ORDER BY d.entry_id DESC LIMIT 1) AS outcome,
       (SELECT CASE WHEN jsonb_typeof(d.probe -> 'duration_ms') = 'number'
                    THEN (d.probe ->> 'duration_ms')::numeric::bigint END
        FROM clip_derivation d WHERE d.clip = c.clip ORDER BY d.entry_id DESC LIMIT 1) AS duration_ms,
       (SELECT a.content FROM clip_annotation a WHERE a.clip = c.clip ORDER BY a.version DESC LIMIT 1) AS content,
       (SELECT jsonb_agg(jsonb_build_object('case', f.case_id, 'number', f.number, 'title', f.title)
                         ORDER BY l.entry_id)
        FROM case_clip l JOIN case_file f USING (case_id) WHERE l.clip = c.clip) AS cases,
       NULL::uuid AS unit,
       (SELECT x.classes FROM clip_class x WHERE x.clip = c.clip ORDER BY x.entry_id DESC LIMIT 1) AS classes
FROM clip c
"""

_SUMMARIES = """
SELECT d.clip, d.received_at, d.recorded_at, c.name, c.size, c.sha256, c.entry_id,
       s.recorder, s.dock, s.officer, 'key_mark:yes' = ANY (d.facets) AS key_mark,
       coalesce(m.outcome, 'sealed') AS state, m.reason, o.sha256 AS poster,
       coalesce(a.version, 0) AS version, a.remark,
       ARRAY(SELECT f.number FROM case_clip l JOIN case_file f USING (case_id) WHERE l.clip = d.clip
             ORDER BY l.entry_id) AS cases
FROM (SELECT clip, received_at, recorded_at, facets FROM search_document /*wanted*/
      ORDER BY received_at DESC, clip DESC LIMIT /*limit*/) d
JOIN clip c USING (clip)
JOIN clip_source s USING (entry_id)
LEFT JOIN LATERAL (SELECT entry_id, outcome, reason FROM clip_derivation WHERE clip = d.clip
                   ORDER BY entry_id DESC LIMIT 1) m ON true
LEFT JOIN clip_object o ON o.entry_id = m.entry_id AND o.kind = 'poster'
LEFT JOIN LATERAL (SELECT version, content ->> 'remark' AS remark FROM clip_annotation WHERE clip = d.clip
                   ORDER BY version DESC LIMIT 1) a ON true
ORDER BY d.received_at DESC, d.clip DESC
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipSummary:
    """What lists show of a clip.

    Attributes:
        size: Bytes of the original.
        sha256, poster: 32 bytes; the poster's is None when there is none.
        recorder, dock, officer: Of its first source.
        state: A value of `evidence.clips.clips.ClipState`; `reason` says why when little could be derived.
        version: Version of the annotation that counts, 0 for none.
        cases: Numbers of the cases it is an exhibit of.
    """

    clip: UUID
    received_at: datetime
    recorded_at: datetime | None
    name: str
    size: int
    sha256: bytes
    entry_id: UUID
    recorder: str | None
    dock: UUID | None
    officer: str | None
    key_mark: bool
    state: str
    reason: str | None
    poster: bytes | None
    version: int
    remark: str | None
    cases: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What a document must fulfil: a tree, what may be found at all, and a place in the order that it lies behind."""

    wanted: Node = EVERYTHING
    scope: Scope = WHOLE
    before: tuple[datetime, UUID] | None = None


async def refresh_clip(conn: Connection, event: RecordedEvent) -> None:
    """Write the document of the clip an event is about, in the event's transaction.

    Two transactions may change different rows of one clip at once, for example an annotation and a case link. The lock
    makes the second one wait for the first one's commit before it reads, so that neither change is lost here.
    """
    clip = UUID(str(event.payload["clip"]))
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
            clips = await conn.fetch("SELECT clip FROM clip WHERE clip > $1 ORDER BY clip LIMIT $2", last, batch)
            if not clips:
                return written
            ids = [row["clip"] for row in clips]
            for clip in ids:
                await lock_subject(conn, f"search:{clip}")
            rows = await conn.fetch(f"{_PARTS} WHERE c.clip = ANY($1)", ids)
            await _write(conn, [DocumentParts(**dict(row)) for row in rows])
        written, last = written + len(ids), ids[-1]


async def renew(conn: Connection, *, after: UUID = FIRST_ID, batch: int = 200) -> UUID | None:
    """Write one batch of documents of another form again, in a transaction of its own.

    Returns:
        The clip to go on behind, None when there are no more.
    """
    async with conn.transaction():
        rows = await conn.fetch(
            "SELECT clip FROM search_document WHERE clip > $1 AND form <> $2 ORDER BY clip LIMIT $3",
            after,
            DOCUMENT_FORM,
            batch,
        )
        ids = [row["clip"] for row in rows]
        for clip in ids:
            await lock_subject(conn, f"search:{clip}")
        parts = await conn.fetch(f"{_PARTS} WHERE c.clip = ANY($1)", ids)
        await _write(conn, [DocumentParts(**dict(row)) for row in parts])
    return ids[-1] if ids else None


async def _write(conn: Connection, parts: Sequence[DocumentParts]) -> None:
    await conn.executemany(
        """INSERT INTO search_document
               (clip, received_at, recorded_at, size, duration_ms, facets, haystack, grams, unit, classes, form)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
           ON CONFLICT (clip) DO UPDATE SET received_at = excluded.received_at, recorded_at = excluded.recorded_at,
               size = excluded.size, duration_ms = excluded.duration_ms, facets = excluded.facets,
               haystack = excluded.haystack, grams = excluded.grams, unit = excluded.unit,
               classes = excluded.classes, form = excluded.form""",
        [
            (
                *(made.clip, made.received_at, made.recorded_at, made.size, made.duration_ms),
                *(made.facets, made.haystack, made.grams, made.unit, made.classes, DOCUMENT_FORM),
            )
            for made in map(compose, parts)
        ],
    )


async def find_summaries(conn: Connection, condition: Condition, *, limit: int) -> list[ClipSummary]:
    """Return what lists show of the documents that fulfil a condition, those received last first."""
    wanted = _Wanted()
    where = [wanted.tree(condition.wanted), *wanted.scope(condition.scope)]
    if condition.before is not None:
        where.append(wanted.clause("(received_at, clip) < ({}, {})", *condition.before))
    statement = _SUMMARIES.replace("/*wanted*/", "WHERE " + " AND ".join(where)).replace("/*limit*/", str(int(limit)))
    async with conn.transaction():
        # How rare a term is decides between the two indexes, so the plan must be made for these very terms.
        await conn.execute("SET LOCAL plan_cache_mode = force_custom_plan")
        rows = await conn.fetch(statement, *wanted.values)
    return [ClipSummary(**dict(row)) for row in rows]


async def annotated_texts(conn: Connection, clips: Sequence[UUID]) -> dict[UUID, JsonObject]:
    """Return the content of the annotations that count, of those clips that have one."""
    rows = await conn.fetch(
        """SELECT DISTINCT ON (clip) clip, content FROM clip_annotation WHERE clip = ANY($1)
           ORDER BY clip, version DESC""",
        list(clips),
    )
    return {row["clip"]: row["content"] for row in rows}


class _Wanted:
    """Writes conditions; they are our own words, values go as parameters."""

    def __init__(self) -> None:
        self.values: list[object] = []

    def clause(self, condition: str, *values: object) -> str:
        """Return a condition with its `{}` replaced by places of values, which are kept."""
        places = [f"${len(self.values) + number}" for number in range(1, len(values) + 1)]
        self.values.extend(values)
        return condition.format(*places)

    def scope(self, scope: Scope) -> list[str]:
        """Return what hides documents from whoever asks; `scope_allows` says the same of one of them."""
        written = []
        if scope.units is not None:
            cases = [facet("case", str(case)) for case in sorted(scope.cases)]
            reach = [self.clause("unit = ANY({}::uuid[])", sorted(scope.units))]
            reach += [self.clause("facets && {}::text[]", cases)] if cases else []
            written.append(_joined(reach, " OR "))
        if scope.classes is not None:
            written.append(self.clause("classes <@ {}::text[]", sorted(scope.classes)))
        return written

    def tree(self, node: Node) -> str:
        """Return the condition of a whole question."""
        match node:
            case Words(term):
                grams, pattern = term_grams(term), like_pattern(term)
                return self.clause("(grams @> {}::text[] AND haystack LIKE {})", grams, pattern)
            case Facets(one_of):
                return self.clause("facets && {}::text[]", list(one_of))
            case Between(column, low, high):
                ends = [self.clause(f"{_COLUMNS[column]} >= {{}}", low)] if low is not None else []
                ends += [self.clause(f"{_COLUMNS[column]} < {{}}", high)] if high is not None else []
                return _joined(ends, " AND ")
            case Every(parts):
                return self._every(parts)
            case Some(parts):
                return _joined([self.tree(part) for part in parts], " OR ")
            case Without(part):
                # A clip without a time of recording was not recorded on that day either.
                return f"({self.tree(part)}) IS NOT TRUE"

    def _every(self, parts: Sequence[Node]) -> str:
        """Ask the index for all single facets and all words' grams at once: one scan that begins with the rarest."""
        facets = [part.one_of[0] for part in parts if isinstance(part, Facets) and len(part.one_of) == 1]
        terms = [part.term for part in parts if isinstance(part, Words)]
        written = [self.clause("facets @> {}::text[]", facets)] if facets else []
        if terms:
            grams = sorted({gram for term in terms for gram in term_grams(term)})
            written.append(self.clause("grams @> {}::text[]", grams))
            written += [self.clause("haystack LIKE {}", like_pattern(term)) for term in terms]
        for part in parts:
            if not (isinstance(part, Words) or (isinstance(part, Facets) and len(part.one_of) == 1)):
                written.append(self.tree(part))
        return _joined(written, " AND ")


_COLUMNS = {name: name for name in ("recorded_at", "received_at", "duration_ms", "size")}


def _joined(written: Sequence[str], word: str) -> str:
    return f"({word.join(written)})" if written else "true"
