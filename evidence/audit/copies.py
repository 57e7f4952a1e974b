"""The audit's look at the second store: each copy on record is there as stated, locked as long, and nothing else is.

Two sorted streams are merged, what is on record and the store's own list; what the list cannot tell (checksum, version,
lock) is asked for each copy. Bytes are not brought here: a storage that checks what it receives and states the checksum
is believed about its bytes, one that states none is read whole. The store's word for a lock is all there is.

What is on record about copies, the rows, is held against the payloads elsewhere (`evidence.custody.replay`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from evidence.audit import findings as codes
from evidence.audit import store
from evidence.audit.findings import found
from evidence.db.pool import Connection
from evidence.errors import ObjectStoreUnreachable
from evidence.objects.copy_state import has_right_bytes, is_locked_as_recorded
from evidence.objects.copy_store import RecordedCopy, overdue_copies, recorded_copies
from evidence.objects.store import StoredObject
from evidence.retention.disposal_store import is_gone
from ledger.findings import Finding

if TYPE_CHECKING:
    from evidence.objects.s3 import S3Objects

_LISTED_AT_ONCE = 500

OVERDUE_AFTER = timedelta(days=1)
"""For so long after it was made an object may wait for its copy."""


async def audit_copies(conn: Connection, *, second: S3Objects, now: datetime | None = None) -> AsyncIterator[Finding]:
    """Hold the copies on record against the second store, both ways; a store that is away is one finding.

    Args:
        now: What should have been copied by this time is named too; None to leave that alone.
    """
    if now is not None:
        async for one in overdue_copies(conn, store=str(second.place), before=now - OVERDUE_AFTER):
            what = "the original" if one.retain_from is not None else "something made"
            message = f"{what} of clip {one.clip} has not been copied to the second store"
            yield found(codes.COPY_OVERDUE, f"object:{one.sha256.hex()}", message, clip=str(one.clip), size=one.size)
    try:
        async for finding in _compare(conn, second):
            yield finding
    except ObjectStoreUnreachable as error:
        yield found(codes.COPIES_UNCHECKED, f"store:{second.place}", f"the copies were not looked at: {error.message}")


async def _compare(conn: Connection, second: S3Objects) -> AsyncIterator[Finding]:
    stored = _Listing(second.list())
    present = await stored.next()
    async for copy in recorded_copies(conn, store=str(second.place)):
        while present and present.sha256 < copy.sha256.hex():
            if finding := await _judge_unnamed(conn, present):
                yield finding
            present = await stored.next()
        is_listed = present is not None and present.sha256 == copy.sha256.hex()
        if await is_gone(conn, copy.sha256):
            if is_listed:
                message = f"the copy of an object of clip {copy.clip}, which was disposed of, is still there"
                yield _found(codes.COPY_NOT_REMOVED, copy, message)
        elif finding := await asyncio.to_thread(_judge, second, copy, is_listed=is_listed):
            yield finding
        if is_listed:
            present = await stored.next()
    while present:
        if finding := await _judge_unnamed(conn, present):
            yield finding
        present = await stored.next()


class _Listing:
    """The store's list, read in a thread, some at a time."""

    def __init__(self, source: Iterator[StoredObject]) -> None:
        self._source = source
        self._read: Iterator[StoredObject] = iter(())

    async def next(self) -> StoredObject | None:
        """Return the next object, None at the end."""
        if (following := next(self._read, None)) is None:
            self._read = iter(await asyncio.to_thread(lambda: list(islice(self._source, _LISTED_AT_ONCE))))
            following = next(self._read, None)
        return following


def _judge(second: S3Objects, copy: RecordedCopy, *, is_listed: bool) -> Finding | None:
    """Say what is wrong with a copy, the worst of it."""
    name, clip = copy.sha256.hex(), str(copy.clip)
    stored = second.look(name) if is_listed else None
    if stored is None:
        is_kept = copy.version is not None and second.look(name, version=copy.version) is not None
        how = "is hidden by a deletion; the version on record is still there" if is_kept else "is gone"
        return _found(codes.COPY_MISSING, copy, f"the copy of an object of clip {clip} {how}", version_kept=is_kept)
    if stored.size != copy.size:
        message = f"the copy of an object of clip {clip} has {stored.size} bytes instead of {copy.size}"
        return _found(codes.COPY_ALTERED, copy, message, actual_bytes=stored.size)
    if not has_right_bytes(second, stored, copy):
        message = f"the copy of an object of clip {clip} has other bytes"
        return _found(codes.COPY_ALTERED, copy, message, checksum=stored.checksum, stated=copy.checksum)
    if copy.version is not None and stored.version != copy.version:
        message = f"the copy of an object of clip {clip} was written anew"
        return _found(codes.COPY_ALTERED, copy, message, version=stored.version, stated=copy.version)
    if not is_locked_as_recorded(stored, copy):
        until = copy.retained_until
        ends = "is not locked" if stored.retained_until is None else f"is locked until {stored.retained_until} only"
        return _found(codes.COPY_UNLOCKED, copy, f"the copy of an object of clip {clip} {ends}, not until {until}")
    return None


async def _judge_unnamed(conn: Connection, present: StoredObject) -> Finding | None:
    # Copied a moment ago and not on record yet, or recorded while this audit was running.
    if await store.is_named_by_row(conn, bytes.fromhex(present.sha256)):
        return None
    message = f"nothing on record names this object of {present.size} bytes in the second store"
    return found(codes.COPY_UNNAMED, f"object:{present.sha256}", message, size=present.size)


def _found(code: str, copy: RecordedCopy, message: str, **facts: object) -> Finding:
    return found(code, f"object:{copy.sha256.hex()}", message, clip=str(copy.clip), **facts)
