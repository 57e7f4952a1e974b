"""The background audit of `serve`: round after round, slowly, with a budget of bytes per second.

A round:
1. log, payloads, rows, uploads and the presence of objects, by `evidence.audit.house`, as `shilu audit` does it; the
   published files are read within the budget, and the log must contain what the last round saw of it
2. the bytes of every stored object, one after another by digest, in one thread of the lowest priority and past the
   page cache; each must hash to its own name
3. the result becomes the entry `audit.completed`, and stands in /readyz, in the metrics and in the log

Part 2 is nearly all of the work, so it is what is remembered: progress is on disk every few seconds, and a restart goes
on at the object it had come to. Part 1 begins anew. A round that cannot go on (database, disk) is taken up later; the
service stays ready, as no request is wrong because of it. Findings are no reason to refuse requests either.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from api.audit_record import record_audit
from api.audit_rules import further_checks
from evidence.audit import findings as house_codes
from evidence.audit.findings import found
from evidence.audit.house import audit_house
from evidence.audit.timestamps import StampRules
from evidence.core.clock import Clock, Entropy, format_time, parse_time
from evidence.core.durable import make_folders, write_file
from evidence.custody.log_keys import readable_log_keys
from evidence.db.pool import Connection, Pool
from evidence.errors import ObjectMissing
from evidence.objects.local import LocalObjects
from ledger.audit_times import TimeRules
from ledger.checkpoint import Checkpoint
from ledger.errors import CodedError, LedgerInputError, NotPublished
from ledger.findings import Finding, Severity
from ledger.key_history import KeyHistory
from ledger.pausing import happens
from ledger.publish import CHECKPOINT_PATH, StoredFiles
from ledger.store import DATABASE_ERRORS

if TYPE_CHECKING:
    from evidence.objects.s3 import S3Objects

_READ_BYTES = 256 * 1024
_SAVE_SECONDS = 5.0
_AWAY_SECONDS = 30.0
_SETTLE_SECONDS = 30.0
_FINDINGS_KEPT = 1000
_LOWEST_PRIORITY = 19

_log = structlog.get_logger("shilu.audit")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSettings:
    """Pace of the audit; both above 0."""

    interval_seconds: float
    bytes_per_second: int


@dataclass(slots=True)
class AuditStatus:
    """What is known of the audit at the moment.

    Attributes:
        completed_at: When the last round ended; None before the first.
        findings: What the last round named, and the present one so far, as JSON objects.
        coverage: Which part of the objects the present round has read, 0 to 1.
    """

    completed_at: datetime | None = None
    findings: list[dict[str, object]] = field(default_factory=list)
    coverage: float = 0.0

    def counts(self) -> dict[str, int]:
        """Return how many differences were named, by code."""
        return dict(Counter(str(one["code"]) for one in self.findings))


@dataclass(slots=True)
class _Round:
    """Progress of a round; what `audit.json` holds besides the last result."""

    housed: bool = False
    after: str = ""
    done: int = 0
    findings: list[dict[str, object]] = field(default_factory=list)


class StoppedInTheMiddle(Exception):
    """The process ends; what was done is on disk."""


class StandingAudit:
    """See the module.

    Args:
        connect: Opens a connection for the audit alone.
        objects: The local store alone.
        second: Where copies of objects are; None without a second store.
        storage: Where the log is published.
        memory: Where progress and the last result are kept.
        times: Says by what times are judged, as of now.
        stamps: By what time stamps on record are judged.
    """

    def __init__(
        self,
        *,
        connect: Callable[[], Awaitable[Connection]],
        pool: Pool,
        objects: LocalObjects,
        second: S3Objects | None = None,
        storage: StoredFiles,
        memory: Path,
        clock: Clock,
        entropy: Entropy,
        settings: AuditSettings,
        times: Callable[[], TimeRules | None] = lambda: None,
        stamps: StampRules | None = None,
    ) -> None:
        self._connect = connect
        self._pool = pool
        self._objects = objects
        self._second = second
        self._storage = storage
        self._memory = memory
        self._clock = clock
        self._entropy = entropy
        self._settings = settings
        self._times = times
        self._stamps = stamps
        self._round = _Round()
        self._seen: bytes | None = None
        self._saved_at = 0.0
        self.status = AuditStatus()

    async def run(self, stop: asyncio.Event) -> None:
        """Audit until `stop`; never raises for what may pass."""
        self._load()
        with contextlib.suppress(StoppedInTheMiddle):
            await _rest(stop, min(_SETTLE_SECONDS, self._settings.interval_seconds))
            while True:
                await _rest(stop, self._pause())
                try:
                    await self._whole_round(_Budget(self._settings.bytes_per_second, stop))
                except (CodedError, OSError, *DATABASE_ERRORS) as error:
                    await _log.awarning("audit interrupted", reason=str(error))
                    await _rest(stop, min(_AWAY_SECONDS, self._settings.interval_seconds))
        self._save()

    def _pause(self) -> float:
        """Return the seconds until the next round, 0 when one is under way."""
        if self.status.completed_at is None or self._round.housed:
            return 0.0
        since = (self._clock() - self.status.completed_at).total_seconds()
        return max(0.0, self._settings.interval_seconds - since)

    async def _whole_round(self, budget: _Budget) -> None:
        async with self._pool.acquire() as conn:
            log = await readable_log_keys(conn)
        if log is None:
            raise NotPublished("the log has not begun yet")
        if not self._round.housed:
            self._round = _Round()
            await self._house(log, budget)
            self._round.housed = True
            self._save()
        with _low_priority_thread() as thread:
            await self._read_objects(thread, budget)
        await self._complete(log)

    async def _house(self, log: KeyHistory, budget: _Budget) -> None:
        conn = await self._connect()
        try:
            stream = audit_house(
                conn,
                storage=_PacedLog(self._storage, budget),
                objects=self._objects,
                log=log,
                since=_checkpoint(self._seen, log),
                read_objects=False,
                checks=further_checks(self._objects, self._second, self._clock),
                times=self._times(),
                stamps=self._stamps,
            )
            async with aclosing(stream) as findings:
                async for finding in findings:
                    await self._note(finding)
        finally:
            await conn.close()

    async def _read_objects(self, thread: ThreadPoolExecutor, budget: _Budget) -> None:
        loop = asyncio.get_running_loop()
        listed = await loop.run_in_executor(thread, lambda: [one.sha256 for one in self._objects.list()])
        names = [name for name in sorted(listed) if name > self._round.after]
        done = len(listed) - len(names)
        for name in names:
            holds = await self._hash(name, thread, budget)
            if holds not in (None, name):
                message = "an object does not hash to its name: its bytes were altered"
                await self._note(found(house_codes.OBJECT_ALTERED, f"object:{name}", message, holds=holds))
            done += 1
            self._round.after, self._round.done = name, done
            self.status.coverage = done / len(listed)
            if time.monotonic() - self._saved_at > _SAVE_SECONDS:
                self._save()
        self.status.coverage = 1.0

    async def _hash(self, name: str, thread: ThreadPoolExecutor, budget: _Budget) -> str | None:
        """Hash an object piece by piece; None when it is gone, which part 1 names."""
        loop = asyncio.get_running_loop()
        try:
            path = await loop.run_in_executor(thread, self._objects.open_path, name)
            file: FileIO = await loop.run_in_executor(thread, FileIO, path)
        except (ObjectMissing, FileNotFoundError):
            return None
        digest = hashlib.sha256()

        def read() -> int:
            piece = file.read(_READ_BYTES)
            digest.update(piece)
            # What was read for the audit alone does not push what others need out of the page cache.
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            return len(piece)

        with file:
            while count := await loop.run_in_executor(thread, read):
                await budget.spend(count)
        return digest.hexdigest()

    async def _complete(self, log: KeyHistory) -> None:
        note = await self._storage.get(CHECKPOINT_PATH)
        newest = _checkpoint(note, log)
        if newest is None:
            raise NotPublished("there is no checkpoint of this log to audit up to")
        named = [_finding(one) for one in self._round.findings]
        resolves = (Severity.ERROR,) if len(named) < _FINDINGS_KEPT else ()
        await record_audit(self._pool, newest, named, resolves=resolves, clock=self._clock, entropy=self._entropy)
        self._seen = note
        self.status = AuditStatus(self._clock(), self._round.findings, 1.0)
        self._round = _Round()
        self._save()
        await _log.ainfo("audit completed", size=newest.size, findings=self.status.counts())

    async def _note(self, finding: Finding) -> None:
        if finding.severity is not Severity.ERROR:
            return
        await _log.aerror("audit found", code=finding.code, subject=finding.subject, message=finding.message)
        if len(self._round.findings) < _FINDINGS_KEPT:
            self._round.findings.append(finding.as_json())
            if finding.as_json() not in self.status.findings:
                self.status.findings.append(finding.as_json())

    def _save(self) -> None:
        self._saved_at = time.monotonic()
        at = self.status.completed_at
        body = {
            "round": {
                "housed": self._round.housed,
                "after": self._round.after,
                "done": self._round.done,
                "findings": self._round.findings,
            },
            "completed_at": None if at is None else format_time(at),
            "findings": self.status.findings,
            "seen": None if self._seen is None else self._seen.decode(),
        }
        make_folders(self._memory.parent)
        write_file(self._memory, json.dumps(body, ensure_ascii=False, default=str).encode(), mode=0o600)

    def _load(self) -> None:
        try:
            body = json.loads(self._memory.read_bytes())
            at = body["completed_at"]
            self.status = AuditStatus(None if at is None else parse_time(at), list(body["findings"]))
            self._round = _Round(**body["round"])
            self._seen = None if body["seen"] is None else body["seen"].encode()
        except (OSError, ValueError, KeyError, TypeError, CodedError):
            # Without its memory the audit begins a round; nothing else depends on it.
            self._round, self._seen, self.status = _Round(), None, AuditStatus()


class _Budget:
    """Lets at most so many bytes a second pass, by sleeping after each piece."""

    def __init__(self, bytes_per_second: int, stop: asyncio.Event) -> None:
        self._rate = bytes_per_second
        self._stop = stop
        self._free_at = time.monotonic()

    async def spend(self, count: int) -> None:
        """Sleep for what was read.

        Raises:
            StoppedInTheMiddle: The process ends.
        """
        now = time.monotonic()
        self._free_at = max(self._free_at, now) + count / self._rate
        await _rest(self._stop, self._free_at - now)


class _PacedLog:
    """The published log, read within the budget."""

    def __init__(self, storage: StoredFiles, budget: _Budget) -> None:
        self._storage = storage
        self._budget = budget

    async def get(self, path: str) -> bytes | None:
        """Return a file's bytes, None where there is none; waits until the budget has them.

        Raises:
            StoppedInTheMiddle: The audit was told to stop meanwhile.
        """
        raw = await self._storage.get(path)
        await self._budget.spend(len(raw or b""))
        return raw

    def paths(self) -> AsyncIterator[str]:
        """Go through the paths of all files, in the order of the storage; names cost nothing."""
        return self._storage.paths()


async def _rest(stop: asyncio.Event, seconds: float) -> None:
    if await happens(stop, max(seconds, 0.0001)):
        raise StoppedInTheMiddle


def _low_priority_thread() -> ThreadPoolExecutor:
    def lower() -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LOWEST_PRIORITY)

    return ThreadPoolExecutor(1, thread_name_prefix="audit", initializer=lower)


def _finding(noted: Mapping[str, object]) -> Finding:
    """Read a finding back from what the round remembers of it, which another program may have written."""
    details = noted.get("details")
    return Finding(
        code=str(noted["code"]),
        severity=Severity.ERROR,
        subject=str(noted["subject"]),
        message=str(noted["message"]),
        details=details if isinstance(details, dict) else {},
    )


def _checkpoint(note: bytes | None, log: KeyHistory) -> Checkpoint | None:
    try:
        return None if note is None else log.open_checkpoint(note)
    except LedgerInputError:
        return None
