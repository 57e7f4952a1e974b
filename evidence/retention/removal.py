"""Carrying out disposals: tombstones for what was approved, then the objects, once the world knows of the tombstone.

A round puts up the tombstones of approved clips that may still go, and removes the objects of those whose entry is in
the published log; see `evidence.retention.disposal` for the order of effects. Every process with a store of its own
does it: which objects a clip had is on record, removing what is gone already changes nothing, and so nobody has to
remember what a crash interrupted. Once a day all tombstones are gone through again, for what came back or was made in
spite of them.

This is the only caller of `destroy`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import structlog

from evidence.core.clock import Clock, Entropy
from evidence.db.pool import Pool
from evidence.errors import ObjectLocked
from evidence.objects.local import LocalObjects
from evidence.retention.disposal import LOCAL, bury
from evidence.retention.disposal_store import approved_clips, objects_of, published_tombstones
from evidence.retention.errors import NotDue
from ledger.errors import CodedError
from ledger.pausing import happens
from ledger.store import DATABASE_ERRORS

if TYPE_CHECKING:
    from evidence.objects.s3 import S3Objects

_ROUND_SECONDS = 60.0
_SWEEP = timedelta(days=1)
_AT_ONCE = 200
_ACTOR = "service"

_log = structlog.get_logger("shilu.disposal")


@dataclass(slots=True)
class DisposalStatus:
    """What the last round came to.

    Attributes:
        buried: Tombstones it put up.
        removed: Objects it removed from a store.
        waiting: Clips that were approved and could not go, with the reason.
    """

    buried: int = 0
    removed: int = 0
    waiting: dict[str, str] = field(default_factory=dict)


class Disposer:
    """Carries out disposals in one house's stores.

    Args:
        pool: One connection at a time.
        local: The store of this house.
        second: Where copies are; None without a second store.
    """

    def __init__(
        self, *, pool: Pool, local: LocalObjects, second: S3Objects | None, clock: Clock, entropy: Entropy
    ) -> None:
        self._pool = pool
        self._local = local
        self._second = second
        self._clock = clock
        self._entropy = entropy
        self._after: UUID | None = None
        self._left: set[UUID] = set()
        self._swept_at = clock()
        self.status = DisposalStatus()

    async def run(self, stop: asyncio.Event) -> None:
        """Carry out what was approved until `stop`; a store or database that is away is tried again."""
        while not stop.is_set():
            try:
                await self.round()
            except (CodedError, OSError, *DATABASE_ERRORS) as error:
                await _log.awarning("disposal interrupted", reason=str(error))
            await happens(stop, _ROUND_SECONDS)

    async def round(self) -> DisposalStatus:
        """Put up tombstones, and remove what lies under those that are published.

        Raises:
            ObjectStoreUnreachable, OSError: A store does not do its part; the next round goes on.
        """
        self.status = DisposalStatus()
        await self._bury_approved()
        await self._remove_buried()
        return self.status

    async def _bury_approved(self) -> None:
        stores = [LOCAL] if self._second is None else [LOCAL, str(self._second.place)]
        after: UUID | None = None
        while True:
            async with self._pool.acquire() as conn:
                page = await approved_clips(conn, after=after, limit=_AT_ONCE)
            for clip, appraisal in page:
                if (until := await self._locked_until(clip)) is not None:
                    self.status.waiting[str(clip)] = f"a copy is locked until {until:%Y-%m-%d %H:%M} UTC"
                    continue
                # Crash here: nothing happened.
                try:
                    async with self._pool.acquire() as conn, conn.transaction():
                        await bury(
                            conn,
                            clip=clip,
                            appraisal=appraisal,
                            stores=stores,
                            actor=_ACTOR,
                            clock=self._clock,
                            entropy=self._entropy,
                        )
                except NotDue as error:
                    self.status.waiting[str(clip)] = error.message
                    continue
                self.status.buried += 1
            if len(page) < _AT_ONCE:
                return
            after = page[-1][0]

    async def _locked_until(self, clip: UUID) -> datetime | None:
        """Return until when a copy of one of a clip's objects is locked; None when all may go."""
        if self._second is None:
            return None
        async with self._pool.acquire() as conn:
            objects = [one for one in await objects_of(conn, clip) if not one.shared]
        ends = [await asyncio.to_thread(self._second.locked_until, one.sha256.hex()) for one in objects]
        return max((end for end in ends if end is not None and end > self._clock()), default=None)

    async def _remove_buried(self) -> None:
        if self._clock() - self._swept_at >= _SWEEP:
            self._after, self._swept_at = None, self._clock()
        for clip in sorted(self._left):
            await self._remove(clip)
        while True:
            async with self._pool.acquire() as conn:
                page = await published_tombstones(conn, after=self._after, limit=_AT_ONCE)
            for entry, clip in page:
                await self._remove(clip)
                self._after = entry
            if len(page) < _AT_ONCE:
                return

    async def _remove(self, clip: UUID) -> None:
        """Remove what a clip had; what is locked after all is tried again next time."""
        async with self._pool.acquire() as conn:
            objects = [one for one in await objects_of(conn, clip) if not one.shared]
        self._left.discard(clip)
        for one in objects:
            name = one.sha256.hex()
            try:
                # The copy first: while the local object is there, the clip's own digests can still be compared with it.
                if self._second is not None:
                    self.status.removed += await asyncio.to_thread(self._second.destroy, name, now=self._clock())
            except ObjectLocked as error:
                self._left.add(clip)
                self.status.waiting[str(clip)] = error.message
                continue
            # Crash here: the copy is gone, the local object is not; the next round removes it.
            self.status.removed += await asyncio.to_thread(self._local.destroy, name)
