"""Recorders for tests: how makers name their files, honest days of recording, and docks that look at the card."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from evidence.recorders.sighting import ListedFile, Presence, Sighting

DOCK, OTHER_DOCK = UUID(int=0xD0C1), UUID(int=0xD0C2)
MONDAY = datetime(2026, 2, 2, 0, 30, tzinfo=UTC)

Naming = Callable[[int, int, datetime], str]
"""Number of the file, of its recording, and when it began -> path."""


def camera(number: int, _recording: int, _at: datetime) -> str:
    """Name a file as cameras do."""
    return f"DCIM/100MEDIA/DSJX{number:04}.MP4"


def action_camera(number: int, _recording: int, _at: datetime) -> str:
    """Name a file as action cameras do."""
    return f"DCIM/100GOPRO/GX01{number:04}.MP4"


def dcam(_number: int, _recording: int, at: datetime) -> str:
    """Name a file by its time alone."""
    return f"DCIM/DCAM_4A00123_013579_{at:%Y%m%d_%H%M%S}.mp4"


def dcam_numbered(number: int, _recording: int, at: datetime) -> str:
    """Name a file by its time and the recorder's counter."""
    return f"DCIM/DCAM_4A00123_013579_{at:%Y%m%d_%H%M%S}_{number:04}.mp4"


NAMINGS: dict[str, Naming] = {
    "camera": camera,
    "action camera": action_camera,
    "by time": dcam,
    "by time and number": dcam_numbered,
}
TELLS_TIME = {"by time", "by time and number"}
NUMBERED = {"camera", "action camera", "by time and number"}


@dataclass
class Recorder:
    """A recorder that works: it numbers its files, cuts at five minutes, and is switched off now and then."""

    naming: str
    chance: random.Random
    now: datetime = MONDAY
    number: int = 0
    recording: int = 0
    card: list[ListedFile] = field(default_factory=list)
    inventories: int = 0
    segment_seconds: int = 300

    def record(self, *, segments: int, last_seconds: int = 77) -> list[ListedFile]:
        """Record a number of segments without a pause, the last one shorter, then rest for a while."""
        self.recording += 1
        made = []
        for place in range(segments):
            seconds = self.segment_seconds if place < segments - 1 else last_seconds
            self.number = self.number % 9999 + 1
            started, self.now = self.now, self.now + timedelta(seconds=seconds)
            path = NAMINGS[self.naming](self.number, self.recording, started)
            recorded_at = started if self.naming in TELLS_TIME else None
            size = 1_000_000 + self.chance.randrange(1_000_000)
            made.append(ListedFile(path=path, size=size, modified_at=self.now, recorded_at=recorded_at))
        self.card += made
        self.now += timedelta(seconds=self.chance.randrange(45, 7000))
        return made

    def a_day(self) -> None:
        """Work for a day."""
        for _ in range(self.chance.randrange(1, 5)):
            self.record(segments=self.chance.randrange(1, 5), last_seconds=self.chance.randrange(20, 290))

    def docked(self, *, dock: UUID = DOCK, seal: bool = True, clear: bool = True) -> Sighting:
        """Let a dock look; afterwards everything is sealed and the card is empty, unless told otherwise."""
        self.now += timedelta(minutes=20)
        self.inventories += 1
        inventory = UUID(int=self.inventories)
        presence = Presence(
            dock=dock, inventory=inventory, since=self.now - timedelta(seconds=30), until=self.now, uncertainty_ms=40
        )
        previous = UUID(int=self.inventories - 1) if self.inventories > 1 else None
        sighting = Sighting(
            presence=presence,
            files=tuple(self.card),
            number=self.inventories,
            previous=previous,
            recorder_offset_ms=1500,
            device={"serial": "4A00123"},
        )
        self.now += timedelta(hours=10)
        if clear:
            self.card.clear()
        return with_seals(sighting) if seal else sighting


def with_seals(sighting: Sighting, *, but: Sequence[str] = ()) -> Sighting:
    """Return a sighting of which everything was sealed afterwards, but for some paths."""
    return replace(sighting, files=tuple(replace(file, is_sealed=file.path not in but) for file in sighting.files))


def before_the_seals(sighting: Sighting) -> Sighting:
    """Return a sighting as it was when it was new."""
    return replace(sighting, files=tuple(replace(file, is_sealed=False) for file in sighting.files))
