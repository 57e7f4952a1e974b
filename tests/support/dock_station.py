"""Recorders and stations for tests: folders that look like mounted cards, and a station that runs in this process."""

from __future__ import annotations

import os
import random
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from dockstation.agent import Options, open_watch
from dockstation.config import Settings, StateFolder, trust
from dockstation.enrol import enrol
from dockstation.events import Bus, Event
from dockstation.journal import FileRow, State
from dockstation.journal_store import Journal
from dockstation.link import Link
from dockstation.watch import Job, Report, Watch
from evidence.core.clock import utc_now
from tests.support.dock_server import CODE

QUICK = Settings(
    settle_seconds=0.0, interval_seconds=0.1, patience_seconds=5.0, receipt_seconds=3.0, patch_bytes_max=1 << 20
)
"""Settings with which nothing is waited for longer than a test can bear."""

LONG_AGO_NS = 1_750_000_000 * 10**9


def write_clip(root: Path, name: str, *, size: int = 5000, seed: int = 0, age_ns: int = LONG_AGO_NS) -> Path:
    """Put a file of reproducible bytes on a card, last written long ago."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(random.Random(os.fsencode(f"{name}{seed}")).randbytes(size))
    os.utime(path, ns=(age_ns, age_ns))
    return path


def clip_name(index: int, *, recorder: str = "D200001", officer: str = "100001", mark: str = "") -> str:
    """Return the name of a recorder's clip number `index`."""
    time = f"{9 + index // 3600:02d}{index // 60 % 60:02d}{index % 60:02d}"
    return f"DCIM/DCAM_{recorder}_{officer}_20260302_{time}{mark}.mp4"


def make_recorder(root: Path, *, count: int = 3, recorder: str = "D200001", sizes: Sequence[int] = (5000,)) -> Path:
    """Make a recorder with `count` clips whose sizes go round `sizes`; return its root."""
    for index in range(count):
        write_clip(root, clip_name(index, recorder=recorder), size=sizes[index % len(sizes)], seed=index)
    return root


@dataclass
class TestStation:
    """A station in a state folder, enrolled with a service."""

    __test__ = False

    state: StateFolder
    settings: Settings = QUICK
    events: list[Event] = field(default_factory=list)

    async def once(
        self,
        *recorders: Path,
        clear: bool = False,
        send: bool = True,
        options: Options | None = None,
        **changes: object,
    ) -> Report:
        """Run a station of a fresh process until nothing is waiting."""
        opened = self.watching(*recorders, clear=clear, send=send, options=options, **changes)  # type: ignore[arg-type]
        async with opened as watch:
            return await watch.once()

    @asynccontextmanager
    async def watching(
        self,
        *recorders: Path,
        clear: bool = False,
        send: bool = True,
        options: Options | None = None,
        watch: tuple[Path, ...] = (),
        **changes: object,
    ) -> AsyncIterator[Watch]:
        """Open a station on the given recorders, and on those in the watched folders."""
        bus = Bus()
        bus.listen(self.events.append)
        settings = replace(self.settings, **changes)  # type: ignore[arg-type]  # fields by name
        job = Job(watch=watch, recorders=recorders, send=send, clear=clear, usb=settings.usb)
        async with open_watch(self.state, settings, job, options=options or Options(), bus=bus) as opened:
            yield opened

    def rows(self, *states: State) -> tuple[FileRow, ...]:
        """Return the journal's files in these states, all without any."""
        with Journal(self.state.journal, clock=utc_now, read_only=True) as journal:
            return journal.rows(states or tuple(State))

    def states(self) -> dict[str, str]:
        """Return the state of every file by its path, abandoned rows left out."""
        return {row.path: row.state.value for row in self.rows() if row.state is not State.ABANDONED}


async def enrolled(folder: Path, url: str, *, settings: Settings = QUICK, force: bool = False) -> TestStation:
    """Enrol a station with the service at `url`."""
    state = StateFolder(folder)
    state.create()
    async with Link(url, tokens=None, trust=trust(settings)) as link:
        await enrol(
            state, link, url=url, code=CODE, name="走廊 1", force=force, clock=utc_now, entropy=secrets.token_bytes
        )
    return TestStation(state, settings)
