"""The sequencer: of all processes that run one, exactly one leads and gives every entry its place.

Leadership is a session advisory lock on a connection of its own. It ends with that connection, whichever end dies, and
nothing can be written without it (see `ledger.leader`). The others try to take the lock every `follow_seconds`;
together with the keep-alive settings of the leader's session this is how another one leads within 5 seconds.

While there is work a leader looks at the queue every `batch_seconds`, so that entries which come close together share
the costs of one publication. After `awake_seconds` without any it dozes: it looks no more and is rung by the database
(see `ledger_queue_entries` in the schema). Dozing costs nothing, and an awake leader costs those who append nothing.

Errors that may pass (disk full, database away, another one leads) end the term; the next one starts from rows after
`retry_seconds`. Errors that will not (a root that does not fit, a file with other bytes) end `run`: a log that may be
damaged must not go on signing. Either is visible in `status`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

import asyncpg

from ledger import store
from ledger.errors import Blame, CheckpointWithheld, CodedError, NotLeading
from ledger.leader import Clock, Cosign, Keyring, Leader
from ledger.note import Signer
from ledger.pausing import happens
from ledger.publish import LogStorage

Connect = Callable[[], Awaitable["asyncpg.Connection[asyncpg.Record]"]]
"""Opens a connection that belongs to the caller alone."""

T = TypeVar("T")

_CLOSE_SECONDS = 2.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SequencerSettings:
    """How a sequencer paces itself.

    Attributes:
        batch_entries_max: Most entries in one batch; bounds memory and the length of a transaction.
        batch_seconds: Pause between two looks at the queue while there is work.
        awake_seconds: How long a leader without work keeps looking before it dozes.
        doze_seconds_max: Longest doze; a safety net under the bell.
        follow_seconds: How often a follower tries to lead.
        retry_seconds: Pause after a failure.
        recosign_seconds: How old cosignatures become before a log without work has them renewed.
    """

    batch_entries_max: int = 2048
    batch_seconds: float = 0.02
    awake_seconds: float = 1.0
    doze_seconds_max: float = 30.0
    follow_seconds: float = 1.0
    retry_seconds: float = 1.0
    recosign_seconds: float = math.inf


@dataclass(frozen=True, slots=True)
class SequencerStatus:
    """What a sequencer says of itself, for readiness and metrics.

    Attributes:
        is_leading: Whether this process leads.
        size: Entries in the tree, as of the last step of this process.
        published_size: Entries that are provable.
        published_at: When this process published last.
        withheld: Why the newest checkpoint is not published (witnesses), or None.
        error: What ended the last term, until a step succeeds again; or None.
    """

    is_leading: bool = False
    size: int = 0
    published_size: int = 0
    published_at: datetime | None = None
    withheld: str | None = None
    error: str | None = None


class Sequencer:
    """Competes for the leadership of a log and leads it.

    `run` does everything. `recover`, `step` and `close` are its parts, for a caller that publishes at its own pace.

    Args:
        connect: Opens the leader's connection, without a pool in between.
        storage: Where the log is published.
        signer: The log's key; its name is the log's origin.
        clock: Says when checkpoints are signed and published.
        settings: See `SequencerSettings`.
        cosign: Collects witness cosignatures before publication, or None.
        keyring: Hands out the log's keys where they change; None: the signer alone, for ever.
    """

    def __init__(
        self,
        connect: Connect,
        storage: LogStorage,
        signer: Signer,
        clock: Clock,
        settings: SequencerSettings | None = None,
        *,
        cosign: Cosign | None = None,
        keyring: Keyring | None = None,
    ) -> None:
        self._keyring = keyring
        self._connect = connect
        self._storage = storage
        self._signer = signer
        self._clock = clock
        self._settings = settings or SequencerSettings()
        self._cosign = cosign
        self._conn: asyncpg.Connection[asyncpg.Record] | None = None
        self._leader: Leader | None = None
        self._status = SequencerStatus()
        self._rung = asyncio.Event()

    @property
    def status(self) -> SequencerStatus:
        """The present state."""
        return self._status

    async def run(self, stop: asyncio.Event) -> None:
        """Follow and lead until `stop` is set.

        Raises:
            CodedError: The log must not go on, see the module's text; `status.error` says it too.
        """
        bell = asyncio.create_task(self._ring_on(stop))
        try:
            while not stop.is_set():
                await self._term(stop)
        finally:
            bell.cancel()
            await self.close()

    async def recover(self) -> None:
        """Take the leadership and bring files, signature and publication up to the head.

        Raises:
            NotLeading: Another sequencer leads.
            CheckpointWithheld: All is done but the publication; `step` tries again.
            CodedError: See `Leader.recover`.
        """
        await self.close()
        conn = await self._won()
        if conn is None:
            await self.close()
            raise NotLeading("another sequencer leads this log")
        await self._begin(conn)

    async def step(self) -> int:
        """Take one batch from the queue to its publication; return the number of new entries.

        Raises:
            NotLeading: `recover` did not succeed, a step failed since, or the connection is gone.
            CheckpointWithheld: The entries are in the tree, and their publication waits for witnesses.
            CodedError, store.DATABASE_ERRORS: This term is over; `recover` begins the next.
        """
        if self._leader is None or self._conn is None or self._conn.is_closed():
            raise NotLeading("this sequencer does not lead, or does not any more")
        return await self._observe(self._leader, self._leader.step())

    async def close(self) -> None:
        """Give the leadership up."""
        conn, self._conn, self._leader = self._conn, None, None
        self._status = replace(self._status, is_leading=False)
        if conn is not None:
            try:
                await conn.close(timeout=_CLOSE_SECONDS)
            except store.DATABASE_ERRORS:
                # What counts is that the session ends, and the server has seen to that.
                conn.terminate()

    async def _won(self) -> asyncpg.Connection[asyncpg.Record] | None:
        """Take the leadership if nobody has it, and return its connection, which is kept for the next try if not."""
        if self._conn is None or self._conn.is_closed():
            self._conn = await self._connect()
            await self._conn.execute(store.LEADER_SESSION)
        return self._conn if await store.try_to_lead(self._conn) else None

    async def _begin(self, conn: asyncpg.Connection[asyncpg.Record]) -> None:
        conn.add_termination_listener(self._ring)
        await conn.add_listener(store.PENDING_CHANNEL, self._ring)
        leader = Leader(
            conn,
            self._storage,
            self._signer,
            clock=self._clock,
            entries_max=self._settings.batch_entries_max,
            cosign=self._cosign,
            recosign_seconds=self._settings.recosign_seconds,
            keyring=self._keyring,
        )
        await self._observe(leader, leader.recover())

    async def _observe(self, leader: Leader, part: Awaitable[T]) -> T:
        """Let the leader do a part of its work, and keep `status` true."""
        # Until the part has succeeded there is no leader: after an error memory may differ from the rows.
        self._leader = None
        try:
            result = await part
        except CheckpointWithheld as error:
            self._leader = leader
            self._status = replace(self._status, is_leading=True, size=leader.size, withheld=error.message, error=None)
            raise
        self._leader = leader
        if not self._status.published_at or leader.published_size != self._status.published_size:
            self._status = replace(self._status, published_at=self._clock())
        self._status = replace(
            self._status,
            is_leading=True,
            size=leader.size,
            published_size=leader.published_size,
            withheld=None,
            error=None,
        )
        return result

    async def _term(self, stop: asyncio.Event) -> None:
        """Try to become the leader, and lead until something ends it."""
        try:
            if (conn := await self._won()) is None:
                self._status = replace(self._status, error=None)
                await happens(stop, self._settings.follow_seconds)
                return
            with contextlib.suppress(CheckpointWithheld):
                await self._begin(conn)
            await self._lead(stop)
        except store.DATABASE_ERRORS as error:
            await self._end_term(f"{type(error).__name__}: {error}", stop)
        except CodedError as error:
            if error.blame is not Blame.WAY:
                self._status = replace(self._status, error=str(error))
                raise  # `run` gives the leadership up on its way out
            await self._end_term(str(error), stop)

    async def _lead(self, stop: asyncio.Event) -> None:
        """Step by step until told to stop, at the pace the work asks for."""
        worked_at = time.monotonic()
        while not stop.is_set():
            if self._status.withheld:
                await happens(stop, self._settings.retry_seconds)
            taken = 0
            with contextlib.suppress(CheckpointWithheld):
                taken = await self.step()
            if taken:
                worked_at = time.monotonic()
            if taken == self._settings.batch_entries_max or self._status.withheld:
                continue
            if time.monotonic() - worked_at < self._settings.awake_seconds:
                await happens(stop, self._settings.batch_seconds)
            else:
                await self._doze(stop)

    async def _doze(self, stop: asyncio.Event) -> None:
        """Wait to be rung; an entry that came without ringing is seen before, see `ledger_queue_entries`."""
        if self._conn is None or self._leader is None or not await store.try_to_doze(self._conn):
            await happens(stop, self._settings.batch_seconds)
            return
        self._rung.clear()
        if not stop.is_set() and not await self._leader.has_work():
            seconds = min(self._settings.doze_seconds_max, self._leader.seconds_to_recosign())
            await happens(self._rung, seconds)
        await store.wake(self._conn)

    async def _end_term(self, reason: str, stop: asyncio.Event) -> None:
        _log.warning("leadership ends: %s", reason)
        self._status = replace(self._status, is_leading=False, error=reason)
        await self.close()
        await happens(stop, self._settings.retry_seconds)

    async def _ring_on(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._rung.set()

    def _ring(self, *_: object) -> None:
        self._rung.set()
