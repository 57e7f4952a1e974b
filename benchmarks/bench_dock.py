"""The docking station: what it reads, spends and keeps in memory, and what it makes of a bad link.

    python benchmarks/bench_dock.py [--size MIB] [--slots 25] [--only NAME,...] [--json]

A real `shilu-dock run --once` in a process of its own, against a service in this process that judges every request by
the contract (`tests.support.dock_server`). The link is a proxy (`tests.support.slow_link`): 100 Mbit/s shared by all
connections, 80 ms there and back, one segment in a hundred lost. Real recorders are slower than this disk, real links
worse than this proxy; the figures say what the station itself adds.

| Figure | Target |
|---|---|
| `read`: bytes read from the medium / size (strace, where there is one) | <= 1.01 |
| `cpu`: processor seconds, less those of a start, / one SHA-256 and one chunk tree over the same bytes | <= 1.3 |
| `memory`: most resident memory with so many recorders sent at once | <= 80 MB |
| `link`: part of the line that is used | >= 0.90 |
| `resume`: from the return of the line to the next byte at the service | <= 2 s |
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from evidence.core.digest import ClipHasher
from tests.support.dock_server import FakeService
from tests.support.dock_station import enrolled, make_recorder
from tests.support.slow_link import SlowLink

ROOT = Path(__file__).parents[1]
MIB = 1024 * 1024
LINE_BITS = 100e6
_PREAD = re.compile(r"pread64\(\d+<([^>]*)>.* = (\d+)$")
_TICK = os.sysconf("SC_CLK_TCK")


class Run:
    """One run of the agent to its end, and what the kernel says of it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.peak_bytes = 0
        self.cpu_seconds = 0.0

    async def end(self) -> None:
        """Wait for the end; look at the process as long as it is there."""
        while self.process.returncode is None:
            self._look()
            await asyncio.sleep(0.02)
        if self.process.returncode != 0:
            raise SystemExit(f"the agent ended with {self.process.returncode}")

    def _look(self) -> None:
        try:
            about = Path(f"/proc/{self.process.pid}/status").read_text()
        except OSError:
            return
        if found := re.search(r"VmHWM:\s+(\d+) kB", about):
            self.peak_bytes = max(self.peak_bytes, int(found[1]) * 1024)


@asynccontextmanager
async def scene(folder: Path, link: SlowLink | None = None) -> AsyncIterator[tuple[FakeService, list[str]]]:
    """A service and an enrolled station; yields the service and the agent's command."""
    service = FakeService()
    async with service.serving() as url:
        if link is None:
            station = await enrolled(folder / "state", url)
            yield service, _command(station.state.path)
        else:
            async with link.to(url) as far:
                station = await enrolled(folder / "state", far)
                yield service, _command(station.state.path)


def _command(state: Path) -> list[str]:
    return [sys.executable, "-m", "dockstation", "run", "--once", "--state", str(state)]


async def run(words: list[str], *, cards: list[Path], parallel: int = 4) -> Run:
    """Start the agent on some recorders and wait for its end."""
    started = await start(words, cards=cards, parallel=parallel)
    await started.end()
    return started


async def start(words: list[str], *, cards: list[Path], parallel: int = 4) -> Run:
    """Start the agent on some recorders."""
    options = [word for card in cards for word in ("--recorder", str(card))]
    quiet = asyncio.subprocess.DEVNULL
    return Run(
        await asyncio.create_subprocess_exec(
            *words, "--parallel", str(parallel), *options, cwd=ROOT, stdout=quiet, stderr=quiet
        )
    )


