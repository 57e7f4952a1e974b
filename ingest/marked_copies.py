"""Marked copies as jobs: a playable copy with its recipient's watermark in every picture, for one link, until it ends.

1. the link's transaction: the job's row (`evidence.export.watching`)  crash: nothing was shared
2. the row is taken under a token, the attempt counted                 crash: the hold runs out, it is taken again
3. a child process makes the copy, bounded as every child is, in a     crash: the same; `tidy` removes the folder
   work folder whose name is that of the link and the token
4. it is synced and renamed to `<link>.<digest>.mp4`                   crash: a file that nobody is shown; `tidy`
5. one transaction: `clip.marked` with the digests of both, for        crash: all or nothing
   whom, what the mark says; the end of the job

One at a time in this process. A copy lies in the data folder of the host that made it, and not among the objects: it
is no evidence and goes when its link does (`tidy`); its record stays.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import structlog

from evidence.core.clock import Clock, Entropy
from evidence.core.durable import sync_file, sync_folder
from evidence.core.ids import uuid7
from evidence.custody.record import record
from evidence.db.holding import while_held
from evidence.db.pool import Pool
from evidence.errors import LeaseLost, ShareUnknown
from evidence.export.mark_text import MarkText, mark_text
from evidence.export.watch_store import (
    TABLE,
    MarkLease,
    WatchLink,
    copies_there,
    end_copies_that_are_over,
    find_watch_link,
    links_in_work,
    take_next_mark,
)
from evidence.objects.store import ObjectStore
from ingest.media.errors import ChildLost, MediaError, NoSpace, SourceUnreadable
from ingest.media.piece_child import MARK_NAME
from ingest.media.pieces import Piece, make_piece
from ingest.offload import on_disk, to_the_end
from ledger.errors import CodedError
from ledger.pausing import happens
from ledger.store import DATABASE_ERRORS

REASON_CHARACTERS_MAX: Final = 1000
_SUFFIX = ".mp4"
_WORK_PREFIX = "making-"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkSettings:
    """How marked copies are made.

    Attributes:
        attempts_max: Workers that may die over one copy before it is refused.
        lease_seconds: Silence after which a worker is taken for dead; it renews three times as often.
        blocked_seconds: Pause after an attempt that failed for want of disk space or of the object.
        look_seconds: How often new jobs are looked for, and what is over removed.
    """

    attempts_max: int = 3
    lease_seconds: float = 30.0
    blocked_seconds: float = 30.0
    look_seconds: float = 2.0


@dataclass(slots=True)
class _Progress:
    done: int = 0
    total: int | None = None

    def hear(self, read: int) -> None:
        """Take down how much of the source was read."""
        self.done = read if self.total is None else min(read, self.total)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedCopyMaker:
    """Makes marked copies in `folder`, which is made if it is missing."""

    pool: Pool
    objects: ObjectStore
    folder: Path
    clock: Clock
    entropy: Entropy
    settings: MarkSettings = MarkSettings()

    def copy_of(self, link: UUID, sha256: bytes) -> Path:
        """Return where the copy of a link lies while it is there."""
        return self.folder / f"{link}.{sha256.hex()}{_SUFFIX}"

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; what is held then is given back."""
        await on_disk(lambda: self.folder.mkdir(mode=0o700, parents=True, exist_ok=True))
        while not stop.is_set():
            try:
                await self.tidy()
                while not stop.is_set() and await self._one(stop):
                    pass
            except DATABASE_ERRORS as error:
                _log.warning("mark.database_away", error=str(error))
            await happens(stop, self.settings.look_seconds)

    async def attempt(self) -> bool:
        """Take one job and do it; False when there is none."""
        token = uuid7(clock=self.clock, entropy=self.entropy)
        try:
            return await self._attempt(token)
        except asyncio.CancelledError:
            with suppress(*DATABASE_ERRORS):
                await to_the_end(TABLE.give_back(self.pool, token, reason=None, counts=False, delay_seconds=0.0))
            raise

    async def tidy(self) -> None:
        """Remove the copies of links that are over, and whatever else lies there that nobody may be shown."""
        await end_copies_that_are_over(self.pool, at=self.clock())
        lying = await on_disk(lambda: list(self.folder.iterdir()))
        # Asked after looking: what came to be meanwhile is not among what lies here.
        working = await links_in_work(self.pool)
        there = {self.copy_of(link, sha256) for link, sha256 in (await copies_there(self.pool)).items()}
        for path in lying:
            link = _link_of(path)
            if path not in there and link not in working:
                await on_disk(_remove, path)

    async def _one(self, stop: asyncio.Event) -> bool:
        task, stopped = asyncio.create_task(self.attempt()), asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
            task.cancel()
            await asyncio.wait({task, stopped})
        return not task.cancelled() and task.result()

    async def _attempt(self, token: UUID) -> bool:
        seconds = self.settings.lease_seconds
        lease = await take_next_mark(self.pool, token=token, lease_seconds=seconds)
        if lease is None:
            return False
        progress = _Progress()

        async def renew() -> bool:
            told: dict[str, Any] = {"bytes_done": progress.done, "bytes_total": progress.total}
            return await TABLE.renew(self.pool, lease.link, token=token, lease_seconds=seconds, told=told)

        try:
            await while_held(self._work(lease, progress), renew=renew, every_seconds=min(seconds / 3, 1.0))
        except LeaseLost:
            _log.warning("mark.lease_lost", link=str(lease.link), attempt=lease.attempt)
        except CodedError as error:
            _log.warning("mark.failed", link=str(lease.link), attempt=lease.attempt, reason=str(error))
            await self._after_failure(lease, error)
        return True

    async def _work(self, lease: MarkLease, progress: _Progress) -> None:
        if lease.attempt > self.settings.attempts_max:
            raise ChildLost(lease.reason or f"{self.settings.attempts_max} workers ended without a result")
        link = await find_watch_link(self.pool, lease.link)
        if link is None:
            raise ShareUnknown(f"there is no link {lease.link}", link=str(lease.link))
        text = await asyncio.to_thread(mark_text, link.recipient, link.link, at=link.shared_at)
        folder = self.folder / f"{_WORK_PREFIX}{lease.link}.{lease.token}"
        await on_disk(_make_folder, folder, text)
        try:
            source = await on_disk(self.objects.open_path, link.parent.hex())
            progress.total = (await on_disk(source.stat)).st_size
            wanted = {"lines": list(text.lines), "from_ms": link.from_ms, "to_ms": link.to_ms, "link": str(link.link)}
            piece = await make_piece(source, folder, {"task": "mark", "mark": wanted}, heard=progress.hear)
            sha256, size = await on_disk(_settle, piece.path)
            await on_disk(_put, piece.path, self.copy_of(link.link, sha256))
            await self._publish(lease, link, text, piece, sha256=sha256, size=size)
        finally:
            await to_the_end(on_disk(shutil.rmtree, folder, ignore_errors=True))

    async def _publish(
        self, lease: MarkLease, link: WatchLink, text: MarkText, piece: Piece, *, sha256: bytes, size: int
    ) -> None:
        async with self.pool.acquire() as conn, conn.transaction():
            if not await TABLE.holds(conn, lease.link, token=lease.token):
                raise LeaseLost("the link was ended, or another worker has its copy", link=str(lease.link))
            await record(
                conn,
                type="clip.marked",
                actor="service",
                subject=f"clip:{link.clip}",
                payload={
                    "link": str(link.link),
                    "clip": str(link.clip),
                    "recipient": link.recipient,
                    "parent": link.parent.hex(),
                    "sha256": sha256.hex(),
                    "size": size,
                    "media_type": str(piece.facts.probe.get("media_type")),
                    "mark": list(text.lines),
                    "tools": piece.facts.tools,
                    "made": {name: value for name, value in piece.facts.probe.items() if name != "media_type"},
                },
                clock=self.clock,
                entropy=self.entropy,
            )
            told = {"reason": None, "bytes_done": link.bytes_total or 0}
            await TABLE.finish(conn, lease.link, token=lease.token, state="done", told=told)

    async def _after_failure(self, lease: MarkLease, error: CodedError) -> None:
        reason = str(error)[:REASON_CHARACTERS_MAX]
        lost = isinstance(error, ChildLost) and lease.attempt < self.settings.attempts_max
        file_to_blame = isinstance(error, MediaError) and not isinstance(error, NoSpace | SourceUnreadable)
        if file_to_blame and not lost:
            told = {"code": error.code, "reason": reason}
            await TABLE.finish(self.pool, lease.link, token=lease.token, state="refused", told=told)
            return
        with suppress(*DATABASE_ERRORS):
            # Else the hold runs out by itself, and the attempt does count, which is the safe side.
            await TABLE.give_back(
                self.pool,
                lease.token,
                job=lease.link,
                reason=reason,
                counts=lost,
                delay_seconds=self.settings.blocked_seconds,
            )


def _link_of(path: Path) -> UUID | None:
    with suppress(ValueError):
        return UUID(path.name.removeprefix(_WORK_PREFIX).partition(".")[0])
    return None


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _make_folder(folder: Path, text: MarkText) -> None:
    folder.mkdir(mode=0o700, parents=True)
    if text.picture is not None:
        (folder / MARK_NAME).write_bytes(text.picture)


def _settle(path: Path) -> tuple[bytes, int]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
        size = file.tell()
    path.chmod(0o400)
    sync_file(path)
    return digest, size


def _put(path: Path, target: Path) -> None:
    path.rename(target)
    sync_folder(target.parent)
