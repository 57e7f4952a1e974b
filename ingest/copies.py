"""Copies: what is in the local store comes into the second one too, and the record says so.

Order of effects for one clip:

1. the object is in the second store, checked and locked there   crash: a copy that nothing names; the next round finds
   (`S3Objects.copy_in`)                                         it, compares it and goes on
2. one transaction {entry `clip.copied`, its rows}               crash: all or nothing; before it, see 1

Originals are locked for the term that the house keeps them; a term that was prolonged is locked anew, with an entry of
its own. Derivatives can be made again and get no lock. Every process that has objects copies those it has: what a
worker on another host made is brought by that worker, and what is not here is left to whoever has it.

A second store that is away loses nothing: what waits is found again from the rows, and intake does not depend on it
(unless receipts ask for the copy). An object that the second store holds with other bytes, or that is damaged here, is
never overwritten: it stays in `CopyStatus.refused` until somebody has looked, and is tried again in whole rounds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING
from uuid import UUID

import structlog

from evidence.core.clock import Clock, Entropy, format_time
from evidence.custody.record import record
from evidence.db.locks import lock_subject
from evidence.db.pool import Pool
from evidence.errors import ObjectDamaged, ObjectMissing, ObjectStoreUnreachable, ObjectStoreUnsuitable
from evidence.objects.copy_store import RecordedCopy, WantedCopy, newest_copy, wanted_copies
from evidence.objects.store import ObjectStore
from ingest.errors import IngestError
from ingest.offload import on_disk
from ledger.canonical import JsonValue
from ledger.errors import CodedError
from ledger.pausing import happens
from ledger.store import DATABASE_ERRORS

if TYPE_CHECKING:
    from evidence.objects.s3 import S3Objects, StoredCopy

_log = structlog.get_logger("shilu.copies")


@dataclass(frozen=True, slots=True, kw_only=True)
class CopySettings:
    """Pace and term.

    Attributes:
        retention_days: For how long from its seal an original's copy is locked; None for no lock.
        look_seconds: Pause between two looks for what is new.
        whole_seconds: How often everything is looked at, not only what is new.
        overlap: How far back of the last look the next one begins: entries may be committed later than they say.
        unfinished: Age from which parts that were never put together are removed.
        fetched: Idleness after which a local file that was fetched from the second store is removed.
        at_once: Objects in one look.
        parallel: Objects copied side by side.
    """

    retention_days: int | None
    look_seconds: float = 1.0
    whole_seconds: float = 600.0
    overlap: timedelta = timedelta(minutes=10)
    unfinished: timedelta = timedelta(days=2)
    fetched: timedelta = timedelta(days=1)
    at_once: int = 200
    parallel: int = 2


@dataclass(slots=True)
class CopyStatus:
    """How copying goes.

    Attributes:
        error: Why the last round came to no end; None when it did.
        refused: Objects that cannot be copied until somebody has looked, by digest, with the reason.
        copied: Objects copied since the start.
    """

    error: str | None = None
    refused: dict[str, str] = field(default_factory=dict)
    copied: int = 0


class Copier:
    """Copies the objects of one local store.

    Args:
        pool: One connection at a time.
        local: The local store alone.
        second: Where copies go.
    """

    def __init__(
        self,
        *,
        pool: Pool,
        local: ObjectStore,
        second: S3Objects,
        clock: Clock,
        entropy: Entropy,
        settings: CopySettings,
    ) -> None:
        self._pool = pool
        self._local = local
        self._second = second
        self._clock = clock
        self._entropy = entropy
        self._settings = settings
        self._is_suitable = False
        self._whole_at: datetime | None = None
        self._since: datetime | None = None
        self.status = CopyStatus()

    @property
    def store(self) -> str:
        """The second store's address, as entries state it."""
        return str(self._second.place)

    async def run(self, stop: asyncio.Event) -> None:
        """Copy until `stop` is set; a store or a database that is away is waited for."""
        pause = self._settings.look_seconds
        while not stop.is_set():
            try:
                await self.round(stop)
                self.status.error, pause = None, self._settings.look_seconds
            except (ObjectStoreUnreachable, ObjectStoreUnsuitable, IngestError, *DATABASE_ERRORS) as error:
                self.status.error = error.code if isinstance(error, CodedError) else type(error).__name__
                await _log.awarning("copies.interrupted", reason=str(error))
                pause = min(2 * pause, 60.0)
            await happens(stop, pause)

    async def round(self, stop: asyncio.Event | None = None) -> int:
        """Copy everything that is here and has no copy on record yet; return how many objects that were.

        Raises:
            ObjectStoreUnreachable, ObjectStoreUnsuitable: The rest is left for the next round.
        """
        await self._require_suitable()
        began = self._clock()
        is_whole = self._whole_at is None or (began - self._whole_at).total_seconds() >= self._settings.whole_seconds
        if is_whole:
            await self._tidy(began)
        copied, tried = 0, set[bytes]()
        while stop is None or not stop.is_set():
            left = await self._wanted(whole=is_whole, beside=len(tried) + len(self.status.refused))
            wanted = [one for one in left if one.sha256 not in tried and self._is_tried(one, whole=is_whole)]
            if not wanted:
                break
            tried |= {one.sha256 for one in wanted}
            copied += await self._copy(wanted)
        else:
            return copied
        self._since = began
        if is_whole:
            self._whole_at = began
        return copied

    async def _require_suitable(self) -> None:
        if not self._is_suitable:
            await asyncio.to_thread(self._second.require_suitable, locks=self._settings.retention_days is not None)
            self._is_suitable = True

    async def _tidy(self, now: datetime) -> None:
        dropped = await asyncio.to_thread(self._second.drop_unfinished, before=now - self._settings.unfinished)
        removed = await on_disk(self._second.drop_fetched, before=now - self._settings.fetched)
        if dropped or removed:
            await _log.ainfo("copies.tidied", unfinished=dropped, fetched=removed)

    async def _wanted(self, *, whole: bool, beside: int) -> Sequence[WantedCopy]:
        """Return what to copy next; `beside` objects of this round may still be wanted, as they could not be copied."""
        since = None if whole or self._since is None else self._since - self._settings.overlap
        return await wanted_copies(
            self._pool,
            store=self.store,
            retention_days=self._settings.retention_days,
            since=since,
            limit=self._settings.at_once + beside,
        )

    def _is_tried(self, one: WantedCopy, *, whole: bool) -> bool:
        return whole or one.sha256.hex() not in self.status.refused

    async def _copy(self, wanted: Sequence[WantedCopy]) -> int:
        places = asyncio.Semaphore(self._settings.parallel)
        clips = [list(group) for _, group in groupby(wanted, key=lambda one: one.clip)]
        outcomes = await asyncio.gather(
            *(self._copy_clip(objects, places) for objects in clips), return_exceptions=True
        )
        # All are awaited: what goes on after an error would write behind the back of the next round.
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        return sum(outcome for outcome in outcomes if isinstance(outcome, int))

    async def _copy_clip(self, objects: Sequence[WantedCopy], places: asyncio.Semaphore) -> int:
        async with places:
            made = [(one, copy) for one in objects if (copy := await self._copy_one(one)) is not None]
            return await self._record(objects[0].clip, made)

    async def _copy_one(self, one: WantedCopy) -> StoredCopy | None:
        name = one.sha256.hex()
        days = self._settings.retention_days
        until = None if days is None or one.retain_from is None else one.retain_from + timedelta(days=days)
        try:
            path = await asyncio.to_thread(self._local.open_path, name)
            copy = await on_disk(self._second.copy_in, path, name, retain_until=until)
        except ObjectMissing:
            # Another host's, or lost: the first is no fault, the second is named by the audit.
            return None
        except ObjectDamaged as error:
            if name not in self.status.refused:
                await _log.aerror("copies.refused", sha256=name, clip=str(one.clip), reason=error.message)
            self.status.refused[name] = error.message
            return None
        self.status.refused.pop(name, None)
        return copy

    async def _record(self, clip: UUID, made: Sequence[tuple[WantedCopy, StoredCopy]]) -> int:
        # Crash here: the copies are there and nothing says so; the next round comes here again.
        async with self._pool.acquire() as conn, conn.transaction():
            # Two processes may have copied the same object; one of them says so.
            await lock_subject(conn, f"copies:{clip}")
            news = [
                stated_copy(one.sha256, copy)
                for one, copy in made
                if _says_more(copy, await newest_copy(conn, sha256=one.sha256, store=self.store))
            ]
            if not news:
                return 0
            await record(
                conn,
                type="clip.copied",
                actor="service",
                subject=f"clip:{clip}",
                payload={"clip": str(clip), "store": self.store, "objects": news},
                clock=self._clock,
                entropy=self._entropy,
            )
        self.status.copied += len(news)
        return len(news)


def _says_more(copy: StoredCopy, known: RecordedCopy | None) -> bool:
    if known is None:
        return True
    until = _whole_seconds(copy.retained_until)
    return until is not None and (known.retained_until is None or until > known.retained_until)


def stated_copy(sha256: bytes, copy: StoredCopy) -> dict[str, JsonValue]:
    """Return how `clip.copied` states a copy of an object, whose digest has 32 bytes."""
    until = _whole_seconds(copy.retained_until)
    return {
        "sha256": sha256.hex(),
        "size": copy.size,
        "checksum": copy.checksum,
        "version": copy.version,
        "retained_until": None if until is None else format_time(until),
    }


def _whole_seconds(moment: datetime | None) -> datetime | None:
    """Return a time as storages keep it, so that what is stated is never later than what is kept."""
    return None if moment is None else moment.astimezone(UTC).replace(microsecond=0)
