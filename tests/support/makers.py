"""Media makers for tests of the queue: they make small files at once, fail, or never end, as the real one may."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from ingest.media.result import FILE_NAMES, EarlyStill, MadeObject, MediaResult
from ingest.media.runner import OnEarly
from ledger.errors import CodedError

MediaMaker = Callable[[Path, Path, OnEarly], Awaitable[MediaResult]]


def made(workdir: Path, proxy: bytes) -> MediaResult:
    """Write a review copy and a poster and say so."""
    # Another worker that took the job over has removed the folder; the real child would fail, this one tries harder.
    workdir.mkdir(parents=True, exist_ok=True)
    for name, data in ((FILE_NAMES["proxy"], proxy), (FILE_NAMES["poster"], b"poster of " + proxy)):
        (workdir / name).write_bytes(data)
    return MediaResult(
        outcome="reviewable",
        reason=None,
        probe={"duration_ms": 6000},
        objects=(
            MadeObject("proxy", workdir / FILE_NAMES["proxy"], "video/mp4"),
            MadeObject("poster", workdir / FILE_NAMES["poster"], "image/jpeg"),
        ),
        tools={"av": "18.1.0"},
        parameters={"height": 480},
    )


@dataclass
class Maker:
    """Makes a review copy that names the original; counts how often it was asked."""

    calls: list[Path] = field(default_factory=list)

    async def __call__(self, source: Path, workdir: Path, on_early: OnEarly) -> MediaResult:
        self.calls.append(workdir)
        await asyncio.sleep(0)
        return made(workdir, b"copy of " + source.name.encode())


@dataclass
class FailingMaker(Maker):
    """Fails a number of times before it works."""

    error: CodedError | None = None
    times: int = 1_000_000

    async def __call__(self, source: Path, workdir: Path, on_early: OnEarly) -> MediaResult:
        if len(self.calls) < self.times and self.error is not None:
            self.calls.append(workdir)
            raise self.error
        return await super().__call__(source, workdir, on_early)


@dataclass
class SlowMaker(Maker):
    """Has written half of its work when it waits to be let on."""

    began: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, source: Path, workdir: Path, on_early: OnEarly) -> MediaResult:
        (workdir / FILE_NAMES["proxy"]).write_bytes(b"half")
        self.began.set()
        await self.go_on.wait()
        return await super().__call__(source, workdir, on_early)


@dataclass
class EarlyMaker(SlowMaker):
    """Hands over a first still, and waits to be let on."""

    still: EarlyStill = field(default_factory=lambda: EarlyStill(b"first still", "image/jpeg"))

    async def __call__(self, source: Path, workdir: Path, on_early: OnEarly) -> MediaResult:
        await on_early(self.still)
        return await super().__call__(source, workdir, on_early)
