"""Heartbeat: once a minute the station tells the service how it stands, and hears what it should know.

What it tells is a picture of the present, no evidence: version, profiles, free disk, slots, what its journal counts,
and its clock against the service's. What it hears: the service's time, and whether an administrator wants another key.
A heartbeat that fails is left out, the next one comes in a minute; nothing waits for it. A service that does not know
heartbeats yet is asked again after an hour.

The clock is measured on the way: the service's time lies between request and answer, so half of the time there and
back is what the measurement may be off by. A station's clock that is set later makes the measurement void; that shows
against the clock that nobody sets.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from uuid import UUID

from dockstation.errors import DockError, ServiceMalformed
from dockstation.journal_store import Journal
from dockstation.layout import Profile
from dockstation.link import Link
from dockstation.threads import Books
from evidence.core.clock import Clock, parse_time
from evidence.core.wire.docking import ClockReading
from evidence.errors import TimeInvalid

BEAT_SECONDS = 60.0
BEAT_SECONDS_MIN, BEAT_SECONDS_MAX = 10.0, 3600.0
"""Bounds of what a service may ask for."""

UNKNOWN_SECONDS = 3600.0
"""How long a service that does not know heartbeats is left alone."""

KEY_PAUSE_SECONDS = 3600.0
"""How long a station that has just changed its key does not hear of another change."""

SLOTS_MAX = 64
NAME_CHARS_MAX = 100
ANSWER_SECONDS_MAX = 5.0
"""How long an answer is waited for: what takes longer measures no clock."""

CLOCK_STEP = timedelta(seconds=1)
"""From how far on the station's clock was set, and did not merely drift."""

_JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class _Measured:
    reading: ClockReading
    monotonic: float


class Heart:
    """Speaks for one station.

    Args:
        link: The way to the service.
        books: The journal.
        dock: Who speaks.
        folder: The state folder, whose disk is told of.
        profiles: The layout profiles in use.
        clock: The station's clock.
        has_new_key: Whether this run began with a change of key.
        monotonic: The clock that nobody sets, in seconds.
    """

    def __init__(
        self,
        *,
        link: Link,
        books: Books,
        dock: UUID,
        folder: Path,
        profiles: Sequence[Profile],
        clock: Clock,
        has_new_key: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._link = link
        self._books = books
        self._dock = dock
        self._folder = folder
        self._clock = clock
        self._monotonic = monotonic
        self._profiles = {profile.name: _digest(profile) for profile in profiles}
        self._measured: _Measured | None = None
        self._deaf_until = monotonic() + KEY_PAUSE_SECONDS if has_new_key else 0.0
        self._next_seconds = BEAT_SECONDS
        self.key_demanded_since: float | None = None
        """By the clock that nobody sets: since when an administrator is known to want another key; None without."""

    @property
    def reading(self) -> ClockReading | None:
        """The station's clock against the service's; None when it was not measured, or the clock was set since."""
        if self._measured is None:
            return None
        passed = timedelta(seconds=self._monotonic() - self._measured.monotonic)
        if abs(self._clock() - self._measured.reading.measured_at - passed) > CLOCK_STEP:
            return None
        return self._measured.reading

    async def forever(self) -> None:
        """Speak until cancelled."""
        while True:
            await self.beat()
            await asyncio.sleep(self._next_seconds)

    async def beat(self) -> bool:
        """Speak once; return whether the service heard it."""
        said = await self._said()
        began_at, began = self._clock(), self._monotonic()
        try:
            path = f"v1/docks/{self._dock}/heartbeat"
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                answer = (await self._link.ask("POST", path, body=said, headers=_JSON)).json_object()
            ended = self._monotonic()
            self._hear(answer, middle=began_at + timedelta(seconds=(ended - began) / 2), seconds=ended - began)
        except TimeoutError:
            self._next_seconds = BEAT_SECONDS
            return False
        except DockError as error:
            is_unknown = error.details.get("status") in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}
            self._next_seconds = UNKNOWN_SECONDS if is_unknown else BEAT_SECONDS
            return False
        return True

    def _hear(self, answer: dict[str, object], *, middle: datetime, seconds: float) -> None:
        try:
            service_time = parse_time(str(answer.get("server_time")))
        except TimeInvalid as error:
            raise ServiceMalformed(f"the answer's 'server_time' is {error.message}") from error
        reading = ClockReading(
            offset_ms=round((middle - service_time).total_seconds() * 1000),
            # Its own milliseconds are cut off, ours too.
            uncertainty_ms=round(seconds * 500) + 2,
            measured_at=self._clock(),
        )
        self._measured = _Measured(reading, self._monotonic())
        asked = answer.get("next_seconds")
        if isinstance(asked, int | float) and not isinstance(asked, bool):
            self._next_seconds = min(max(float(asked), BEAT_SECONDS_MIN), BEAT_SECONDS_MAX)
        if answer.get("rotate_key") is not True:
            self.key_demanded_since = None
        elif self.key_demanded_since is None and self._monotonic() >= self._deaf_until:
            self.key_demanded_since = self._monotonic()

    async def _said(self) -> bytes:
        slots = await self._books.do(Journal.slots)
        counts = await self._books.do(Journal.counts)
        notes = await self._books.do(Journal.waiting_notes)
        files: Counter[str] = Counter()
        for _, state, count, _ in counts:
            files[state.value] += count
        reading = self.reading
        clock = reading and {"offset_ms": reading.offset_ms, "uncertainty_ms": reading.uncertainty_ms}
        said = {
            "agent": _version(),
            "profiles": self._profiles,
            "disk_free_bytes": (await asyncio.to_thread(shutil.disk_usage, self._folder)).free,
            "slots": [
                {
                    "name": view.name[:NAME_CHARS_MAX],
                    "recorder": view.recorder and view.recorder[:NAME_CHARS_MAX],
                    "phase": view.phase,
                    "safe": view.safe,
                }
                for view in slots[:SLOTS_MAX]
            ],
            "journal": dict(files),
            "waiting_notes": len(notes),
            "clock": clock,
        }
        return json.dumps(said, ensure_ascii=False).encode("utf-8", "replace")


def _digest(profile: Profile) -> str:
    """Return what tells one version of a profile from another."""
    return hashlib.sha256(repr(profile).encode("utf-8", "backslashreplace")).hexdigest()[:12]


def _version() -> str:
    try:
        return version("shilu")
    except PackageNotFoundError:
        return "unknown"
