"""Sightings: what docks saw on one recorder at one time, as values that the examination compares.

All times are the service's: a dock's times are put right by the offset that the dock measured, as far as it could.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

UNMEASURED_MS = 300_000
"""Uncertainty in milliseconds of a dock's clock that was not measured."""

RECORDING_HOURS_MAX = 4
"""Longest recording in hours whose end is believed from its file time alone."""

_ZONE_STEP = timedelta(minutes=15)
_ZONES_APART_MAX = timedelta(hours=26)
_FILE_TIME_STEP = timedelta(seconds=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedFile:
    """One file as a dock listed it.

    Attributes:
        path: As the statement writes it.
        raw: Whether the path is escaped.
        size: Bytes.
        modified_at: By the file system.
        recorded_at: Start of the recording by the recorder's clock, where its name tells.
        is_sealed: Whether its content is sealed: this very file, or one like it at an earlier docking.
        seconds: How long it plays, where it was sealed and decoded.
    """

    path: str
    size: int
    modified_at: datetime
    raw: bool = False
    recorded_at: datetime | None = None
    is_sealed: bool = False
    seconds: float | None = None

    @property
    def ended_at(self) -> datetime | None:
        """When the recording ended by the recorder's clock: by its length, else by a file time that is plausible."""
        if self.recorded_at is None:
            return None
        if self.seconds is not None:
            return _moved(self.recorded_at, timedelta(seconds=self.seconds))
        length = self.modified_at - self.recorded_at
        return self.modified_at if timedelta() < length <= timedelta(hours=RECORDING_HOURS_MAX) else None

    def is_same(self, other: ListedFile) -> bool:
        """Tell whether both are one file; two docks may read a card's times in different zones."""
        if (self.path, self.raw, self.size) != (other.path, other.raw, other.size):
            return False
        apart = abs(self.modified_at - other.modified_at)
        rest = apart % _ZONE_STEP
        return apart <= _ZONES_APART_MAX and min(rest, _ZONE_STEP - rest) <= _FILE_TIME_STEP

    def as_json(self) -> dict[str, object]:
        """Return what a finding says of a file."""
        said: dict[str, object] = {"path": self.path, "size": self.size}
        if self.raw:
            said["raw"] = True
        times = {"starts_at": self.recorded_at, "ends_at": self.ended_at or self.modified_at}
        return {**said, **{name: at for name, at in times.items() if at is not None}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """A recorder was in a dock from `since` to `until`, each give or take so many milliseconds."""

    dock: UUID
    inventory: UUID
    since: datetime
    until: datetime
    uncertainty_ms: int = UNMEASURED_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One inventory of a recorder.

    Attributes:
        presence: Where and when; `until` is when the dock looked.
        files: In the recorder's own order.
        is_partial: Whether the card has more than one inventory can list.
        number: The dock's own count of its inventories of this recorder; None where it states none.
        previous: The inventory that it says came before.
        recorder_offset_ms: The recorder's clock minus the service's; None where it could not be read.
        device: What the device said of itself, by name; empty where it said nothing.
    """

    presence: Presence
    files: tuple[ListedFile, ...]
    is_partial: bool = False
    number: int | None = None
    previous: UUID | None = None
    recorder_offset_ms: int | None = None
    device: Mapping[str, str]

    @property
    def at(self) -> datetime:
        """When the dock looked."""
        return self.presence.until


def put_right(at: datetime, *, offset_ms: int) -> datetime:
    """Return an instant of a dock's clock by the service's; one that cannot be put right stays as it is."""
    return _moved(at, timedelta(milliseconds=-offset_ms)) if abs(offset_ms) < 10**14 else at


def _moved(at: datetime, by: timedelta) -> datetime:
    try:
        return at + by
    except OverflowError:
        return at


def by_name(files: Iterable[ListedFile]) -> dict[tuple[str, bool], ListedFile]:
    """Return files by their names; no two of one sighting share one."""
    return {(file.path, file.raw): file for file in files}


def fresh_files(now: Sighting, before: Sighting | None) -> list[ListedFile]:
    """Return the files that are not what the sighting before had under their names."""
    known = by_name(before.files if before else ())
    return [file for file in now.files if (old := known.get((file.path, file.raw))) is None or not file.is_same(old)]
