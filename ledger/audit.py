"""The audit of a log: recompute everything from the entries, and compare it with everything that claims the same.

    entry rows --hash--> leaf rows --> tile root rows --> head row
        |                   |               |                 \\
    bundle files        tile files (level 0, 1, ...)      checkpoint rows, published checkpoint (signed)

1. How far has the log come, in one look; from here on it may grow, the audit does not follow.
2. The published checkpoint is signed by the log, on record, and not older than the newest publication; the published
   statements about the log's keys are those on record.
3. Leaf by leaf, the four testimonies of each leaf agree (`ledger.audit_tree`), full tiles and their roots fit, and at
   each size that was ever signed or published the root is the signed one (`ledger.audit_checkpoints`).
4. The head row has the size and root that came out.
5. No entry was forgotten, and none waits that must not.
6. No published file is left that nobody accounts for (`ledger.audit_files`).
7. A checkpoint that somebody kept from before (`since`) is the beginning of this log.
8. Where the auditor says by what (`times`): the times of entries, rows and witnesses tell one story, and each witness's
   line on record is its own (`ledger.audit_times`).

Each difference is a `Finding`, see `ledger.audit_findings.FINDINGS`. Memory does not grow with the log, no snapshot is
held open, and the log may be in full use meanwhile. What an audit cannot see: a log that was rewritten with its own
key, rows and files alike; that is what `since` and witnesses are for.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator

from ledger import audit_findings as codes
from ledger import audit_store
from ledger.audit_checkpoints import SignedRows, judge_file, judge_keys, opened, wrong_root
from ledger.audit_files import audit_files
from ledger.audit_findings import FINDINGS, broken
from ledger.audit_store import Bounds, SignedSize
from ledger.audit_times import CheckpointTimes, TimeJudge, TimeRules
from ledger.audit_tree import TreeWalk
from ledger.checkpoint import Checkpoint
from ledger.errors import CheckpointOrigin
from ledger.findings import Finding, Severity
from ledger.key_history import KeyHistory, history_of
from ledger.note import Verifier
from ledger.publish import CHECKPOINT_PATH, StoredFiles
from ledger.store import Connection
from ledger.tiles import TILE_WIDTH
from ledger.tree import leaf_hash

__all__ = ["FINDINGS", "Progress", "audit_ledger"]

Progress = Callable[[int, int], None]
"""Told now and then how many leaves are done, and of how many."""


async def audit_ledger(
    conn: Connection,
    storage: StoredFiles,
    *,
    log: Verifier | KeyHistory,
    since: Checkpoint | None = None,
    times: TimeRules | None = None,
    progress: Progress | None = None,
) -> AsyncIterator[Finding]:
    """Audit a log; the last finding is `log.audited` when the whole tree could be recomputed.

    Args:
        conn: A connection for the audit alone, outside of any transaction.
        storage: Where the log is published.
        log: The log's key, or the keys it had: each checkpoint is judged by those that speak for its size.
        since: A checkpoint of this log that was seen, and judged, before.
        times: By what times and cosignatures are judged; None to leave them alone.
        progress: See `Progress`.

    Raises:
        CheckpointOrigin: `since` is of another log.
    """
    keys = history_of(log)
    if since and since.origin != keys.origin:
        raise CheckpointOrigin(f"the checkpoint to compare with is one of {since.origin}, not of {keys.origin}")
    bounds = await audit_store.read_bounds(conn)
    published = await judge_file(conn, storage, log=keys, published_size=bounds.published_size)
    for finding in [*published.findings, *await judge_keys(storage, log=keys, shown=published.checkpoint)]:
        yield finding
    audit = _Audit(conn, storage, keys, bounds, published.checkpoint, since, times)
    async for finding in audit.walk(progress or (lambda _done, _all: None)):
        yield finding
    async for finding in audit.judge_queue():
        yield finding
    async for finding in audit_files(conn, storage, published_size=audit.published_size, damaged=audit.tree.damaged):
        yield finding
    for finding in audit.conclude():
        yield finding


class _Audit:
    """What the obligations 3, 4, 5 and 7 share."""

    def __init__(
        self,
        conn: Connection,
        storage: StoredFiles,
        log: KeyHistory,
        bounds: Bounds,
        shown: Checkpoint | None,
        since: Checkpoint | None,
        times: TimeRules | None,
    ) -> None:
        self._conn = conn
        self._log = log
        self._bounds = bounds
        self._shown = shown
        self._since = since
        self._times = TimeJudge(times) if times else None
        # Leaves, signatures and publications were read in one look, so each of them says that there are so many leaves.
        self._end = max(bounds.leaves, bounds.signed_size or 0, bounds.published_size or 0)
        decisive = self._decisive()
        self.published_size = decisive.size if decisive else 0
        self.tree = TreeWalk(conn, storage, signed=decisive)

    def _decisive(self) -> Checkpoint | None:
        """Choose the checkpoint that decides in doubt: the newest one that is signed and not from after the look."""
        known = [opened(self._bounds.published_note, self._log), self._shown]
        return max(
            (checkpoint for checkpoint in known if checkpoint and checkpoint.size <= self._end),
            key=lambda checkpoint: checkpoint.size,
            default=None,
        )

    async def walk(self, progress: Progress) -> AsyncIterator[Finding]:
        """Recompute the tree."""
        edge, rows = self.tree.edge, SignedRows(self._log)
        signed = await audit_store.read_signed_sizes(self._conn, above=-1, up_to=0)
        for finding in self._at_size(rows, signed[0] if signed else None):
            yield finding
        while edge.size < self._end:
            start = edge.size
            hashes, findings = await self.tree.testify(end=self._end)
            for finding in findings:
                yield finding
            signed = await audit_store.read_signed_sizes(self._conn, above=start, up_to=start + len(hashes))
            by_size = {row.size: row for row in signed}
            for value in hashes:
                async for finding in self.tree.append(value):
                    yield finding
                for finding in self._at_time(edge.size - 1, by_size.get(edge.size)):
                    yield finding
                for finding in self._at_size(rows, by_size.get(edge.size)):
                    yield finding
            progress(edge.size, self._end)
            if edge.size < min(start + TILE_WIDTH, self._end):
                return

    def _at_size(self, rows: SignedRows, row: SignedSize | None) -> Iterator[Finding]:
        """Hold the root of the present size against all that was ever said about it."""
        size = self.tree.edge.size
        if row:
            yield from rows.judge(row, self.tree.edge.root())
        if self._shown and self._shown.size == size and self._shown.root != self.tree.edge.root():
            yield wrong_root(CHECKPOINT_PATH, self._shown, self.tree.edge.root())
        if self._since and self._since.size == size and self._since.root != self.tree.edge.root():
            yield broken(
                codes.REWRITTEN,
                "log",
                f"the first {size} entries are not those of the checkpoint to compare with",
                size=size,
                expected=self._since.root.hex(),
                computed=self.tree.edge.root().hex(),
            )

    def _at_time(self, index: int, row: SignedSize | None) -> Iterator[Finding]:
        """Judge when an entry came, and the checkpoint that ends with it."""
        if self._times is None:
            return
        if times := self.tree.times.get(index):
            yield from self._times.entry(index, times)
        if row:
            rows = CheckpointTimes(
                size=row.size,
                signed_at=row.signed_at,
                published_at=row.published_at,
                published_note=row.published_note,
            )
            yield from self._times.checkpoint(rows)

    async def judge_queue(self) -> AsyncIterator[Finding]:
        """Look for entries that were forgotten, and for those that wait and must not."""
        async for entry_id, entry in audit_store.unsequenced_entries(self._conn):
            # An entry whose leaf row was found missing is not a second difference.
            if leaf_hash(entry) not in self.tree.lost_leaves:
                message = f"entry {entry_id} has no leaf and does not wait for one"
                yield broken(codes.ENTRY_UNSEQUENCED, f"entry:{entry_id}", message)
        for level, index in await audit_store.unknown_tile_roots(self._conn, self._end):
            yield broken(codes.TILE_ROOT_ALTERED, f"tile-root:{level}/{index}", "a root is on record for no tile")
        for entry_id in await audit_store.stale_pending(self._conn):
            message = f"entry {entry_id} waits for a place and has one, or is not there"
            yield broken(codes.PENDING_STALE, f"entry:{entry_id}", message)

    def conclude(self) -> Iterator[Finding]:
        """Judge head and roll-back, and say what was recomputed."""
        head, edge = self._bounds.head, self.tree.edge
        is_whole = edge.size == self._end
        if head is None or head.size != self._end or (is_whole and head.root != edge.root()):
            yield broken(codes.HEAD_MISMATCH, "head", "the head row is not that of the tree", leaves=self._end)
        newest = max(self._bounds.published_size or 0, self._shown.size if self._shown else 0)
        if self._since and self._since.size > newest:
            message = f"{newest} entries are published, a checkpoint of {self._since.size} was seen before"
            yield broken(codes.ROLLED_BACK, "log", message, size=newest, seen=self._since.size)
        if is_whole:
            root = edge.root().hex()
            message = f"{edge.size} entries were recomputed to the root {root}"
            yield Finding(codes.AUDITED, Severity.OK, "log", message, {"size": edge.size, "root": root})
