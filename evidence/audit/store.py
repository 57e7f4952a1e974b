"""SQL of the audit of the house: pages that hold no snapshot open, and a temporary list of what objects are named.

The audit has a connection of its own; its temporary table lives as long as that connection.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from asyncpg import Record

from evidence.custody.store import StoredPayload
from evidence.db.paging import FIRST_ID
from evidence.db.pool import Connection
from ledger.canonical import decode_entry
from ledger.errors import LedgerInputError

PAYLOADS_PER_PAGE = 50
"""Payloads have up to 16 MiB each; in practice some kilobytes."""

OBJECTS_PER_PAGE = 500


@dataclass(frozen=True, slots=True)
class Kept:
    """A payload row beside its entry.

    Attributes:
        stored: The payload row.
        entry: Bytes of the entry row; None when there is none.
        leaf_hash: What the log holds at the entry's place; None while it waits for one, or when it has none.
        index: The entry's place in the log, likewise.
    """

    stored: StoredPayload
    entry: bytes | None
    leaf_hash: bytes | None
    index: int | None


async def pages_of_payloads(conn: Connection) -> AsyncIterator[list[Kept]]:
    """Yield every payload beside its entry, in order of entry ids; what is recorded meanwhile may be left out."""
    after = FIRST_ID
    while True:
        rows = await conn.fetch(
            """SELECT p.*, e.entry, l.leaf_hash, l.index
               FROM (SELECT entry_id, type, actor, subject, at, payload, salt FROM custody_payload
                     WHERE entry_id > $1 ORDER BY entry_id LIMIT $2) p
               LEFT JOIN ledger_entry e USING (entry_id) LEFT JOIN ledger_leaf l USING (entry_id)
               ORDER BY p.entry_id""",
            after,
            PAYLOADS_PER_PAGE,
        )
        if not rows:
            return
        yield [_kept(row) for row in rows]
        after = rows[-1]["entry_id"]


async def entries_without_payload(conn: Connection) -> Sequence[UUID]:
    """Return the ids of entries whose payload row is not there."""
    rows = await conn.fetch(
        """SELECT entry_id FROM ledger_entry e
           WHERE NOT EXISTS (SELECT FROM custody_payload p WHERE p.entry_id = e.entry_id) ORDER BY entry_id"""
    )
    return [row["entry_id"] for row in rows]


async def kept_of_types(conn: Connection, event_types: Sequence[str]) -> Sequence[Kept]:
    """Return every event of some types beside its entry, in the order of the log; what waits for a place comes last."""
    rows = await conn.fetch(
        """SELECT p.*, e.entry, l.leaf_hash, l.index
           FROM custody_payload p LEFT JOIN ledger_entry e USING (entry_id) LEFT JOIN ledger_leaf l USING (entry_id)
           LEFT JOIN ledger_pending w USING (entry_id)
           WHERE p.type = ANY($1::text[]) ORDER BY l.index NULLS LAST, w.xid, w.ordinal, p.entry_id""",
        list(event_types),
    )
    return [_kept(row) for row in rows]


async def parties_without_payload(conn: Connection) -> Sequence[bytes]:
    """Return the entries about docks and people whose payload row is not there."""
    rows = await conn.fetch(
        """SELECT entry FROM ledger_entry e
           WHERE (position('"type":"dock.'::bytea IN entry) > 0 OR position('"type":"staff.'::bytea IN entry) > 0
                  OR position('"type":"controller.'::bytea IN entry) > 0)
             AND NOT EXISTS (SELECT FROM custody_payload p WHERE p.entry_id = e.entry_id)"""
    )
    return [row["entry"] for row in rows]


async def entries_lost(conn: Connection) -> Sequence[bytes]:
    """Return the entries whose payload row is not there."""
    rows = await conn.fetch(
        """SELECT entry FROM ledger_entry e
           WHERE NOT EXISTS (SELECT FROM custody_payload p WHERE p.entry_id = e.entry_id)"""
    )
    return [row["entry"] for row in rows]


def _kept(row: Record) -> Kept:
    return Kept(
        stored=StoredPayload(**{name: row[name] for name in StoredPayload.__dataclass_fields__}),
        entry=row["entry"],
        leaf_hash=row["leaf_hash"],
        index=row["index"],
    )


# Objects


@dataclass(frozen=True, slots=True)
class NamedObject:
    """An object that a payload names; sizes in bytes, digests of 32 bytes.

    Attributes:
        root: Root of its clip tree, for originals.
        clip: The clip it is or was made from.
        sm3: SM3 of its bytes, where that is stated too.
    """

    sha256: bytes
    size: int
    root: bytes | None
    clip: UUID
    sm3: bytes | None = None


async def make_object_list(conn: Connection) -> None:
    """Make the temporary list of named objects, empty."""
    await conn.execute("DROP TABLE IF EXISTS pg_temp.audit_named_object")
    await conn.execute(
        "CREATE TEMPORARY TABLE audit_named_object (sha256 bytea, size bigint, root bytea, clip uuid, sm3 bytea)"
    )
    await conn.execute("CREATE INDEX ON pg_temp.audit_named_object (sha256, size)")
    await conn.execute("DROP TABLE IF EXISTS pg_temp.audit_disposed_clip")
    await conn.execute("CREATE TEMPORARY TABLE audit_disposed_clip (clip uuid)")


async def drop_object_list(conn: Connection) -> None:
    """Remove the temporary list."""
    await conn.execute("DROP TABLE IF EXISTS pg_temp.audit_named_object")
    await conn.execute("DROP TABLE IF EXISTS pg_temp.audit_disposed_clip")


async def list_disposed(conn: Connection) -> None:
    """List the clips of which an entry of the log itself says that they were disposed of, whatever the rows say."""
    rows = await conn.fetch(
        """SELECT entry FROM ledger_entry WHERE position('"type":"clip.disposed"'::bytea IN entry) > 0"""
    )
    clips = [clip for row in rows if (clip := disposed_in(row["entry"])) is not None]
    await conn.copy_records_to_table(
        "audit_disposed_clip", schema_name="pg_temp", columns=("clip",), records=[(clip,) for clip in clips]
    )


async def was_just_disposed(conn: Connection, clip: UUID) -> bool:
    """Tell whether a clip's disposal came on record, entry and all, since the list was made."""
    rows = await conn.fetch(
        """SELECT e.entry FROM custody_payload p JOIN ledger_entry e USING (entry_id)
           WHERE p.subject = 'clip:' || $1::uuid AND p.type = 'clip.disposed'""",
        clip,
    )
    return any(disposed_in(row["entry"]) == clip for row in rows)


