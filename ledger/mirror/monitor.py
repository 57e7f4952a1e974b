"""A monitor: looks at a log again and again, and says what is wrong, without keeping a copy.

One look:
1. checkpoint, signature, history (`ledger.mirror.look`); both checkpoints are kept when they contradict each other
2. the policy's witnesses, and the times they state against the clock here
3. how long ago anything new was seen
4. bundles, some at each look and the newest always, from the signed root down: every tile and entry of the log comes
   up in turn, and one that was changed after it was signed is named
5. the dates of the entries in them (`ledger.mirror.dates`)

What is remembered between looks (`Memory`) may be kept in a folder; without one every look starts from nothing, and a
way back or a fork between two runs goes unseen.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field

from ledger.findings import Finding
from ledger.mirror import findings as codes
from ledger.mirror.dates import DATE_CODES, Dated, judge_dates
from ledger.mirror.errors import Deviation, SourceUnreachable
from ledger.mirror.findings import found
from ledger.mirror.folder import FollowFolder
from ledger.mirror.keys import FollowedKeys
from ledger.mirror.look import (
    Sighting,
    cosignature_findings,
    judge_history,
    look_at,
    open_sighting,
    unreachable,
)
from ledger.mirror.mirror import keep_evidence
from ledger.mirror.signed_tree import SignedTree
from ledger.mirror.source import LogSource
from ledger.policy import Policy
from ledger.publish import CHECKPOINT_PATH
from ledger.tiles import TILE_WIDTH

_MEMORY = "watch.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorSettings:
    """How strict a monitor is.

    Attributes:
        stalled_seconds: Longest time without a new checkpoint or a fresh cosignature; 0 for any.
        clock_seconds: How far clocks may be apart.
        bundles: Most bundles looked at per look, besides the newest; None for all.
    """

    stalled_seconds: float = 0.0
    clock_seconds: float = 300.0
    bundles: int | None = 64


@dataclass(slots=True)
class Memory:
    """What a monitor remembers; times in POSIX seconds by its own clock.

    Attributes:
        changed_at: When the believed checkpoint was first seen in its present form.
        looked_at: When the log was last seen well enough to judge it.
        bundle: Which bundle is next in turn.
        dated: Up to where the entries' dates were judged.
    """

    changed_at: float | None = None
    looked_at: float | None = None
    bundle: int = 0
    dated: Dated = field(default_factory=Dated)


class Monitor:
    """Watches one log.

    Args:
        source: Where it is read.
        policy: Whose signatures are believed.
        folder: Where to remember, held open by the caller; None to remember only while this object lives.
    """

    def __init__(
        self, source: LogSource, policy: Policy, *, settings: MonitorSettings, folder: FollowFolder | None = None
    ) -> None:
        self._source = source
        self._keys = FollowedKeys(policy, folder)
        self._settings = settings
        self._folder = folder
        self._believed = folder.kept() if folder else None
        self._memory = _load(folder)

    async def look(self, *, now: float) -> AsyncIterator[Finding]:
        """Look once; the last finding is `source.followed` when the log could be judged and is what it was.

        Args:
            now: POSIX seconds.
        """
        try:
            async for finding in self._look(now):
                yield finding
        except Deviation as deviation:
            yield deviation.finding
        except SourceUnreachable as error:
            yield unreachable(error)
            # A log that is away does not publish either.
            for finding in self._stalled(None, now):
                yield finding
        if self._folder:
            self._folder.write(_MEMORY, json.dumps(asdict(self._memory)).encode() + b"\n")

    async def _look(self, now: float) -> AsyncIterator[Finding]:
        await self._keys.refresh(self._source)
        seen = await look_at(self._source, self._keys.policy)
        tree = SignedTree(self._source, seen.checkpoint)
        believed = None if self._believed is None else self._open_believed(self._believed)
        if believed:
            await self._judge(seen, believed, tree)
        for finding in (*cosignature_findings(seen), *self._clocks(seen, believed, now), *self._stalled(seen, now)):
            yield finding
        self._memory.looked_at = now
        is_true = True
        async for finding in self._bundles(tree, seen_at=now if seen.cosigned_at is None else seen.cosigned_at):
            is_true = is_true and finding.code in DATE_CODES
            yield finding
        if seen.verdict.quorum_met and is_true:
            self._believe(seen, believed)
            size, root = seen.checkpoint.size, seen.checkpoint.root.hex()
            yield found(codes.FOLLOWED, CHECKPOINT_PATH, f"{size} entries, root {root}", size=size, root=root)

    def _open_believed(self, note: bytes) -> Sighting:
        try:
            return open_sighting(note, self._keys.policy)
        except Deviation as deviation:
            message = "the remembered checkpoint is not signed by a key of this policy"
            raise Deviation(found(codes.COPY_ALTERED, CHECKPOINT_PATH, message)) from deviation

    async def _judge(self, seen: Sighting, believed: Sighting, tree: SignedTree) -> None:
        try:
            await judge_history(seen, believed.checkpoint, tree, None)
        except Deviation as deviation:
            if self._folder is None:
                raise
            raise keep_evidence(self._folder, deviation, kept=believed.note, offending=seen.note) from deviation

    def _believe(self, seen: Sighting, believed: Sighting | None) -> None:
        is_news = believed is None or seen.checkpoint.size > believed.checkpoint.size
        if is_news or (believed is not None and (seen.cosigned_at or 0) > (believed.cosigned_at or 0)):
            self._believed = seen.note
            if self._folder:
                self._folder.write(CHECKPOINT_PATH, seen.note)

    def _clocks(self, seen: Sighting, believed: Sighting | None, now: float) -> list[Finding]:
        """Hold the witnesses' times against the clock here; both may be wrong, so both are named."""
        at, leeway, last = seen.cosigned_at, self._settings.clock_seconds, self._memory.looked_at
        if at is None:
            return []
        if at > now + leeway:
            message = f"a cosignature is dated {at - now:.0f} s in the future"
            return [found(codes.CLOCK_BEHIND, "clock", message, seconds=int(at - now))]
        is_fresh = believed is not None and at > (believed.cosigned_at or 0)
        if is_fresh and last is not None and at < last - leeway:
            message = f"cosignatures that are new since the last look are dated {last - at:.0f} s before it"
            return [found(codes.CLOCK_AHEAD, "clock", message, seconds=int(last - at))]
        return []

    def _stalled(self, seen: Sighting | None, now: float) -> list[Finding]:
        """Judge how long nothing new has come: no checkpoint that is new here, and no younger cosignature."""
        if seen and seen.note != self._believed:
            self._memory.changed_at = now
        times = [self._memory.changed_at, seen.cosigned_at if seen else None]
        newest = max((time for time in times if time is not None), default=None)
        # A first look tells nothing about the time before, unless a witness has dated what it saw.
        if seen and self._believed is None and seen.cosigned_at is not None:
            newest = seen.cosigned_at
        limit = self._settings.stalled_seconds
        if not limit or newest is None or now - newest <= limit:
            return []
        message = f"nothing new for {now - newest:.0f} s"
        return [found(codes.STALLED, CHECKPOINT_PATH, message, seconds=int(now - newest))]

    async def _bundles(self, tree: SignedTree, *, seen_at: float) -> AsyncIterator[Finding]:
        """Yield what is wrong with the bundles whose turn it is, with the tiles above them, and with the dates in them.

        Each code is said once per subject of a bundle or tile; of dates once per look, and an anomaly of dates comes up
        again whenever its bundle does.
        """
        count = -(-tree.checkpoint.size // TILE_WIDTH)
        if not count:
            return
        wanted = count if self._settings.bundles is None else min(count, self._settings.bundles)
        turn = [(self._memory.bundle + place) % count for place in range(wanted)]
        named: set[str] = set()
        dated = self._memory.dated
        for index in sorted({count - 1, *turn}):
            try:
                entries = await tree.entries(index)
            except Deviation as deviation:
                if deviation.finding.subject not in named:
                    named.add(deviation.finding.subject)
                    yield deviation.finding
                continue
            start, leeway = index * TILE_WIDTH, self._settings.clock_seconds
            for finding in judge_dates(entries, start=start, before=dated, seen_at=seen_at, tolerance_seconds=leeway):
                if finding.code not in named:
                    named.add(finding.code)
                    yield finding
        self._memory.bundle = (self._memory.bundle + wanted) % count


def _load(folder: FollowFolder | None) -> Memory:
    raw = folder.read(_MEMORY) if folder else None
    try:
        if not raw:
            return Memory()
        known = json.loads(raw)
        return Memory(**{**known, "dated": Dated(**known.get("dated", {}))})
    except (ValueError, TypeError, AttributeError):
        # Only when something was seen is lost, not what is believed: that stands in the checkpoint.
        return Memory()
