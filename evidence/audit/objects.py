"""The audit's look at objects: what the record names is in the store with its bytes, and nothing else is.

Two sorted streams are merged, the named objects and the store's own list, so memory does not grow with either. Every
byte is read unless the caller asks for sizes only. An object that differs is asked what it holds instead: the bytes of
another object of the record (swapped), or, for originals, at which bytes it differs.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from evidence.audit import findings as codes
from evidence.audit import store
from evidence.audit.findings import found
from evidence.audit.store import NamedObject
from evidence.core.digest import CHUNK_BYTES, ClipDigest
from evidence.db.pool import Connection
from evidence.errors import ObjectMissing
from evidence.objects.copy_store import has_copy
from evidence.objects.store import ObjectStore, StoredObject
from evidence.verify.hashing import FileHashes, FileUnreadable, hash_file
from evidence.verify.judge import locate, prove_leaves
from ledger.findings import Finding

_LISTED_AT_ONCE = 500


@dataclass(slots=True)
class Tally:
    """How much was looked at; sizes in bytes."""

    progress: Callable[[int], None]
    objects: int = 0
    bytes_read: int = 0

    def count(self, *, bytes_read: int) -> None:
        """Count one more object."""
        self.objects += 1
        self.bytes_read += bytes_read
        self.progress(self.objects)


async def audit_objects(conn: Connection, objects: ObjectStore, *, read: bool, tally: Tally) -> AsyncIterator[Finding]:
    """Hold the list of named objects against the store, both ways.

    Args:
        conn: The audit's connection, with the list filled.
        objects: The store.
        read: Whether to read every byte; else only sizes are compared.
        tally: Counts along.
    """
    stored = _Listing(objects)
    present = await stored.next()
    async for named in store.named_objects(conn):
        while present and present.sha256 < named.sha256.hex():
            if finding := await _judge_unnamed(conn, present):
                yield finding
            present = await stored.next()
        finding, bytes_read = await _judge_named(conn, objects, named, present, read=read)
        tally.count(bytes_read=bytes_read)
        if finding:
            yield finding
    while present:
        if finding := await _judge_unnamed(conn, present):
            yield finding
        present = await stored.next()


class _Listing:
    """The store's list as an asynchronous stream; it blocks, so it is read in a thread, some at a time."""

    def __init__(self, objects: ObjectStore) -> None:
        self._source: Iterator[StoredObject] = objects.list()
        self._read: Iterator[StoredObject] = iter(())

    async def next(self) -> StoredObject | None:
        """Return the next object, None at the end."""
        if (following := next(self._read, None)) is None:
            self._read = iter(await asyncio.to_thread(list, islice(self._source, _LISTED_AT_ONCE)))
            following = next(self._read, None)
        return following


async def _judge_unnamed(conn: Connection, present: StoredObject) -> Finding | None:
    sha256 = bytes.fromhex(present.sha256)
    if await store.is_kept(conn, sha256):
        return None
    if await store.is_named(conn, sha256):
        message = f"an object of {present.size} bytes went with its clip on record, and is still there"
        return found(codes.OBJECT_NOT_REMOVED, f"object:{present.sha256}", message, size=present.size)
    if await store.is_named_by_row(conn, sha256):
        return None
    message = f"nothing on record names this object of {present.size} bytes"
    return found(codes.OBJECT_UNNAMED, f"object:{present.sha256}", message, size=present.size)


async def _judge_named(
    conn: Connection, objects: ObjectStore, named: NamedObject, present: StoredObject | None, *, read: bool
) -> tuple[Finding | None, int]:
    """Return what is wrong with an object, and how many bytes of it were read."""
    subject, clip = f"object:{named.sha256.hex()}", str(named.clip)
    if present is None or present.sha256 != named.sha256.hex():
        if await store.was_just_disposed(conn, named.clip):
            return None, 0
        if named.root is None and await has_copy(conn, named.sha256):
            message = f"an object made of clip {clip} is not in this store, and a copy of it is on record"
            return found(codes.OBJECT_ELSEWHERE, subject, message, clip=clip), 0
        return found(codes.OBJECT_MISSING, subject, f"an object of clip {clip} is gone", clip=clip), 0
    if not read and present.size == named.size:
        return None, 0
    try:
        path = await asyncio.to_thread(objects.open_path, present.sha256)
        hashes = await asyncio.to_thread(hash_file, path, sm3=named.sm3 is not None)
    except (ObjectMissing, FileUnreadable) as error:
        message = f"an object of clip {clip} cannot be read: {error}"
        return found(codes.OBJECT_UNREADABLE, subject, message, clip=clip), 0
    if hashes.sha256 == named.sha256 and hashes.size == named.size:
        if named.sm3 is not None and hashes.sm3 is not None and hashes.sm3 != named.sm3:
            message = f"an object of clip {clip} has another SM3 than on record, and the SHA-256 on record"
            return found(codes.OBJECT_SM3_DIFFERS, subject, message, clip=clip, holds=hashes.sm3.hex()), hashes.size
        return None, hashes.size
    return await _explain(conn, named, hashes, subject), hashes.size


async def _explain(conn: Connection, named: NamedObject, hashes: FileHashes, subject: str) -> Finding:
    """Say what an object that differs holds instead."""
    holds, clip = hashes.sha256.hex(), str(named.clip)
    facts = {"clip": clip, "holds": holds, "stated_bytes": named.size, "actual_bytes": hashes.size}
    if hashes.sha256 != named.sha256 and await store.is_named(conn, hashes.sha256):
        message = f"an object of clip {clip} holds the bytes of object {holds}"
        return found(codes.OBJECT_SWAPPED, subject, message, **facts)
    facts |= await _places(conn, named, hashes)
    where = f", at bytes {facts['places']}" if "places" in facts else ""
    if hashes.size != named.size:
        message = f"an object of clip {clip} has {hashes.size} bytes instead of {named.size}{where}"
        return found(codes.OBJECT_SIZE_DIFFERS, subject, message, **facts)
    return found(codes.OBJECT_ALTERED, subject, f"an object of clip {clip} has other bytes{where}", **facts)


async def _places(conn: Connection, named: NamedObject, hashes: FileHashes) -> dict[str, object]:
    """Say at which bytes an original differs, if its kept leaf hashes lead to its root."""
    if named.root is None:
        return {}
    digest = ClipDigest(
        size=named.size,
        chunk_bytes=CHUNK_BYTES,
        chunks=-(-named.size // CHUNK_BYTES),
        root=named.root,
        sha256=named.sha256,
    )
    proved = prove_leaves(await store.kept_leaves(conn, named.sha256), digest)
    if proved is None:
        return {}
    where = locate(digest.size, hashes, proved)
    return {"places": where.places, "ranges": where.ranges, "chunks_differ": where.chunks}