def disposed_in(raw: bytes) -> UUID | None:
    """Return the clip that an entry says was disposed of; None when it says something else."""
    try:
        entry = decode_entry(raw)
    except LedgerInputError:
        return None
    return UUID(entry.subject.removeprefix("clip:")) if entry.type == "clip.disposed" else None


async def is_kept(conn: Connection, sha256: bytes) -> bool:
    """Tell whether a payload that the audit read names this object as one of a clip that was not disposed of."""
    kept: bool = await conn.fetchval(
        """SELECT EXISTS (SELECT FROM pg_temp.audit_named_object WHERE sha256 = $1
                          AND clip NOT IN (SELECT clip FROM pg_temp.audit_disposed_clip))""",
        sha256,
    )
    return kept


async def list_objects(conn: Connection, named: Sequence[NamedObject]) -> None:
    """Add objects to the list; the same one may be named many times."""
    await conn.copy_records_to_table(
        "audit_named_object",
        schema_name="pg_temp",
        columns=("sha256", "size", "root", "clip", "sm3"),
        records=[(one.sha256, one.size, one.root, one.clip, one.sm3) for one in named],
    )


async def named_objects(conn: Connection) -> AsyncIterator[NamedObject]:
    """Yield every named object once per stated size, in order of digests; an original before its derivatives."""
    sha256, size = b"", -1
    while True:
        rows = await conn.fetch(
            """SELECT DISTINCT ON (sha256, size) sha256, size, root, clip, sm3 FROM pg_temp.audit_named_object
               WHERE (sha256, size) > ($1, $2) AND clip NOT IN (SELECT clip FROM pg_temp.audit_disposed_clip)
               ORDER BY sha256, size, root NULLS LAST, sm3 NULLS LAST LIMIT $3""",
            sha256,
            size,
            OBJECTS_PER_PAGE,
        )
        if not rows:
            return
        for row in rows:
            yield NamedObject(**dict(row))
        sha256, size = rows[-1]["sha256"], rows[-1]["size"]


