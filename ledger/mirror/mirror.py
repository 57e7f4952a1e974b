"""A mirror: follows a log that it does not trust, and keeps a full copy of which every byte was verified first.

Order of effects of one step:

0. new statements about the log's keys taken over (`ledger.mirror.keys`)
                                                   crash: complete files, which are true by themselves
1. checkpoint fetched, signature and quorum verified, history judged (`ledger.mirror.look`)
2. the checkpoint is remembered as believed        crash: the next step judges what it then sees against it
3. bundle by bundle: entries proved against the signed root, hashed into the edge of the copy; full tiles and bundles
   written, the tiles as recomputed, which the source's were proved to equal
                                                   crash: complete, proved files; the next step takes them from here
4. the edge leads to the signed root; partial tiles and bundle written
5. the checkpoint replaces the last one            crash before: a copy of the last size, whole in itself
6. partial files that nobody needs any more go

So the copy is a whole log at every instant, nothing false is in it, and no step goes back. Memory is that of a few
bundles. A step that meets a deviation ends there with a finding, and keeps what was proved before. After a fork or a
way back, both checkpoints are in `evidence/`; the mirror stays with the one that it believed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ledger.checkpoint import Checkpoint
from ledger.edge import HashEdge, RightEdge, edge_widths
from ledger.errors import BundleMalformed, StorageConflict, TileMalformed
from ledger.findings import Finding
from ledger.mirror import findings as codes
from ledger.mirror.errors import Deviation, SourceUnreachable
from ledger.mirror.findings import found
from ledger.mirror.folder import FollowFolder
from ledger.mirror.keys import FollowedKeys
from ledger.mirror.look import (
    Sighting,
    copy_altered,
    cosignature_findings,
    judge_history,
    look_at,
    open_sighting,
    unreachable,
)
from ledger.mirror.signed_tree import SignedTree, outgrown
from ledger.mirror.source import LogSource
from ledger.policy import Policy
from ledger.publish import CHECKPOINT_PATH
from ledger.reader import fetch_entries, fetch_tile
from ledger.tiles import TILE_HEIGHT, TILE_WIDTH, Tile, bundle_path, decode_tile
from ledger.tree import leaf_hash

Progress = Callable[[int, int], None]
"""Told after every bundle how many entries the copy has, and how many are signed for."""


@dataclass(slots=True)
class Step:
    """What one step came to.

    Attributes:
        kept: What the copy is complete for; None before the first.
        added: How many entries were added to it.
        findings: What was found, `source.followed` last when the step got to its end.
    """

    kept: Checkpoint | None = None
    added: int = 0
    findings: list[Finding] = field(default_factory=list)


class Mirror:
    """Follows one log into one folder, which the caller holds open (`FollowFolder.opened`).

    Args:
        source: Where the log is read.
        folder: Where the copy is kept.
        policy: Whose signatures are believed, and how many witnesses must have seen a checkpoint.
    """

    def __init__(self, source: LogSource, folder: FollowFolder, policy: Policy) -> None:
        self._source = source
        self._folder = folder
        self._keys = FollowedKeys(policy, folder)

    async def step(self, progress: Progress = lambda _done, _all: None) -> Step:
        """Bring the copy to the newest checkpoint; safe to be killed anywhere and called again."""
        step = Step()
        try:
            await self._keys.refresh(self._source)
            kept = self._own(self._folder.kept())
            step.kept = kept.checkpoint if kept else None
            await self._follow(step, kept, progress)
        except Deviation as deviation:
            step.findings.append(deviation.finding)
        except SourceUnreachable as error:
            step.findings.append(unreachable(error))
        except StorageConflict as error:
            step.findings.append(copy_altered(str(error.details.get("path", CHECKPOINT_PATH))))
        except OSError as error:
            message = f"the copy cannot be written: {error.strerror or error}"
            step.findings.append(found(codes.COPY_UNWRITABLE, "copy", message))
        return step

    async def _follow(self, step: Step, kept: Sighting | None, progress: Progress) -> None:
        seen = await look_at(self._source, self._keys.policy)
        tree = SignedTree(self._source, seen.checkpoint)
        await self._judge(seen, kept, tree)
        step.findings += cosignature_findings(seen)
        if not seen.verdict.quorum_met:
            return
        if kept is None or seen.checkpoint.size > kept.checkpoint.size:
            # From here on a log that shows another history contradicts something that is on this disk.
            self._folder.believe(seen.note)
            await self._grow(kept.checkpoint if kept else None, tree, progress)
            await self._publish(seen)
            if kept:
                gone = outgrown(kept.checkpoint.size, seen.checkpoint.size)
                await self._folder.copy.drop_partials(gone)
            step.added = seen.checkpoint.size - (kept.checkpoint.size if kept else 0)
        elif (seen.cosigned_at or 0) > (kept.cosigned_at or 0):
            await self._publish(seen)
        step.kept = seen.checkpoint
        size, root = seen.checkpoint.size, seen.checkpoint.root.hex()
        message = f"{size} entries, {step.added} new"
        step.findings.append(found(codes.FOLLOWED, CHECKPOINT_PATH, message, size=size, root=root, added=step.added))

    def _own(self, note: bytes | None) -> Sighting | None:
        """Read a checkpoint that was verified before it was written here."""
        if note is None:
            return None
        try:
            return open_sighting(note, self._keys.policy)
        except Deviation as deviation:
            raise Deviation(copy_altered(CHECKPOINT_PATH)) from deviation

    async def _judge(self, seen: Sighting, kept: Sighting | None, tree: SignedTree) -> None:
        following = self._own(self._folder.following())
        if following and kept and following.checkpoint.size <= kept.checkpoint.size:
            self._folder.arrive()
            following = None
        believed = following or kept
        if believed is None:
            return
        own = SignedTree(self._folder.copy, kept.checkpoint) if kept else None
        try:
            await judge_history(seen, believed.checkpoint, tree, own)
        except Deviation as deviation:
            raise keep_evidence(self._folder, deviation, kept=believed.note, offending=seen.note) from deviation

    async def _grow(self, old: Checkpoint | None, tree: SignedTree, progress: Progress) -> None:
        """Take over what is new, proved piece by piece; steps 3 and 4."""
        new, edge = tree.checkpoint, await self._edge(old)
        while edge.size < new.size:
            index = edge.size // TILE_WIDTH
            entries = await self._entries(tree, index)
            growth = edge.extend(entries[edge.size - index * TILE_WIDTH :])
            for tile in growth.tiles:
                # The source's own tiles are part of what is promised, also where the copy could do without.
                await tree.tile(tile.level, tile.index)
            await self._folder.copy.put_immutable(growth.files)
            progress(edge.size, new.size)
        if edge.root() != new.root:
            raise Deviation(found(codes.ROOT_UNPROVED, CHECKPOINT_PATH, "the entries do not lead to the signed root"))
        await self._folder.copy.put_immutable(edge.partials())

    async def _entries(self, tree: SignedTree, index: int) -> tuple[bytes, ...]:
        """Return the entries of a bundle, from the copy where a step before this one has brought them."""
        path = bundle_path(index)
        if len(await tree.tile(0, index)) == TILE_WIDTH and (raw := await self._folder.copy.get(path)) is not None:
            try:
                return await tree.judge_bundle(index, raw, path=path)
            except Deviation as deviation:
                raise Deviation(copy_altered(path)) from deviation
        return await tree.entries(index)

    async def _publish(self, seen: Sighting) -> None:
        await self._folder.copy.put_checkpoint(seen.note)
        self._folder.arrive()

    async def _edge(self, kept: Checkpoint | None) -> RightEdge:
        """Load the edge of the copy, and hold it against the checkpoint that it was kept with."""
        if kept is None:
            return RightEdge()
        levels: list[tuple[bytes, ...]] = []
        try:
            for level, width in enumerate(edge_widths(kept.size)):
                tile = Tile(level, kept.size >> TILE_HEIGHT * (level + 1), width) if width else None
                raw = await fetch_tile(self._folder.copy, tile) if tile else b""
                levels.append(decode_tile(raw or b"", width=width))
            hashes = HashEdge(kept.size, levels)
            entries: tuple[bytes, ...] = ()
            if width := kept.size % TILE_WIDTH:
                entries = await fetch_entries(self._folder.copy, Tile(0, kept.size // TILE_WIDTH, width)) or ()
        except (TileMalformed, BundleMalformed) as error:
            raise Deviation(copy_altered(f"edge of {kept.size} entries")) from error
        leaves = [leaf_hash(entry) for entry in entries]
        if hashes.root() != kept.root or leaves != (hashes.levels[0] if hashes.levels else []):
            raise Deviation(copy_altered(f"edge of {kept.size} entries"))
        return RightEdge(hashes, entries)


def keep_evidence(folder: FollowFolder, deviation: Deviation, *, kept: bytes, offending: bytes) -> Deviation:
    """Put both checkpoints on disk when they contradict each other, and say where."""
    finding = deviation.finding
    if finding.code not in (codes.FORKED, codes.ROLLED_BACK, codes.ORIGIN_DIFFERS):
        return deviation
    places = folder.keep_evidence(kept=kept, offending=offending)
    message = f"{finding.message}; both checkpoints are kept: {places['kept']}, {places['offending']}"
    return Deviation(found(finding.code, finding.subject, message, **finding.details, **places))
