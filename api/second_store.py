"""The second store of a house: opened where the configuration names one, with the copier that brings objects there.

A bucket that does not keep what is asked of it ends the start; one that does not answer does not, for intake goes on
without it: what waits is copied when it is back (`ingest.copies`), and the same question is asked before that.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import structlog

from api.config import ServiceConfig
from api.folders import DataFolders
from evidence.core.clock import Clock, Entropy
from evidence.db.pool import Pool
from evidence.errors import ObjectStoreUnreachable
from evidence.objects.store import ObjectStore
from evidence.objects.tiered import TieredObjects
from ingest.copies import Copier, CopySettings

if TYPE_CHECKING:
    from evidence.objects.s3 import S3Objects

_log = structlog.get_logger("shilu.copies")


async def open_second(config: ServiceConfig, folders: DataFolders, stack: AsyncExitStack) -> S3Objects | None:
    """Open the second store for the length of the stack; None where there is none.

    Raises:
        ObjectStoreUnsuitable: The bucket ignores conditions, or has no Object Lock although copies are to be locked.
    """
    place = config.second_place
    if place is None:
        return None
    # Imported here: the client of S3 takes longer to load than all the rest, and only who copies there needs it.
    from evidence.objects.s3 import S3Objects

    second = await asyncio.to_thread(S3Objects, place, fetched=folders.fetched)
    stack.callback(second.close)
    try:
        await asyncio.to_thread(second.require_suitable, locks=retention_days(config) is not None)
    except ObjectStoreUnreachable as error:
        await _log.awarning("second store away", reason=error.message)
    return second


def both_of(local: ObjectStore, second: S3Objects | None) -> ObjectStore:
    """Return the store that reads from the second one what is not here."""
    return local if second is None else TieredObjects(local, second)


def retention_days(config: ServiceConfig) -> int | None:
    """Return for how long originals are locked; None for copies without a lock."""
    return config.objects_second_retention_days or None


def make_copier(
    config: ServiceConfig, pool: Pool, local: ObjectStore, second: S3Objects | None, *, clock: Clock, entropy: Entropy
) -> Copier | None:
    """Return the copier of this process; None without a second store."""
    if second is None:
        return None
    return Copier(
        pool=pool,
        local=local,
        second=second,
        clock=clock,
        entropy=entropy,
        settings=CopySettings(retention_days=retention_days(config)),
    )