async def is_named(conn: Connection, sha256: bytes) -> bool:
    """Tell whether a payload that the audit read names this object."""
    named: bool = await conn.fetchval(
        "SELECT EXISTS (SELECT FROM pg_temp.audit_named_object WHERE sha256 = $1)", sha256
    )
    return named


async def is_named_by_row(conn: Connection, sha256: bytes) -> bool:
    """Tell whether a row names this object by now: it may have been sealed since the audit read the payloads."""
    named: bool = await conn.fetchval(
        """SELECT EXISTS (SELECT FROM clip WHERE sha256 = $1)
               OR EXISTS (SELECT FROM clip_object WHERE sha256 = $1)
               OR EXISTS (SELECT FROM custody_payload WHERE type = 'clip.redacted'
                          AND convert_from(payload, 'UTF8')::jsonb ->> 'sha256' = encode($1, 'hex'))
               OR EXISTS (SELECT FROM recording_companion WHERE sha256 = $1)
               OR EXISTS (SELECT FROM clip_preview WHERE sha256 = $1)""",
        sha256,
    )
    return named


async def kept_leaves(conn: Connection, sha256: bytes) -> bytes | None:
    """Return the leaf hashes kept for an original, not proved."""
    leaves: bytes | None = await conn.fetchval("SELECT leaves FROM clip_leaves WHERE sha256 = $1", sha256)
    return leaves


# Inventories


async def inventories_of(conn: Connection, entry_ids: Sequence[UUID]) -> set[UUID]:
    """Return the inventories whose rows say they come from these entries."""
    rows = await conn.fetch("SELECT inventory FROM dock_inventory WHERE entry_id = ANY($1::uuid[])", list(entry_ids))
    return {row["inventory"] for row in rows}


@dataclass(frozen=True, slots=True)
class AbsentFile:
    """A file that a dock saw and that was not sealed; `size` in bytes."""

    inventory: UUID
    dock: UUID
    recorder: str
    path: str
    raw: bool
    size: int


async def absent_files(conn: Connection) -> Sequence[AbsentFile]:
    """Return files whose newest listing was not followed by a sealed clip from that place with that size.

    Empty files are not expected to arrive. An older listing of the same place is not judged: the recorder may have gone
    on writing the file, or reused its name.
    """
    rows = await conn.fetch(
        """SELECT * FROM (
               SELECT DISTINCT ON (i.dock, i.recorder, f.path, f.raw)
                      f.inventory, i.dock, i.recorder, f.path, f.raw, f.size
               FROM dock_inventory_file f JOIN dock_inventory i USING (inventory)
               ORDER BY i.dock, i.recorder, f.path, f.raw, i.seen_at DESC, i.inventory DESC
           ) listed
           WHERE size > 0 AND NOT EXISTS (
               SELECT FROM clip_source s JOIN clip c USING (clip)
               WHERE s.dock = listed.dock AND s.recorder = listed.recorder AND s.path = listed.path
                 AND s.raw = listed.raw AND c.size = listed.size
           )
           ORDER BY dock, recorder, path, raw"""
    )
    return [AbsentFile(**dict(row)) for row in rows]


async def unguarded(conn: Connection, tables: Sequence[str]) -> Sequence[str]:
    """Return those tables whose trigger against changes is not there, not on, or not the house's own function."""
    rows = await conn.fetch(
        """SELECT name FROM unnest($1::text[]) AS t (name)
           WHERE NOT EXISTS (
               SELECT FROM pg_trigger g JOIN pg_proc p ON p.oid = g.tgfoid
               WHERE g.tgrelid = to_regclass('public.' || name) AND g.tgname = 'forbid_change'
                 AND g.tgenabled IN ('O', 'A') AND p.proname IN ('forbid_change', 'ledger_forbid_change')
           )
           ORDER BY name""",
        list(tables),
    )
    return [row["name"] for row in rows]
