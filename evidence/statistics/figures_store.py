"""SQL of figures: clips as the first entries of the log tell of them, counted by what decides a figure.

Rows are insert-only and each names the entry it comes from; a row counts when its entry's place in the log lies before
the checkpoint. So what was recorded later changes no figure of an earlier checkpoint.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from evidence.db.pool import Connection
from evidence.deadlines.ended_store import ENDED_AT, MADE

GROUPS = {
    "unit": "coalesce(whose.unit::text, '')",
    "officer": "coalesce(whose.officer::text, first.officer, '')",
    "item": "coalesce(said.item, '')",
    "recorder": "coalesce(first.recorder, '')",
    "dock": "coalesce(first.dock::text, '')",
    "month": "to_char(c.sealed_at AT TIME ZONE $2, 'YYYY-MM')",
}
"""What figures are grouped by, and how it is told of a clip; what is not known is the empty text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """Clips of one group that are alike in everything a figure depends on.

    Attributes:
        ended_on: The day their recording ended where the agency is; None where it is not known.
        received_on: The day they came.
        clips, milliseconds, bytes, made_bytes: How many, how long, how large, and what was made of them.
        with_case, key_marked, verified: How many of them.
    """

    key: str
    ended_on: date | None
    received_on: date
    clips: int
    milliseconds: int
    bytes: int
    made_bytes: int
    with_case: int
    key_marked: int
    verified: int


@dataclass(frozen=True, slots=True)
class Price:
    """What a terabyte costs in a month, in hundredths."""

    price: UUID
    hundredths: int
    currency: str


_BUNDLES = """
    WITH audited AS (
        SELECT coalesce(max((body ->> 'size')::bigint), 0) AS size FROM (
            SELECT convert_from(d.payload, 'UTF8')::jsonb AS body
            FROM custody_payload d JOIN ledger_leaf p USING (entry_id)
            WHERE d.type = 'audit.completed' AND p.index < $1) done WHERE body -> 'findings' = '{}'::jsonb)
    SELECT {key} AS key,
           (({ended_at}) AT TIME ZONE $2)::date AS ended_on,
           (c.received_at AT TIME ZONE $2)::date AS received_on,
           count(*) AS clips, sum(coalesce(made.ran_ms, 0))::bigint AS milliseconds,
           sum(c.size)::bigint AS bytes, sum(coalesce(kept.bytes, 0))::bigint AS made_bytes,
           count(*) FILTER (WHERE bound.yes) AS with_case, count(*) FILTER (WHERE marked.yes) AS key_marked,
           count(*) FILTER (WHERE here.index < (SELECT size FROM audited)) AS verified
    FROM clip c JOIN ledger_leaf here ON here.entry_id = c.entry_id AND here.index < $1
    JOIN clip_source first ON first.entry_id = c.entry_id
    LEFT JOIN LATERAL (
        SELECT v.unit, v.officer, v.recorded_at FROM clip_attribution_version v
        JOIN ledger_leaf p ON p.entry_id = v.entry_id AND p.index < $1
        WHERE v.clip = c.clip ORDER BY v.version DESC LIMIT 1) whose ON true
    LEFT JOIN LATERAL (
        SELECT a.content ->> 'item' AS item FROM clip_annotation a
        JOIN ledger_leaf p ON p.entry_id = a.entry_id AND p.index < $1
        WHERE a.clip = c.clip ORDER BY a.version DESC LIMIT 1) said ON true
    LEFT JOIN LATERAL (
        SELECT {made} FROM clip_derivation d JOIN ledger_leaf p ON p.entry_id = d.entry_id AND p.index < $1
        WHERE d.clip = c.clip ORDER BY p.index DESC LIMIT 1) made ON true
    LEFT JOIN LATERAL (
        SELECT sum(o.size) AS bytes FROM clip_object o
        JOIN ledger_leaf p ON p.entry_id = o.entry_id AND p.index < $1 WHERE o.clip = c.clip) kept ON true
    LEFT JOIN LATERAL (
        SELECT EXISTS (SELECT FROM case_clip k JOIN ledger_leaf p ON p.entry_id = k.entry_id AND p.index < $1
                       WHERE k.clip = c.clip) AS yes) bound ON true
    LEFT JOIN LATERAL (
        SELECT EXISTS (SELECT FROM clip_source s JOIN ledger_leaf p ON p.entry_id = s.entry_id AND p.index < $1
                       WHERE s.clip = c.clip AND s.key_mark) AS yes) marked ON true
    WHERE NOT EXISTS (SELECT FROM clip_disposal g JOIN ledger_leaf p ON p.entry_id = g.entry_id AND p.index < $1
                      WHERE g.clip = c.clip)
      AND ($3::uuid[] IS NULL OR whose.unit = ANY ($3))
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
""".replace("{ended_at}", ENDED_AT).replace("{made}", MADE)


async def bundles_at(
    conn: Connection, *, by: str, size: int, zone: str, units: Collection[UUID] | None = None
) -> Sequence[Bundle]:
    """Return the clips that the log's first `size` entries seal and do not dispose of, in bundles.

    Args:
        by: A key of `GROUPS`.
        zone: Name of the agency's time zone.
        units: Only clips of these units; None for all, and for those of no unit.
    """
    own = None if units is None else list(units)
    rows = await conn.fetch(_BUNDLES.replace("{key}", GROUPS[by]), size, zone, own)
    return [Bundle(**dict(row)) for row in rows]


async def price_at(conn: Connection, *, size: int) -> Price | None:
    """Return the newest price among the log's first `size` entries."""
    row = await conn.fetchrow(
        """SELECT p.price, p.hundredths, p.currency FROM storage_price p JOIN ledger_leaf l USING (entry_id)
           WHERE l.index < $1 ORDER BY l.index DESC LIMIT 1""",
        size,
    )
    return None if row is None else Price(row["price"], row["hundredths"], row["currency"])
