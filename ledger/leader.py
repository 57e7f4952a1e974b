"""One term of leadership: the single, linear path on which a log grows.

    queue --1--> rows: leaves, tile roots, head --2--> tiles and bundles --3--> signed --4--> published --5--> told

Each arrow is one commit, and this is what a crash leaves behind at each:

    before 1   entries wait in the queue; nobody was promised a place     the next step takes them
    after 1    leaves and head are committed, no file, no signature       recovery makes the same files from the rows
    in 2       some files are there, complete, under their final names    the same bytes again: compared, not replaced
    after 2    files of a size that nobody has signed                     recovery signs that very size
    after 3    a signed checkpoint that nobody has seen                   recovery publishes it, never another one
    after 4    the checkpoint is public, callers have not been told       recovery records it and tells them
    after 5    done

A commit that was done but not reported looks like a crash, and is treated as one: every error ends the term, and the
next term starts from rows with `recover`. Recovery takes what the queue would give from the leaf rows instead, and runs
arrows 2 to 5 as every step does. A root is compared before anything is signed: where the files stand (with what was
signed then) and at the end (with the head row).

Nothing here takes a lock. The connection is the one that holds the advisory lock of leadership, all commits go through
it, and so they end with the leadership. A leader that was late can only write files that are the same for everybody,
and the checkpoint file, which its storage moves forward only.

Beside the path stands one more write: a log that does not grow is cosigned anew every `recosign_seconds`, so that what
is published stays fresh. Same size, same root, new times: only the checkpoint file is replaced. The rows keep what was
signed and first published; after a restart that is shown again, and cosigned anew in the first step without work.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from ledger import store
from ledger.checkpoint import Checkpoint, sign_checkpoint
from ledger.edge import RightEdge
from ledger.errors import CheckpointConflict, CheckpointWithheld, TreeMismatch
from ledger.note import Signer
from ledger.publish import CHECKPOINT_PATH, LogStorage, stored_checkpoint
from ledger.store import Connection, Head, SignedRow
from ledger.tiles import TILE_WIDTH, Tile, bundle_path, tile_path
from ledger.tree import EMPTY_ROOT

Clock = Callable[[], datetime]
"""Returns the present instant, time zone aware, in UTC."""


RECOSIGN_RETRY_PART = 10
"""A renewal that failed is tried again after this part of `recosign_seconds`."""

_log = logging.getLogger(__name__)


class Keyring(Protocol):
    """Hands out the keys that sign for the log, where they change while it grows; see `ledger.key_history`."""

    async def signers(self, conn: Connection) -> Sequence[Signer]:
        """Return the keys that sign the next checkpoint, older first.

        Called in the transaction that commits the checkpoint, which holds off every change of keys
        (`ledger.store.hold_keys`).

        Raises:
            CodedError: A key is not at hand: nothing is signed, and this term is over.
        """
        ...


class Cosign(Protocol):
    """Asks witnesses to cosign a checkpoint."""

    async def __call__(self, note: bytes, *, old_size: int, new_size: int) -> bytes:
        """Return the note with the cosignatures it is to be published with.

        Args:
            note: The checkpoint with the log's own signatures, already on record in the database.
            old_size: Size of the checkpoint published before; the tiles of both are durable.
            new_size: Size of this one.

        Raises:
            CheckpointWithheld: The quorum was not reached; it is tried again.
        """
        ...


class Leader:
    """A term of leadership over one connection.

    Args:
        conn: The connection that holds the leadership.
        storage: Where the log is published.
        signer: The log's key, or any of those it had; its name is the log's origin.
        clock: Says when a checkpoint was signed and published.
        entries_max: Most entries in one batch.
        cosign: Collects witness cosignatures, or None.
        recosign_seconds: How old cosignatures become before they are asked for anew.
        keyring: Hands out the keys to sign with; None: the signer alone, for ever.
    """

    def __init__(
        self,
        conn: Connection,
        storage: LogStorage,
        signer: Signer,
        *,
        clock: Clock,
        entries_max: int,
        cosign: Cosign | None = None,
        recosign_seconds: float = math.inf,
        keyring: Keyring | None = None,
    ) -> None:
        self._keyring = keyring
        self._conn = conn
        self._storage = storage
        self._signer = signer
        self._clock = clock
        self._entries_max = entries_max
        self._cosign = cosign
        self._recosign_seconds = recosign_seconds
        self._recosign_at: datetime | None = None
        self._edge = RightEdge()
        self._head = Head(0, EMPTY_ROOT)
        # The queue's lower bound belongs to a term: whatever a restored database or another leader left is looked at.
        self._floor = 0
        self._signed: SignedRow | None = None
        self._published_size = 0
        self._is_withheld = False
        self._stored_partials: set[str] = set()

    @property
    def size(self) -> int:
        """Number of entries in the tree."""
        return self._head.size

    @property
    def published_size(self) -> int:
        """Number of entries that are provable."""
        return self._published_size

    async def recover(self) -> None:
        """Start from rows: bring files, signature and publication up to the head.

        The files stand where the published checkpoint says. Behind the last publication on record they stand when an
        older copy of the folder was put back, or none at all: they are made again, for every full tile is in the rows.

        Raises:
            TreeMismatch: Rows do not lead to a root on record.
            CheckpointConflict: More was signed than the rows hold.
            StorageConflict: The storage holds something else.
        """
        await self._storage.remove_unfinished()
        head = await store.read_head(self._conn)
        newest = await store.newest_checkpoint(self._conn)
        if newest and newest.size > head.size:
            raise CheckpointConflict(f"{newest.size} entries were signed, {head.size} are there", size=newest.size)
        self._signed = newest
        self._published_size = await store.published_size(self._conn)
        self._edge = await self._stored_edge()
        while self._edge.size < head.size:
            await self._replay(min(self._edge.size + self._entries_max, head.size))
        if self._edge.root() != head.root:
            raise TreeMismatch(f"rows do not lead to the root on record for {head.size} entries", size=head.size)
        self._head = head
        await self._publish({}, note=await store.published_note(self._conn, head.size))

    async def step(self) -> int:
        """Take one batch from the queue to its publication; return the number of new entries.

        With an empty queue only a publication is made up for that was withheld before, or one is cosigned anew.

        Raises:
            HeadMoved: Somebody else integrated entries; this term is over.
            CheckpointWithheld: The entries are integrated, and their publication waits for witnesses.
            Others: See `recover`. After any error but `CheckpointWithheld` this term is over.
        """
        pending = await store.read_pending(self._conn, floor=self._floor, entries_max=self._entries_max)
        if pending.keys:
            edge = self._edge.copy()
            growth = edge.extend(pending.entries)
            head = Head(edge.size, edge.root())
            await store.integrate(self._conn, pending=pending, growth=growth, old=self._head, new=head)
            # Arrow 1 done. The entries have their places for ever; from here on the rows say what must be published.
            self._edge, self._head, self._floor = edge, head, pending.floor
            await self._publish(growth.files)
        elif self._is_withheld:
            await self._publish({})
        elif self.seconds_to_recosign() == 0:
            await self._recosign()
        return len(pending.keys)

    async def has_work(self) -> bool:
        """Tell whether entries wait in the queue."""
        return await store.is_pending(self._conn, floor=self._floor)

    def seconds_to_recosign(self) -> float:
        """Return how long what is published stays fresh, 0 when it is not any more, infinity without witnesses."""
        if self._cosign is None or math.isinf(self._recosign_seconds):
            return math.inf
        if self._recosign_at is None:
            return 0.0
        return max((self._recosign_at - self._clock()).total_seconds(), 0.0)

    async def _recosign(self) -> None:
        """Renew the cosignatures of what is published; when too few come, the old ones stay and are tried later."""
        if self._cosign is None or self._signed is None:
            return
        size = self._signed.size
        try:
            note = await self._cosign(self._signed.note, old_size=size, new_size=size)
        except CheckpointWithheld as error:
            _log.warning("the published checkpoint is not cosigned anew: %s", error.message)
            self._plan_recosigning(self._recosign_seconds / RECOSIGN_RETRY_PART)
            return
        await self._storage.put_checkpoint(note)
        self._plan_recosigning(self._recosign_seconds)

    def _plan_recosigning(self, seconds: float) -> None:
        if not math.isinf(seconds):
            self._recosign_at = self._clock() + timedelta(seconds=seconds)

    async def _stored_edge(self) -> RightEdge:
        """Load the edge at the size the storage stands at, once rows and signature agree with what it shows."""
        note = await self._storage.get(CHECKPOINT_PATH)
        if note is None:
            return RightEdge()
        stored = stored_checkpoint(note)
        if await store.signed_root(self._conn, stored.size) != stored.root:
            raise CheckpointConflict(
                f"the published checkpoint of {stored.size} entries was not signed here", size=stored.size
            )
        edge = await store.load_edge(self._conn, stored.size)
        if edge.root() != stored.root:
            raise TreeMismatch(f"rows do not lead to the root signed for {edge.size} entries", size=edge.size)
        return edge

    async def _replay(self, size: int) -> None:
        """Extend the edge from leaf rows and store the tiles that become full."""
        start = self._edge.size
        leaves = await store.read_leaves(self._conn, start=start, end=size)
        if [leaf.index for leaf in leaves] != list(range(start, size)):
            raise TreeMismatch(f"rows are missing among the entries {start} to {size - 1}", start=start, end=size)
        growth = self._edge.extend(leaf.entry for leaf in leaves)
        for leaf, value in zip(leaves, growth.leaf_hashes, strict=True):
            if leaf.leaf_hash != value:
                raise TreeMismatch(f"entry {leaf.index} does not have the hash on record", index=leaf.index)
        await self._storage.put_immutable(growth.files)

    async def _publish(self, full: Mapping[str, bytes], *, note: bytes | None = None) -> None:
        """Arrows 2 to 5 for the head; each may have been done before.

        Args:
            full: Full tiles and bundles that are not stored yet.
            note: What was published for this size, if a publication is on record.
        """
        size, on_record = self._head.size, note
        partials = self._edge.partials()
        fresh = {path: data for path, data in partials.items() if path not in self._stored_partials}
        await self._storage.put_immutable({**full, **fresh})
        # Arrow 2 done: whoever may see the size from now on finds every file of it.
        self._stored_partials = set(partials)
        if note is None:
            note = await self._sign()
            # Arrow 3 done: no other root can be signed for this size, and no smaller size.
            if self._cosign:
                self._is_withheld = True
                note = await self._cosign(note, old_size=self._published_size, new_size=size)
                self._is_withheld = False
                self._plan_recosigning(self._recosign_seconds)
        await self._storage.put_checkpoint(note)
        # Arrow 4 done: the world may rely on it. Only now are callers told, so that whoever is told finds it.
        if on_record is None:
            await store.insert_publication(self._conn, size=size, note=note, published_at=self._clock())
        # Arrow 5 done.
        if outgrown := _outgrown(self._published_size, size):
            await self._storage.drop_partials(outgrown)
        self._published_size = size

    async def _sign(self) -> bytes:
        """Return the signed checkpoint of the head, the one on record if there is one."""
        size, root, last = self._head.size, self._head.root, self._signed
        if last and last.size == size:
            if last.root != root:
                raise CheckpointConflict(f"another root was signed for {size} entries", size=size)
            return last.note
        checkpoint, previous_size = Checkpoint(self._signer.name, size, root), last.size if last else None
        # One transaction with the look at the keys: a key that ends at this size has not signed a larger one.
        async with self._conn.transaction():
            signed = SignedRow(size, root, sign_checkpoint(checkpoint, await self._signers()))
            await store.insert_checkpoint(self._conn, signed, previous_size=previous_size, signed_at=self._clock())
        self._signed = signed
        return signed.note

    async def _signers(self) -> Sequence[Signer]:
        if self._keyring is None:
            return [self._signer]
        await store.hold_keys(self._conn)
        return await self._keyring.signers(self._conn)


def _outgrown(old_size: int, new_size: int) -> list[str]:
    """Name the full tiles and bundles whose partial files need not be kept (tlog-tiles: once the full one is there).

    A tile is named when the next one of its row has become full too: a reader with a checkpoint from just before
    still finds the partial files of that.
    """
    paths = []
    level = 0
    while new_size >= TILE_WIDTH ** (level + 1):
        span = TILE_WIDTH ** (level + 1)
        for index in range(max(old_size // span - 1, 0), new_size // span - 1):
            paths.append(tile_path(Tile(level, index)))
            if level == 0:
                paths.append(bundle_path(index))
        level += 1
    return paths
