"""Repair: an object that is gone or damaged in one of the two stores is put back from the other, on record.

For each object that the record names, the local file is read whole and the storage asked about the copy:

    here        there                what happens
    whole       whole                nothing
    whole       missing, damaged     copied anew; over damaged bytes only as a new version, where the bucket keeps them
    whole       unlocked, rewritten  locked anew; another version than on record is put on record
    gone, bad   readable             fetched, compared, put in its place; damaged bytes go to quarantine
    gone, bad   not readable         `lost`: nothing is touched, in neither store
    gone        (a derivative)       nothing: it is another host's, or made again

Order of effects here, `evidence.objects.aside` tells the rest:

1. the copy is fetched to a temporary name, compared, synced    crash: a temporary file, removed a day later
2. the damaged file gets a second name in quarantine            crash: the next round goes on with that name
3. the good file takes the object's name                        crash: the next round records what it finds aside
4. one transaction {entry `object.restored`, its row}           crash: all or nothing; before it, see 3

Order of effects there:

1. the copy is written, checked and locked (`S3Objects`)        crash: a good version that is not on record; the next
                                                                round puts it on record (`clip.copied`)
2. one transaction {`clip.copied`, `object.restored`, rows}     crash: all or nothing; before it, see 1

Two repairs at once do no harm: who finds the file changed since it was read leaves it alone. Memory is constant.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

from evidence.core.clock import Clock, Entropy
from evidence.core.ids import uuid7
from evidence.custody.record import record
from evidence.db.locks import lock_subject
from evidence.db.pool import Connection, Pool
from evidence.errors import ObjectDamaged, ObjectMissing, ObjectStoreUnsuitable
from evidence.objects.aside import (
    Aside,
    Condition,
    Examined,
    asides,
    begin,
    examine,
    examine_file,
    finish,
    put_in_place,
)
from evidence.objects.copy_state import CopyState, ExaminedCopy, examine_copy
from evidence.objects.copy_store import RecordedCopy, newest_copy
from evidence.objects.local import LocalObjects
from evidence.objects.restoration_store import OwnedObject, is_restoration_recorded, owned_objects
from ingest.copies import stated_copy
from ingest.offload import on_disk
from ledger.canonical import JsonValue

if TYPE_CHECKING:
    from evidence.objects.s3 import S3Objects, StoredCopy

LOCAL = "local"
"""What entries call the store of this house."""


class Outcome(StrEnum):
    """What came of an object that was not in order."""

    RESTORED = "restored"
    """The local file was put back from the second store."""

    COPIED = "copied"
    """The copy was written anew from the local file."""

    LOCKED = "locked"
    """The copy's lock was set anew, its version put on record."""

    RECORDED = "recorded"
    """A restoration that was interrupted was put on record."""

    CHANGED = "changed"
    """The file changed while it was looked at; look again."""

    REFUSED = "refused"
    """The storage does not permit it; the message says what to do."""

    LOST = "lost"
    """No store has good bytes; nothing was touched."""


