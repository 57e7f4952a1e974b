"""The audit's look at what repairs put aside: the damaged bytes that entries name are kept as they were found.

They are what is left of whatever happened to an object, so their loss is a finding like that of an object. What lies in
quarantine and no entry names was left by a repair that was interrupted, or put there.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from evidence.audit import findings as codes
from evidence.audit.findings import found
from evidence.db.pool import Connection
from evidence.errors import ObjectStoreUnreachable
from evidence.objects.aside import Condition, asides, examine_file
from evidence.objects.local import LocalObjects
from evidence.objects.restoration_store import Restoration, is_restoration_recorded, restorations
from evidence.retention.disposal_store import is_gone
from ledger.findings import Finding

if TYPE_CHECKING:
    from evidence.objects.s3 import S3Objects


async def audit_restored(
    conn: Connection, *, local: LocalObjects, second: S3Objects | None = None
) -> AsyncIterator[Finding]:
    """Hold what repairs put aside against the record, both ways.

    A second store that is away is named by the audit of the copies.
    """
    for one in await restorations(conn):
        if await is_gone(conn, one.sha256):
            continue
        if second is not None and one.store == str(second.place):
            is_kept = await asyncio.to_thread(_is_version_kept, second, one)
        else:
            is_kept = one.store != "local" or await asyncio.to_thread(_is_file_kept, local, one)
        if not is_kept:
            message = f"the damaged bytes of an object of clip {one.clip} that a repair kept are gone or changed"
            facts = {"clip": str(one.clip), "kept": one.kept_as, "store": one.store, "entry": str(one.entry_id)}
            yield found(codes.KEPT_GONE, f"object:{one.sha256.hex()}", message, **facts)
    for aside in await asyncio.to_thread(lambda: list(asides(local))):
        if not await is_restoration_recorded(conn, aside.restoration):
            message = f"{aside.path.name} lies in quarantine and no entry says so; repair again"
            yield found(codes.UNRECORDED, f"object:{aside.sha256}", message, reason=str(aside.reason))


def _is_file_kept(local: LocalObjects, one: Restoration) -> bool:
    try:
        now = examine_file(local.quarantine / one.kept_as, one.sha256.hex())
    except FileNotFoundError:
        return False
    return now.held_size == one.held_size and (
        now.held == one.held or one.held is None or now.condition is Condition.UNREADABLE
    )


def _is_version_kept(second: S3Objects, one: Restoration) -> bool:
    try:
        stored = second.look(one.sha256.hex(), version=one.kept_as)
    except ObjectStoreUnreachable:
        return True
    return stored is not None and stored.size == one.held_size
