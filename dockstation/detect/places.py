"""Places: the narrow port through which the watch learns where recorders are, whoever finds them.

A round asks `look`, which never waits for a device: what is still being mounted comes with a later round. The watch
says when everything on a recorder is receipted (`done`), and asks for the right to remove files (`writable`). Folders,
USB devices and replayed scripts are places alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from dockstation.detect.volume import Volume
from ledger.errors import CodedError


@dataclass(frozen=True, slots=True)
class Slot:
    """One place for a recorder, with what is in it: its name for people, its folder, and the card's identity.

    Two cards in one slot are two slots to the watch: what was known of the first does not hold for the second.

    Attributes:
        name: For people; unique in one look.
        root: Where the recorder is mounted.
        volume: Which card it is, where the machine tells.
        read_only: Whether files can be removed only after `Places.writable`.
    """

    name: str
    root: Path
    volume: Volume | None = None
    read_only: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Place:
    """A slot and whether there is something to be read.

    Attributes:
        slot: Which.
        pending: It is being mounted; a later look shows it.
        resting: The recorder is still there, but not mounted any more: everything on it is receipted.
        error: Why it cannot be read, if so.
    """

    slot: Slot
    pending: bool = False
    resting: bool = False
    error: CodedError | None = None


class Places(Protocol):
    """Where recorders are."""

    async def look(self) -> tuple[Place, ...]:
        """Return the places with a recorder, at once."""

    async def done(self, slot: Slot) -> None:
        """Hear that everything in a slot is receipted; a failure to let go of it is no failure of the docking."""

    def writable(self, slot: Slot) -> AbstractAsyncContextManager[Slot]:
        """Make a read-only slot writable for the length of a block."""

    async def close(self) -> None:
        """Let go of everything."""


class Several:
    """Places of several kinds as one; names that two of them give get a number.

    Args:
        every: In the order in which they are looked at.
    """

    def __init__(self, every: Sequence[Places]) -> None:
        self._every = tuple(every)
        self._whose: dict[Slot, tuple[Places, Slot]] = {}

    async def look(self) -> tuple[Place, ...]:
        """Return what all of them show."""
        found: list[Place] = []
        whose: dict[Slot, tuple[Places, Slot]] = {}
        taken: set[str] = set()
        for number, places in enumerate(self._every, start=1):
            for place in await places.look():
                name = place.slot.name if place.slot.name not in taken else f"{place.slot.name} ({number})"
                taken.add(name)
                shown = replace(place.slot, name=name)
                whose[shown] = (places, place.slot)
                found.append(replace(place, slot=shown))
        self._whose = whose
        return tuple(found)

    async def done(self, slot: Slot) -> None:
        """Tell the one whose slot it is."""
        if slot in self._whose:
            places, own = self._whose[slot]
            await places.done(own)

    def writable(self, slot: Slot) -> AbstractAsyncContextManager[Slot]:
        """Ask the one whose slot it is."""
        places, own = self._whose[slot]
        return places.writable(own)

    async def close(self) -> None:
        """Close all of them."""
        for places in self._every:
            await places.close()
