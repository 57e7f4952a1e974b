"""SQL of looks at many clips: which pictures there are, and what a ticket of such a look opens.

Tickets and what they open are passing state: rows past their time are removed with those of views.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from evidence.db.pool import Connection
from evidence.parties.ticket_store import ViewTicket
from ledger.canonical import canonical_json

PICTURES = ("poster", "storyboard", "storyboard-sheet")
"""Kinds of objects that a look shows: a still, and small pictures with their times. Never sound, nor a film."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One object that a look shows; `sha256` has 32 bytes."""

    clip: UUID
    kind: str
    sha256: bytes
    media_type: str


def digest_of(pictures: Sequence[Picture]) -> bytes:
    """Return the SHA-256 over a list of pictures: canonical JSON of `[clip, kind, digest in hex]`, in order."""
    listed = sorted((str(one.clip), one.kind, one.sha256.hex()) for one in pictures)
    return hashlib.sha256(canonical_json([list(one) for one in listed])).digest()


async def pictures_of(conn: Connection, clips: Collection[UUID]) -> list[Picture]:
    """Return the pictures of clips, by clip and kind: of the derivation that counts, before it the first still alone.

    What has none is left out: sound, what cannot be decoded, what was disposed of, what does not exist.
    """
    rows = await conn.fetch(
        """WITH wanted AS (
               SELECT w.clip, (SELECT entry_id FROM clip_derivation d WHERE d.clip = w.clip
                               ORDER BY entry_id DESC LIMIT 1) AS newest
                 FROM unnest($1::uuid[]) AS w (clip)
                WHERE NOT EXISTS (SELECT FROM clip_disposal x WHERE x.clip = w.clip))
           SELECT w.clip, o.kind, o.sha256, o.media_type
             FROM wanted w JOIN clip_object o ON o.entry_id = w.newest AND o.kind = ANY($2)
           UNION ALL
           SELECT w.clip, $3, p.sha256, p.media_type
             FROM wanted w CROSS JOIN LATERAL (SELECT sha256, media_type FROM clip_preview WHERE clip = w.clip
                                               ORDER BY made_at DESC LIMIT 1) p
            WHERE w.newest IS NULL
           ORDER BY 1, 2""",
        list(clips),
        list(PICTURES),
        PICTURES[0],
    )
    return [Picture(**dict(row)) for row in rows]


async def insert_look(conn: Connection, ticket: ViewTicket, pictures: Sequence[Picture]) -> None:
    """Store a ticket and the pictures it opens; its own `sha256` and `media_type` say nothing and are not stored."""
    await conn.execute(
        """INSERT INTO look_ticket (ticket, secret_sha256, entry_id, expires_at, staff, by_cookie)
           VALUES ($1, $2, $3, $4, $5, $6)""",
        ticket.ticket,
        ticket.secret_sha256,
        ticket.entry_id,
        ticket.expires_at,
        ticket.staff,
        ticket.by_cookie,
    )
    await conn.copy_records_to_table(
        "look_picture",
        columns=("ticket", "clip", "kind", "sha256", "media_type"),
        records=[(ticket.ticket, one.clip, one.kind, one.sha256, one.media_type) for one in pictures],
    )


async def find_picture(conn: Connection, ticket: UUID, *, clip: UUID, kind: str) -> ViewTicket | None:
    """Return what a ticket opens of one clip, expired or not; None where it opens nothing of that kind."""
    row = await conn.fetchrow(
        """SELECT t.ticket, t.secret_sha256, t.entry_id, p.sha256, p.media_type, t.expires_at, t.staff, t.by_cookie
             FROM look_ticket t JOIN look_picture p USING (ticket)
            WHERE t.ticket = $1 AND p.clip = $2 AND p.kind = $3""",
        ticket,
        clip,
        kind,
    )
    return None if row is None else ViewTicket(**dict(row))
