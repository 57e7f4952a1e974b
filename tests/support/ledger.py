"""A real log for tests: its own database and folder, entries that are the same in every run, and a plain model of it.

`LogModel` says what the log must look like, straight from the definitions: all leaves in memory, no tiles, no edge. It
sits the same exam as the real thing and shares no code with it but the hash functions.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from uuid import UUID

import asyncpg

from evidence.core.ids import uuid7
from evidence.db.pool import connect
from ledger import store
from ledger.audit import audit_ledger
from ledger.canonical import Entry, encode_entry
from ledger.checkpoint import Checkpoint, open_checkpoint
from ledger.findings import Finding
from ledger.note import Signer
from ledger.publish import CHECKPOINT_PATH, LogFolder, LogStorage
from ledger.sequencer import Sequencer, SequencerSettings
from ledger.tree import leaf_hash, root_of
from tests.support.clock import SeededEntropy, SteppingClock

ORIGIN = "example.com/log"

EAGER = SequencerSettings(
    batch_seconds=0.005, awake_seconds=0.05, doze_seconds_max=60.0, follow_seconds=0.05, retry_seconds=0.05
)
"""A sequencer that reacts at once, and would doze for a minute if nobody rang."""

Connection = asyncpg.Connection  # the class, for tests that derive from it


class TestLog:
    """One log with everything around it.

    Attributes:
        conn: A connection to append and look with.
        folder: Where the log is published.
        signer: The log's key.
    """

    __test__ = False

    def __init__(self, dsn: str, conn: asyncpg.Connection[asyncpg.Record], folder: Path) -> None:
        self.dsn = dsn
        self.conn = conn
        self.folder = LogFolder(folder)
        self.clock = SteppingClock()
        self.entropy = SeededEntropy()
        self.signer = Signer.generate(ORIGIN, SeededEntropy(7))

    async def connect(self) -> asyncpg.Connection[asyncpg.Record]:
        """Open a connection of the caller's own."""
        return await connect(self.dsn, program="test")

    def entries(self, count: int) -> list[Entry]:
        """Make entries that were never made before."""
        return [
            Entry(
                type="test.made",
                id=uuid7(clock=self.clock, entropy=self.entropy),
                at=self.clock(),
                actor="service",
                subject="log",
                commit=self.entropy(32),
            )
            for _ in range(count)
        ]

    async def append(self, count: int) -> list[Entry]:
        """Append and commit new entries."""
        entries = self.entries(count)
        await store.append_many(self.conn, entries)
        return entries

    def sequencer(
        self,
        settings: SequencerSettings = EAGER,
        *,
        storage: LogStorage | None = None,
        connect: Callable[[], object] | None = None,
        **options: object,
    ) -> Sequencer:
        """Make a sequencer of this log."""
        return Sequencer(
            connect or self.connect,  # type: ignore[arg-type]  # tests hand in connections of their own classes
            storage or self.folder,
            self.signer,
            self.clock,
            settings,
            **options,  # type: ignore[arg-type]  # the keyword options of the real thing
        )

    async def vacant(self) -> None:
        """Wait until nobody leads: the server takes a moment to notice that a connection was broken off."""
        held = """SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database AND datname = current_database()
                  WHERE locktype = 'advisory' AND granted AND (classid::bigint << 32) + objid::bigint = $1"""
        async with asyncio.timeout(5):
            while await self.conn.fetchval(held, store.LEADER_KEY):
                await asyncio.sleep(0.005)

    async def sequence(self, settings: SequencerSettings = EAGER, **options: object) -> int:
        """Publish all that waits in one term; return the number of batches."""
        sequencer, batches = self.sequencer(settings, **options), 0  # type: ignore[arg-type]  # as above
        await self.vacant()
        await sequencer.recover()
        while await sequencer.step():
            batches += 1
        await sequencer.close()
        return batches

    async def checkpoint(self) -> Checkpoint:
        """Return the published checkpoint, verified."""
        note = await self.folder.get(CHECKPOINT_PATH)
        assert note is not None
        return open_checkpoint(note, self.signer.verifier)

    async def audit(self, since: Checkpoint | None = None) -> list[Finding]:
        """Return the audit's findings but the last word that all was recomputed."""
        findings = audit_ledger(self.conn, self.folder, log=self.signer.verifier, since=since)
        return [finding async for finding in findings if finding.code != "log.audited"]

    async def model(self) -> LogModel:
        """Return the model of what the leaf rows name, in their order."""
        rows = await self.conn.fetch(
            "SELECT entry_id, entry FROM ledger_leaf JOIN ledger_entry USING (entry_id) ORDER BY index"
        )
        return LogModel([row["entry_id"] for row in rows], [row["entry"] for row in rows])


class LogModel:
    """All entries of a log in memory."""

    def __init__(self, ids: Iterable[UUID], entries: Iterable[bytes]) -> None:
        self.ids = list(ids)
        self.entries = list(entries)

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> LogModel:
        """Make the model of entries in this order."""
        known = list(entries)
        return cls([entry.id for entry in known], [encode_entry(entry) for entry in known])

    @property
    def size(self) -> int:
        """Number of entries."""
        return len(self.entries)

    def root(self, size: int | None = None) -> bytes:
        """Return the root over the first `size` entries."""
        return root_of(leaf_hash(entry) for entry in self.entries[:size])


@contextlib.asynccontextmanager
async def opened_log(dsn: str, folder: Path) -> AsyncIterator[TestLog]:
    """Give a log on a fresh, migrated database."""
    conn = await connect(dsn, program="test")
    try:
        yield TestLog(dsn, conn, folder)
    finally:
        await conn.close()


@contextlib.asynccontextmanager
async def running(sequencer: Sequencer) -> AsyncIterator[asyncio.Task[None]]:
    """Run a sequencer in the background."""
    stop = asyncio.Event()
    task = asyncio.create_task(sequencer.run(stop))
    try:
        yield task
    finally:
        stop.set()
        await asyncio.wait_for(task, 10)


async def until(condition: Callable[[], object], *, seconds: float = 5.0) -> None:
    """Wait until something is so, and fail when it takes too long."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)
