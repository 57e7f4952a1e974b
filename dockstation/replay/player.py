"""The player: goes through a script's steps beside a running station, as the hands at the dock would.

It is a kind of places (`detect.places`): the station learns of recorders from it as it does from USB. Steps wait for
what the station tells, so a pull comes in the middle of a copy on any machine. An `expect` that does not come true ends
the replay with what was shown instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from dockstation.detect.places import Place, Slot
from dockstation.errors import MountFailed, ReplayDiffers
from dockstation.events import Event
from dockstation.journal import SlotView
from dockstation.replay.media import Backing, Media
from dockstation.replay.script import After, Script, Step
from ledger.pausing import happens

STEP_SECONDS_MAX = 300.0
"""Longest wait for the event that a step comes after."""

_LOOK_SECONDS = 0.02

Views = Callable[[], tuple[SlotView, ...]]
"""What the station shows of its slots now."""


@dataclass(frozen=True, slots=True)
class Done:
    """A step that was taken: its number from 1, and the step."""

    number: int
    step: Step


class Player:
    """Plays one script.

    Args:
        script: What happens.
        folder: An empty folder for cards and slots.
        backing: What the cards are made of.
    """

    def __init__(self, script: Script, folder: Path, backing: Backing) -> None:
        self.media = Media(folder, backing)
        self._script = script
        self._slots: dict[str, Slot] = {}
        self._resting: set[str] = set()
        self._heard: list[Event] = []
        self._news = asyncio.Event()
        for name, plan in script.cards.items():
            self.media.make(name, plan)

    def heard(self, event: Event) -> None:
        """Listen to the station."""
        self._heard.append(event)
        self._news.set()

    async def look(self) -> tuple[Place, ...]:
        """See `Places`."""
        return tuple(Place(slot, resting=name in self._resting) for name, slot in sorted(self._slots.items()))

    async def done(self, slot: Slot) -> None:
        """See `Places`."""
        if self._slots.get(slot.name) == slot and slot.read_only:
            self._resting.add(slot.name)

    @asynccontextmanager
    async def writable(self, slot: Slot) -> AsyncIterator[Slot]:
        """See `Places`."""
        if self._slots.get(slot.name) != slot:
            raise MountFailed(f"{slot.name}: the recorder has gone")
        self.media.mount(slot.name, read_only=False)
        try:
            yield replace(slot, read_only=False)
        finally:
            if self._slots.get(slot.name) == slot:
                self.media.mount(slot.name, read_only=True)

    async def close(self) -> None:
        """Take all cards out."""
        self._slots.clear()
        self.media.close()

    async def play(self, *, views: Views, tell: Callable[[Done], None]) -> None:
        """Go through the steps.

        Args:
            views: What the station shows of its slots.
            tell: Hears of every step that was taken.

        Raises:
            ReplayDiffers: Something that a step waits for or expects did not come.
            MountFailed: A card cannot be put where the script wants it.
        """
        for number, step in enumerate(self._script.steps, start=1):
            await asyncio.sleep(step.pause)
            if step.after is not None:
                await self._wait(number, step.after)
            self._heard.clear()
            if step.do == "expect":
                await _expect(number, step, views)
            else:
                self._take(step)
            tell(Done(number, step))

    async def _wait(self, number: int, after: After) -> None:
        end = asyncio.get_running_loop().time() + STEP_SECONDS_MAX
        while not any(_fits(event, after) for event in self._heard):
            self._news.clear()
            if not await happens(self._news, end - asyncio.get_running_loop().time()):
                raise ReplayDiffers(f"step {number}: no event {after.event.value} came")

    def _take(self, step: Step) -> None:
        if step.do in {"pull", "swap"}:
            if self._slots.pop(step.slot, None) is None:
                raise ReplayDiffers(f"slot {step.slot} is empty")
            self._resting.discard(step.slot)
            self.media.pull(step.slot)
        if step.do in {"dock", "swap"}:
            self.media.dock(step.slot, step.card)
            volume = self._script.cards[step.card].volume
            root = self.media.root(step.slot)
            self._slots[step.slot] = Slot(step.slot, root, volume, read_only=self.media.read_only)
        elif step.do in {"write", "append"}:
            self.media.write(step.card, step.path, step.size, append=step.do == "append")
        elif step.do == "delete":
            self.media.delete(step.card, step.path)
        elif step.do == "slow":
            self.media.slow(step.card, step.bytes_per_second)
        elif step.do == "fail":
            self.media.fail(step.card, step.path, step.from_byte)
        elif step.do == "mend":
            self.media.mend(step.card)


def _fits(event: Event, after: After) -> bool:
    return (
        event.kind is after.event
        and after.slot in {"", event.slot}
        and after.path in {"", event.path}
        and event.done_bytes >= after.bytes
    )


async def _expect(number: int, step: Step, views: Views) -> None:
    end = asyncio.get_running_loop().time() + step.within
    while True:
        shown = {view.name: (view.phase, view.safe) for view in views()}
        if shown.get(step.slot) == (step.phase, step.safe):
            return
        if asyncio.get_running_loop().time() > end:
            is_shown = shown.get(step.slot, "nothing")
            raise ReplayDiffers(f"step {number}: slot {step.slot} shows {is_shown}, not {(step.phase, step.safe)}")
        await asyncio.sleep(_LOOK_SECONDS)