MENDED = frozenset({Outcome.RESTORED, Outcome.COPIED, Outcome.LOCKED, Outcome.RECORDED})
"""Those after which the object is in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """One object that was not in order.

    Attributes:
        size: Bytes that it has.
        store: Where it was not in order: `local`, or the second store's address.
        was: What was wrong: missing, damaged, unreadable, rewritten, unlocked, unrecorded.
        outcome: What came of it, or in a dry run what would come of it.
        kept: Where the damaged bytes lie: a file in quarantine, or a version in the bucket.
    """

    sha256: str
    clip: UUID
    size: int
    store: str
    was: str
    outcome: Outcome
    message: str
    kept: str | None = None

    def as_json(self) -> dict[str, object]:
        """Return the JSON object that `shilu repair --json` prints for this object."""
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {**fields, "clip": str(self.clip), "outcome": str(self.outcome)}


class Repair:
    """Repairs the objects of one local store and their copies.

    Args:
        pool: One connection at a time.
        retention_days: For how long from its seal an original's copy is locked; None for no lock.
    """

    def __init__(
        self,
        *,
        pool: Pool,
        local: LocalObjects,
        second: S3Objects,
        clock: Clock,
        entropy: Entropy,
        retention_days: int | None,
    ) -> None:
        self._pool = pool
        self._local = local
        self._second = second
        self._clock = clock
        self._entropy = entropy
        self._retention_days = retention_days

    @property
    def _place(self) -> str:
        return str(self._second.place)

    async def run(
        self,
        *,
        clips: Sequence[UUID] | None = None,
        dry_run: bool = False,
        progress: Callable[[int], None] = lambda _done: None,
    ) -> AsyncIterator[Mended]:
        """Look at every object and yield those that were not in order, with what came of them.

        Args:
            clips: Only objects of these clips; None for all.
            dry_run: Say what would be done, and touch nothing.
            progress: Told how many objects were looked at.

        Raises:
            ObjectStoreUnreachable, ObjectStoreUnsuitable: The second store does not do its part; go on later.
            UploadNoSpace, SpoolFailed: The disk does not do its part.
        """
        if not dry_run:
            await asyncio.to_thread(self._second.require_suitable, locks=self._retention_days is not None)
        done = 0
        async for one in owned_objects(self._pool, clips=clips):
            async for mended in self.object(one, dry_run=dry_run):
                yield mended
            done += 1
            progress(done)

    async def object(self, one: OwnedObject, *, dry_run: bool = False) -> AsyncIterator[Mended]:
        """Look at one object in both stores and yield what was not in order; see `run`."""
        name = one.sha256.hex()
        recorded = await newest_copy(self._pool, sha256=one.sha256, store=self._place)
        here = await on_disk(examine, self._local, name)
        there = await asyncio.to_thread(examine_copy, self._second, name, size=one.size, recorded=recorded)
        if here.condition is Condition.MISSING and one.sealed_at is None:
            # Another host's, or made again.
            return
        if here.condition is not Condition.WHOLE:
            mended = await self._put_back(one, here, there, recorded, dry_run=dry_run)
            yield mended
            if mended.outcome is not Outcome.RESTORED:
                return
        elif (unrecorded := await self._record_interrupted(one, dry_run=dry_run)) is not None:
            yield unrecorded
        if there.state not in (CopyState.WHOLE, CopyState.WAITING):
            yield await self._copy_again(one, there, recorded, dry_run=dry_run)

    # Here

    async def _put_back(
        self, one: OwnedObject, here: Examined, there: ExaminedCopy, recorded: RecordedCopy | None, *, dry_run: bool
    ) -> Mended:
        was = str(here.condition)
        version = await self._good_version(one, there, recorded)
        if version is None and not there.is_readable:
            return _mended(one, LOCAL, was, Outcome.LOST, f"the copy is {there.state}: no store has good bytes")
        if dry_run:
            return _mended(one, LOCAL, was, Outcome.RESTORED, f"would be put back from {self._place}")
        name, good = one.sha256.hex(), self._local.temporary()
        try:
            await self._clear_notes(name)
            await on_disk(self._second.fetch, name, good, version=version)
            async with self._pool.acquire() as conn, conn.transaction():
                # Two repairs may have fetched it; the second one finds another file than it looked at.
                await lock_subject(conn, f"object:{name}")
                restoration = uuid7(clock=self._clock, entropy=self._entropy)
                aside = await on_disk(begin, self._local, name, here, restoration=restoration)
                if aside is None:
                    return _mended(one, LOCAL, was, Outcome.CHANGED, "it is not as it was a moment ago")
                await on_disk(put_in_place, self._local, good, name)
                kept = await self._record(conn, one, aside)
            await on_disk(finish, aside)
        except (ObjectDamaged, ObjectMissing) as error:
            return _mended(one, LOCAL, was, Outcome.LOST, error.message)
        finally:
            good.unlink(missing_ok=True)
        return _mended(one, LOCAL, was, Outcome.RESTORED, f"put back from {self._place}", kept)

    async def _good_version(self, one: OwnedObject, there: ExaminedCopy, recorded: RecordedCopy | None) -> str | None:
        """Return the version on record where the present one is gone or damaged and that one is still there."""
        if there.is_readable or recorded is None or recorded.version is None:
            return None
        look = await asyncio.to_thread(self._second.look, one.sha256.hex(), version=recorded.version)
        return None if look is None else recorded.version

    async def _record_interrupted(self, one: OwnedObject, *, dry_run: bool) -> Mended | None:
        """Put on record what a crash left behind a file that is good again."""
        last = None
        for aside in await on_disk(lambda: list(asides(self._local, one.sha256.hex()))):
            if await is_restoration_recorded(self._pool, aside.restoration):
                await on_disk(finish, aside)
                continue
            if not dry_run:
                async with self._pool.acquire() as conn, conn.transaction():
                    await lock_subject(conn, f"object:{one.sha256.hex()}")
                    if not await is_restoration_recorded(conn, aside.restoration):
                        await self._record(conn, one, aside)
                await on_disk(finish, aside)
            message = "was put back, and that was not on record"
            last = _mended(one, LOCAL, "unrecorded", Outcome.RECORDED, message, aside.path.name)
        return last

    async def _clear_notes(self, name: str) -> None:
        """Remove notes of restorations that are on record: the object is missing once more."""
        for aside in await on_disk(lambda: list(asides(self._local, name))):
            if await is_restoration_recorded(self._pool, aside.restoration):
                await on_disk(finish, aside)

    async def _record(self, conn: Connection, one: OwnedObject, aside: Aside) -> str | None:
        """Record what was done to a local object; return where the damaged bytes lie."""
        was = await on_disk(examine_file, aside.path, aside.sha256)
        is_note = aside.reason is Condition.MISSING
        await self._record_restored(
            conn,
            one,
            restoration=aside.restoration,
            store=LOCAL,
            source=self._place,
            reason=str(aside.reason),
            kept=None if is_note else aside.path.name,
            held=None if is_note else was.held,
            held_size=None if is_note else was.held_size,
        )
        return None if is_note else aside.path.name

    # There

    async def _copy_again(
        self, one: OwnedObject, there: ExaminedCopy, recorded: RecordedCopy | None, *, dry_run: bool
    ) -> Mended:
        was = str(there.state)
        outcome = Outcome.COPIED if there.state in (CopyState.MISSING, CopyState.DAMAGED) else Outcome.LOCKED
        if dry_run:
            return _mended(one, self._place, was, outcome, f"would be {outcome} anew")
        try:
            held, copy = await self._write_copy(one, there, recorded)
        except (ObjectDamaged, ObjectMissing, ObjectStoreUnsuitable) as error:
            return _mended(one, self._place, was, Outcome.REFUSED, error.message)
        kept = there.stored.version if there.state is CopyState.DAMAGED and there.stored else None
        # Crash here: a good copy whose version is not on record, which the next round puts there.
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_subject(conn, f"copies:{one.clip}")
            known = await newest_copy(conn, sha256=one.sha256, store=self._place)
            if known is None or known.version != copy.version:
                await self._record_copied(conn, one, copy)
            if outcome is Outcome.COPIED:
                await self._record_restored(
                    conn,
                    one,
                    restoration=uuid7(clock=self._clock, entropy=self._entropy),
                    store=self._place,
                    source=LOCAL,
                    reason=was,
                    kept=kept,
                    held=held,
                    held_size=there.stored.size if kept and there.stored else None,
                )
        return _mended(one, self._place, was, outcome, f"{outcome} anew", kept)

    async def _write_copy(
        self, one: OwnedObject, there: ExaminedCopy, recorded: RecordedCopy | None
    ) -> tuple[bytes | None, StoredCopy]:
        """Make the copy good; return the digest of what lay there instead, and what the storage says now."""
        name, until = one.sha256.hex(), self._until(one, recorded)
        path = await on_disk(self._local.open_path, name)
        if there.state is CopyState.DAMAGED and there.stored is not None:
            held = bytes.fromhex(await asyncio.to_thread(self._second.digest, name))
            over = there.stored.version or ""
            return held, await on_disk(self._second.copy_anew, path, name, over=over, retain_until=until)
        return None, await on_disk(self._second.copy_in, path, name, retain_until=until)

    def _until(self, one: OwnedObject, recorded: RecordedCopy | None) -> datetime | None:
        known = None if recorded is None else recorded.retained_until
        if one.sealed_at is None or self._retention_days is None:
            return known
        term = one.sealed_at + timedelta(days=self._retention_days)
        return term if known is None else max(term, known)

    async def _record_copied(self, conn: Connection, one: OwnedObject, copy: StoredCopy) -> None:
        await record(
            conn,
            type="clip.copied",
            actor="service",
            subject=f"clip:{one.clip}",
            payload={"clip": str(one.clip), "store": self._place, "objects": [stated_copy(one.sha256, copy)]},
            clock=self._clock,
            entropy=self._entropy,
        )

    async def _record_restored(
        self,
        conn: Connection,
        one: OwnedObject,
        *,
        restoration: UUID,
        store: str,
        source: str,
        reason: str,
        kept: str | None,
        held: bytes | None,
        held_size: int | None,
    ) -> None:
        payload: dict[str, JsonValue] = {
            "clip": str(one.clip),
            "restoration": str(restoration),
            "sha256": one.sha256.hex(),
            "size": one.size,
            "store": store,
            "source": source,
            "reason": reason,
            "kept_as": kept,
            "held": None if held is None else held.hex(),
            "held_size": held_size,
        }
        await record(
            conn,
            type="object.restored",
            actor="service",
            subject=f"clip:{one.clip}",
            payload=payload,
            clock=self._clock,
            entropy=self._entropy,
        )


def _mended(one: OwnedObject, store: str, was: str, outcome: Outcome, message: str, kept: str | None = None) -> Mended:
    return Mended(
        sha256=one.sha256.hex(),
        clip=one.clip,
        size=one.size,
        store=store,
        was=was,
        outcome=outcome,
        message=message,
        kept=kept,
    )
