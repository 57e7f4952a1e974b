"""The audit's walk along the leaves: recompute the tree and hold rows, tiles and bundles against it.

Every 256 leaves there are up to four testimonies of the same hashes: entry rows (hashed), leaf rows, the tile file and
the bundle file (hashed). When they agree, that is the tree. When they do not, the signed checkpoint decides: the
testimony whose root a Merkle proof connects with the signed root is the truth, and every other one is named for each
place where it deviates. The proof is made of the other tiles, from files or, if those are damaged too, from rows. Only
when nothing can be proved, the first testimony stands, and then the roots will not fit.

Memory is that of one tile per level, and of notes on at most a few thousand damaged places.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from ledger import audit_findings as codes
from ledger import audit_store
from ledger.audit_findings import broken
from ledger.audit_store import AuditedLeaf
from ledger.audit_times import EntryTimes
from ledger.canonical import decode_entry
from ledger.checkpoint import Checkpoint
from ledger.edge import FullTile, HashEdge
from ledger.errors import BundleMalformed, EntryMalformed, ProofError, StorageUnreadable
from ledger.findings import Finding
from ledger.reader import LogFiles, LogReader, fetch_entries, fetch_tile
from ledger.store import Connection
from ledger.tiles import TILE_HEIGHT, TILE_WIDTH, Tile, bundle_path, encode_tile, parse_tile_path, tile_path
from ledger.tree import HASH_BYTES, check_subtree_consistency, leaf_hash, root_of, subtree_consistency_plan

Hashes: TypeAlias = "list[bytes | None]"
"""Leaf hashes as somebody testifies them; None where there is no testimony."""

_NOTED_MAX = 10_000
_TILES_KEPT = 64


class RowFiles:
    """Tiles made of rows, for proofs when files are damaged."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._turn = asyncio.Lock()

    async def get(self, path: str) -> bytes | None:
        """Return a tile; it is too short where rows are missing."""
        async with self._turn:
            return await audit_store.read_tile(self._conn, parse_tile_path(path))


@dataclass(frozen=True, slots=True)
class _Span:
    """The leaves [start, end) of one tile of level 0, and what the four testimonies say of them.

    `tile` covers what is published of them, None for nothing.
    """

    start: int
    end: int
    tile: Tile | None
    rows: dict[int, AuditedLeaf]
    entries: Hashes
    leaves: Hashes
    tile_file: Hashes | None
    bundle_file: Hashes | None