async def cpu_of(words: list[str], cards: list[Path]) -> float:
    """Return the processor seconds of a run, its start included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    await run(words, cards=cards)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def floor_seconds(size: int) -> float:
    """Return the processor seconds of one SHA-256 and one chunk tree over so many bytes, nothing else.

    The bytes are 64 MiB in memory, over and over: more than a cache holds, as footage is. Beside it another process is
    busy, as the service is beside the agent: where two threads share a core, both pay for it.
    """
    data = memoryview(os.urandom(64 * MIB))
    hasher = ClipHasher()
    busy = "import hashlib, os\nblock = os.urandom(1 << 20)\nwhile True: hashlib.sha256(block)"
    with subprocess.Popen([sys.executable, "-c", busy]) as other:
        time.sleep(0.3)
        begin = time.process_time()
        for index in range(size // MIB):
            at = index % 64 * MIB
            hasher.update(data[at : at + MIB])
        hasher.digest()
        spent = time.process_time() - begin
        other.kill()
    return spent


async def bench_read(folder: Path, options: argparse.Namespace) -> dict[str, float]:
    """Count what is read from the medium."""
    if shutil.which("strace") is None:
        return {}
    size = options.size * MIB // 8
    trace = folder / "trace"
    async with scene(folder) as (_, words):
        card = make_recorder(folder / "card", count=2, sizes=(size // 2,))
        await run(["strace", "-f", "-y", "-qq", "-e", "trace=pread64", "-o", str(trace), *words], cards=[card])
    read = [int(found[2]) for line in trace.open() if (found := _PREAD.search(line)) and str(card) in found[1]]
    return {"read/size": sum(read) / size}


async def bench_cpu(folder: Path, options: argparse.Namespace) -> dict[str, float]:
    """Weigh the agent's processor time against the digests alone."""
    size = options.size * MIB
    async with scene(folder) as (_, words):
        small = make_recorder(folder / "small", count=1, recorder="D200001")
        large = make_recorder(folder / "large", count=4, recorder="D200002", sizes=(size // 4,))
        base = statistics.median([await cpu_of(words, [small]) for _ in range(5)])
        spent = await cpu_of(words, [large]) - base
    floor = floor_seconds(size)
    return {"cpu s/GB": spent / size * 1e9, "floor s/GB": floor / size * 1e9, "cpu/floor": spent / floor}


async def bench_memory(folder: Path, options: argparse.Namespace) -> dict[str, float]:
    """Look at the agent's memory with many recorders at once."""
    size = max(2, options.size // 2 // options.slots) * MIB
    link = SlowLink(bits_per_second=4 * LINE_BITS)
    async with scene(folder, link) as (_, words):
        cards = [
            make_recorder(folder / f"card{n}", count=1, recorder=f"D2000{n:02d}", sizes=(size,))
            for n in range(options.slots)
        ]
        ended = await run(words, cards=cards, parallel=options.slots)
    return {"peak MB": ended.peak_bytes / 1e6}


async def bench_link(folder: Path, options: argparse.Namespace) -> dict[str, float]:
    """See how much of a bad line is used between the first byte and the last."""
    size = options.size * MIB // 12
    link = SlowLink(bits_per_second=LINE_BITS, delay_seconds=0.04, loss=0.01)
    async with scene(folder, link) as (service, words):
        cards = [make_recorder(folder / f"card{n}", count=1, recorder=f"D2000{n:02d}", sizes=(size,)) for n in range(4)]
        agent = await start(words, cards=cards)
        total = 4 * size
        while sum(upload.received_bytes for upload in service.uploads.values()) == 0:
            await asyncio.sleep(0.001)
        begin = time.monotonic()
        while sum(upload.received_bytes for upload in service.uploads.values()) < total:
            await asyncio.sleep(0.002)
        seconds = time.monotonic() - begin
        await agent.end()
    return {"used": total * 8 / seconds / LINE_BITS}


async def bench_resume(folder: Path, options: argparse.Namespace) -> dict[str, float]:
    """Pull the line in the middle, three times, and see how soon bytes flow again."""
    link = SlowLink(bits_per_second=LINE_BITS / 2, delay_seconds=0.04)
    waits = []
    async with scene(folder, link) as (service, words):
        card = make_recorder(folder / "card", count=1, sizes=(48 * MIB,))
        agent = await start(words, cards=[card])
        for outage in (1.0, 3.0, 10.0):
            there = sum(upload.received_bytes for upload in service.uploads.values())
            while sum(upload.received_bytes for upload in service.uploads.values()) < there + 4 * MIB:
                await asyncio.sleep(0.01)
            link.pull()
            await asyncio.sleep(outage)
            held = sum(upload.received_bytes for upload in service.uploads.values())
            await link.plug()
            begin = time.monotonic()
            while sum(upload.received_bytes for upload in service.uploads.values()) == held:
                await asyncio.sleep(0.005)
            waits.append(time.monotonic() - begin)
        await agent.end()
    return {"after 1 s": waits[0], "after 3 s": waits[1], "after 10 s": waits[2], "longest s": max(waits)}


Bench = Callable[[Path, argparse.Namespace], Coroutine[Any, Any, dict[str, float]]]
BENCHES: dict[str, Bench] = {
    "read": bench_read,
    "cpu": bench_cpu,
    "memory": bench_memory,
    "link": bench_link,
    "resume": bench_resume,
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--size", type=int, default=512, help="MiB per figure")
    parser.add_argument("--slots", type=int, default=25)
    parser.add_argument("--only", default=",".join(BENCHES))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures: dict[str, dict[str, float]] = {}
    for name in options.only.split(","):
        with tempfile.TemporaryDirectory(prefix="shilu-bench-") as folder:
            figures[name] = asyncio.run(BENCHES[name](Path(folder), options))
        if not options.json:
            print(name, "  ".join(f"{key} {value:.3f}" for key, value in figures[name].items()), flush=True)
    if options.json:
        print(json.dumps({"machine": platform.platform(), "cores": os.cpu_count(), **figures}))


if __name__ == "__main__":
    main()
