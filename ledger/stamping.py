"""Having published checkpoints stamped by time stamp authorities (RFC 3161), on a schedule, each apart from the others.

    published --1--> asked --2--> judged --3--> on record

One try, and what a crash or a lost answer leaves behind each arrow:

    before 1   nothing; the next try begins at the rows
    after 1    a stamp that nobody keeps; it is asked for again, of what is published by then
    after 2    the same
    after 3    done. If nobody told us, the next try reads it in the rows and waits for the schedule

What is stamped is the newest published checkpoint, byte for byte with its cosignatures, and only when it covers an
entry that no stamp of that authority covers, entries that merely record stamps not counted: an idle log is left alone.
Where another authority has stamped a checkpoint that covers as much, or was asked about one less than half an interval
ago, that one is taken: whoever exports an entry then has the stamps of all of them over one checkpoint.

A stamp is judged before it is kept, nonce included; what cannot be judged is not kept. An authority that fails is asked
again after a pause that doubles up to the interval. It never holds back a publication, and no other authority.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from ledger.errors import CodedError
from ledger.pausing import happens
from ledger.publish import stored_checkpoint
from ledger.timestamp.stamp import Authority, StampedAt, check_stamp, make_request

_log = logging.getLogger(__name__)


class StampTransport(Protocol):
    """Brings requests to authorities."""

    async def ask(self, url: str, request: bytes) -> bytes:
        """Post a request (RFC 3161, 3.4) and return the body of an answer of status 200.

        Raises:
            OSError: There was no such answer, or one longer than `RESPONSE_BYTES_MAX`.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """A stamp that was judged.

    Attributes:
        authority: Name of the authority.
        size: Size of the checkpoint.
        root: Its root.
        checkpoint: The published note, byte for byte.
        response: The authority's response in DER.
        said: What it says.
    """

    authority: str
    size: int
    root: bytes
    checkpoint: bytes
    response: bytes
    said: StampedAt


@dataclass(frozen=True, slots=True)
class LastStamp:
    """The newest stamp of an authority on record: size of its checkpoint, when it was given and recorded."""

    size: int
    stamped_at: datetime
    recorded_at: datetime


class StampRecord(Protocol):
    """What is on record about stamps, and what is worth one."""

    async def last(self, authority: str) -> LastStamp | None:
        """Return the newest stamp of an authority."""
        ...

    async def wanted(self, *, after_size: int) -> bytes | None:
        """Return the published note to have stamped by whoever has stamped `after_size` entries; None for none."""
        ...

    async def keep(self, stamp: Stamp) -> None:
        """Put a stamp on record."""
        ...


@dataclass(frozen=True, slots=True)
class StampingSettings:
    """How often and how patiently authorities are asked.

    Attributes:
        interval_seconds: Between two stamps of one authority.
        request_seconds: Longest wait for one answer.
        retry_seconds: Pause after the first failure; it doubles with each, up to the interval.
        look_seconds: Pause between two looks at whether there is something to stamp.
    """

    interval_seconds: float = 3600.0
    request_seconds: float = 30.0
    retry_seconds: float = 30.0
    look_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class StampingReport:
    """How one authority does, for metrics and operators.

    Attributes:
        name: Its name.
        size: Size of the newest checkpoint it stamped, or None.
        stamped_at: When, by its clock, or None.
        failures: Tries in a row that failed.
        error: Why the last try failed, or None.
        offset_seconds: Its clock minus ours, at the last stamp of this process; None before.
    """

    name: str
    size: int | None = None
    stamped_at: datetime | None = None
    failures: int = 0
    error: str | None = None
    offset_seconds: float | None = None