class TreeWalk:
    """Walks along the leaves and yields what is wrong with them.

    Args:
        conn: For short reads.
        files: The published files.
        signed: The newest published checkpoint, which decides in doubt; None before the first.
    """

    def __init__(self, conn: Connection, files: LogFiles, *, signed: Checkpoint | None) -> None:
        self._conn = conn
        self._files = files
        self._signed = signed
        self._published_size = signed.size if signed else 0
        self._readers = [LogReader(source, tiles_kept=_TILES_KEPT) for source in (files, RowFiles(conn))]
        self.edge = HashEdge()
        self.lost_leaves: set[bytes] = set()
        """Hashes of leaves whose rows are missing."""
        self.damaged: set[str] = set()
        """Paths of published files that are missing or altered."""
        self.times: dict[int, EntryTimes] = {}
        """When the sound entries of the last step came, by index."""

    async def testify(self, *, end: int) -> tuple[list[bytes], list[Finding]]:
        """Return the hashes of the next leaves, to the end of their tile or to `end`, and what disagrees with them.

        The hashes end early where there is no testimony at all; the tree cannot be recomputed beyond.
        """
        self.times.clear()
        span = await self._span(self.edge.size, min(self.edge.size + TILE_WIDTH, end))
        truth = await self._truth(span)
        findings = [*self._judge_rows(span, truth), *self._judge_files(span, truth)]
        known: list[bytes] = []
        for value in truth:
            if value is None:
                break
            known.append(value)
        return known, findings

    async def append(self, value: bytes) -> AsyncIterator[Finding]:
        """Append one leaf hash to the tree; yield what is wrong with tiles and roots that are complete now."""
        for full in self.edge.append(value):
            async for finding in self._judge_full(full):
                yield finding
        if self.edge.size == self._published_size:
            for tile, hashes in self.edge.partial_tiles().items():
                if tile.level > 0:
                    for finding in self._judge_tile(tile, hashes, await fetch_tile(self._files, tile)):
                        yield finding

    async def _span(self, start: int, end: int) -> _Span:
        width = min(end, self._published_size) - start
        tile = Tile(0, start // TILE_WIDTH, width) if width > 0 else None
        rows = await audit_store.read_leaf_rows(self._conn, start=start, end=end)
        ordered = [rows.get(index) for index in range(start, end)]
        return _Span(
            start,
            end,
            tile,
            rows,
            entries=[leaf_hash(row.entry) if row and row.entry is not None else None for row in ordered],
            leaves=[row.leaf_hash if row else None for row in ordered],
            tile_file=_split(await fetch_tile(self._files, tile), tile) if tile else None,
            bundle_file=await self._bundle(tile) if tile else None,
        )

    async def _bundle(self, tile: Tile) -> Hashes | None:
        """Return the hashes of a bundle's entries: None when it is missing, all unknown when it is no bundle."""
        try:
            entries = await fetch_entries(self._files, tile)
        except BundleMalformed:
            return [None] * tile.width
        return None if entries is None else [leaf_hash(entry) for entry in entries]

    async def _truth(self, span: _Span) -> Hashes:
        """Decide between the testimonies."""
        width = span.tile.width if span.tile else 0
        testimonies = [span.leaves[:width], span.entries[:width]]
        testimonies += [hashes for hashes in (span.tile_file, span.bundle_file) if hashes is not None]
        truth = _first_known(testimonies)
        if any(hashes != truth for hashes in testimonies):
            for candidate in (*testimonies, truth):
                if await self._is_proved(span, candidate):
                    truth = candidate
                    break
        return truth + _first_known([span.leaves[width:], span.entries[width:]])

    async def _is_proved(self, span: _Span, candidate: Hashes) -> bool:
        """Tell whether a Merkle proof connects these hashes with the signed root."""
        values = [value for value in candidate if value is not None]
        if self._signed is None or len(values) != len(candidate):
            return False
        start, end, size = span.start, span.start + len(values), self._signed.size
        plan = subtree_consistency_plan(start, end, size)
        for reader in self._readers:
            try:
                proof = plan.combine(await reader.read(plan.nodes, size))
                check_subtree_consistency(
                    start=start,
                    end=end,
                    size=size,
                    subtree_root=root_of(values),
                    root=self._signed.root,
                    proof=proof,
                )
            except (ProofError, StorageUnreadable):
                continue
            return True
        return False

    def _judge_rows(self, span: _Span, truth: Hashes) -> Iterator[Finding]:
        for index, value in enumerate(truth, start=span.start):
            subject, row = f"entry:{index}", span.rows.get(index)
            if row is None:
                if value is not None and len(self.lost_leaves) < _NOTED_MAX:
                    self.lost_leaves.add(value)
                yield broken(codes.LEAF_MISSING, subject, f"leaf {index} has no row", index=index)
                continue
            facts = {"index": index, "entry": str(row.entry_id)}
            if row.leaf_hash != value:
                yield broken(codes.LEAF_ALTERED, subject, f"the row of leaf {index} holds another hash", **facts)
            if row.entry is None:
                yield broken(codes.ENTRY_MISSING, subject, f"entry {row.entry_id} at {index} has no row", **facts)
            elif span.entries[index - span.start] != value:
                yield broken(codes.ENTRY_ALTERED, subject, f"entry {row.entry_id} at {index} was altered", **facts)
            else:
                yield from self._judge_entry(row, row.entry)

    def _judge_entry(self, row: AuditedLeaf, entry: bytes) -> Iterator[Finding]:
        """Judge logged bytes: they are an entry, and stand under its id."""
        subject = f"entry:{row.index}"
        try:
            decoded = decode_entry(entry)
        except EntryMalformed as error:
            yield broken(codes.ENTRY_MALFORMED, subject, f"what was logged at {row.index} is no entry: {error.message}")
            return
        if decoded.id != row.entry_id:
            yield broken(
                codes.ENTRY_ALTERED,
                subject,
                f"entry {decoded.id} at {row.index} stands under another id",
                index=row.index,
                entry=str(decoded.id),
                stored_as=str(row.entry_id),
            )
        elif row.appended_at is not None:
            self.times[row.index] = EntryTimes(decoded.at, row.appended_at)

    def _judge_files(self, span: _Span, truth: Hashes) -> Iterator[Finding]:
        if span.tile is None:
            return
        known = truth[: span.tile.width]
        for path, testimony, missing, altered in (
            (tile_path(span.tile), span.tile_file, codes.TILE_MISSING, codes.TILE_ALTERED),
            (
                bundle_path(span.tile.index, span.tile.width),
                span.bundle_file,
                codes.BUNDLE_MISSING,
                codes.BUNDLE_ALTERED,
            ),
        ):
            yield from self._judge_file(path, testimony, known, missing=missing, altered=altered)

    async def _judge_full(self, full: FullTile) -> AsyncIterator[Finding]:
        """Judge the root row of a full tile, and its file unless the walk has compared it leaf by leaf."""
        subject = f"tile-root:{full.level}/{full.index}"
        root = await audit_store.read_tile_root(self._conn, level=full.level, index=full.index)
        if root is None:
            yield broken(codes.TILE_ROOT_MISSING, subject, "the root of a full tile is not on record")
        elif root != full.root:
            yield broken(codes.TILE_ROOT_ALTERED, subject, "another root of a full tile is on record")
        tile = Tile(full.level, full.index)
        if full.level and (full.index + 1) << TILE_HEIGHT * (full.level + 1) <= self._published_size:
            for finding in self._judge_tile(tile, full.hashes, await fetch_tile(self._files, tile)):
                yield finding

    def _judge_tile(self, tile: Tile, hashes: list[bytes], raw: bytes | None) -> Iterator[Finding]:
        testimony = None if raw is None else [raw]
        known = [encode_tile(hashes)]
        path = tile_path(tile)
        yield from self._judge_file(path, testimony, known, missing=codes.TILE_MISSING, altered=codes.TILE_ALTERED)

    def _judge_file(
        self,
        path: str,
        testimony: Iterable[bytes | None] | None,
        known: Iterable[bytes | None],
        *,
        missing: str,
        altered: str,
    ) -> Iterator[Finding]:
        if testimony is not None and list(testimony) == list(known):
            return
        if len(self.damaged) < _NOTED_MAX:
            self.damaged.add(path)
        if testimony is None:
            yield broken(missing, path, f"{path} is missing")
        else:
            yield broken(altered, path, f"{path} does not hold what was logged")


def _split(raw: bytes | None, tile: Tile) -> Hashes | None:
    """Take a tile apart: None when it is missing, all unknown when it has another length."""
    if raw is None:
        return None
    if len(raw) != tile.width * HASH_BYTES:
        return [None] * tile.width
    return [raw[start : start + HASH_BYTES] for start in range(0, len(raw), HASH_BYTES)]


def _first_known(testimonies: list[Hashes]) -> Hashes:
    """Take for each leaf the first testimony there is."""
    return [next((value for value in values if value is not None), None) for values in zip(*testimonies, strict=True)]