class Stamping:
    """Keeps a log stamped; a duty of the process that leads it.

    Args:
        authorities: Who is asked.
        transport: The way to them.
        record: What is on record.
        clock: The service's.
        is_leading: Whether this process leads the log now; only the leader asks.
        settings: See `StampingSettings`.
    """

    def __init__(
        self,
        authorities: tuple[Authority, ...],
        transport: StampTransport,
        record: StampRecord,
        *,
        clock: Callable[[], datetime],
        is_leading: Callable[[], bool] = lambda: True,
        settings: StampingSettings | None = None,
    ) -> None:
        self._authorities = authorities
        self._transport = transport
        self._record = record
        self._clock = clock
        self._is_leading = is_leading
        self._settings = settings or StampingSettings()
        self._reports = {authority.name: StampingReport(authority.name) for authority in authorities}
        self._chosen: tuple[bytes, datetime] | None = None

    @property
    def reports(self) -> tuple[StampingReport, ...]:
        """The authorities, in the order of their configuration."""
        return tuple(self._reports.values())

    async def run(self, stop: asyncio.Event) -> None:
        """Ask until `stop` is set.

        Raises:
            ExceptionGroup: The record cannot be read or written; whatever concerns authorities is only reported.
        """
        async with asyncio.TaskGroup() as tasks:
            for authority in self._authorities:
                tasks.create_task(self._serve(authority, stop))

    async def step(self, authority: Authority) -> float:
        """Try once, if it is time and there is something to stamp; return the seconds until the next try."""
        interval, look = self._settings.interval_seconds, self._settings.look_seconds
        if not self._is_leading():
            return look
        last = await self._record.last(authority.name)
        if last is not None:
            self._report(authority, size=last.size, stamped_at=last.stamped_at)
            since = (self._clock() - last.recorded_at).total_seconds()
            # A clock that was set back must not silence an authority for longer than the schedule says.
            if 0 <= since < interval:
                return min(interval - since, look)
        note = await self._choose(after_size=last.size if last else 0)
        if note is None:
            return look
        try:
            stamp = await self._ask(authority, note)
        except TimeoutError:
            return self._failed(authority, "does not answer in time")
        except OSError as error:
            return self._failed(authority, f"does not answer ({type(error).__name__})")
        except CodedError as error:
            return self._failed(authority, f"gives no stamp that holds: {error}")
        await self._record.keep(stamp)
        offset = (stamp.said.at - self._clock()).total_seconds()
        self._report(
            authority, size=stamp.size, stamped_at=stamp.said.at, failures=0, error=None, offset_seconds=offset
        )
        return min(interval, look)

    async def _serve(self, authority: Authority, stop: asyncio.Event) -> None:
        while not stop.is_set():
            pause = await self.step(authority)
            await happens(stop, pause)

    async def _choose(self, *, after_size: int) -> bytes | None:
        now = self._clock()
        if self._chosen is not None:
            note, chosen_at = self._chosen
            is_fresh = abs((now - chosen_at).total_seconds()) < self._settings.interval_seconds / 2
            if is_fresh and stored_checkpoint(note).size > after_size:
                return note
        wanted = await self._record.wanted(after_size=after_size)
        if wanted is not None:
            self._chosen = wanted, now
        return wanted

    async def _ask(self, authority: Authority, note: bytes) -> Stamp:
        checkpoint = stored_checkpoint(note)
        request, nonce = make_request(note)
        async with asyncio.timeout(self._settings.request_seconds):
            response = await self._transport.ask(authority.url, request)
        said = check_stamp(response, data=note, roots=authority.roots, policy=authority.policy, nonce=nonce)
        return Stamp(
            authority=authority.name,
            size=checkpoint.size,
            root=checkpoint.root,
            checkpoint=note,
            response=response,
            said=said,
        )

    def _failed(self, authority: Authority, reason: str) -> float:
        failures = self._reports[authority.name].failures + 1
        self._report(authority, failures=failures, error=reason)
        _log.warning("time stamp authority %s %s", authority.name, reason)
        return min(self._settings.retry_seconds * 2.0 ** min(failures - 1, 16), self._settings.interval_seconds)

    def _report(self, authority: Authority, **news: object) -> None:
        self._reports[authority.name] = replace(self._reports[authority.name], **news)  # type: ignore[arg-type]
