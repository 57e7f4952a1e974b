"""Annotating in figures: one writer, a hundred at once, and a thousand clips in one request, over real HTTP.

    python benchmarks/bench_annotate.py [--writers 100]

A service with a real PostgreSQL whose commits are durable, where roles alone decide; clips on record, people with
tokens.
Every writer adds a mark of its own; afterwards every mark is counted. It ends with exit code 1 when one is lost.

| Line | What is measured | Target |
|---|---|---|
| one writer | median of a version over HTTP, milliseconds | |
| one clip, adding | writers who add to one clip at once, versions a second | no mark lost |
| one clip, If-Match | the same with whole versions: read, change, write, begin again when stale | no mark lost |
| fifty clips | writers who add to two of fifty clips each, versions a second | no mark lost |
| bulk | 1,000 clips clip by clip, and 200 all or nothing: seconds, and of the longest transaction | <= 1 s each |
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import structlog

sys.path.insert(0, str(Path(__file__).parents[1]))

from evidence.clips.bulk import ATOMIC_MAX, BATCH, CLIPS_MAX
from evidence.db.embedded import EmbeddedPostgres
from evidence.parties.roles import Role
from tests.support.clock import SeededEntropy, SteppingClock
from tests.support.database import fresh_database, make_template
from tests.support.payloads import Scribe
from tests.support.service import Reply, RunningService, config_for, running_service

ROUNDS = 100


async def clips_of(service: RunningService, count: int) -> list[str]:
    """Put clips on record."""
    async with service.services.pool.acquire() as conn:
        scribe = Scribe(conn=conn, clock=SteppingClock(), entropy=SeededEntropy(uuid4().int))
        return [str(await scribe.seal()) for _ in range(count)]


async def add(service: RunningService, clips: list[str], number: int, *, whole: bool = False) -> Reply:
    """Add a mark of this number to clips."""
    body = {
        "clips": [{"clip": clip} for clip in clips],
        "add": {"remark": "集中整治行动", "markers": [{"kind": "other", "at_ms": number}]},
        "all_or_nothing": whole,
    }
    reply = await service.ask("POST", "/v1/annotations", role=Role.INVESTIGATOR, json=body)
    assert reply.status == 200, reply
    return reply


async def write(service: RunningService, clip: str, markers: list[Any], *, seen: int) -> Reply:
    """Write a whole version."""
    return await service.ask(
        "POST",
        f"/v1/clips/{clip}/annotations",
        role=Role.INVESTIGATOR,
        json={"markers": markers},
        headers={"If-Match": f'"{seen}"'},
    )


async def insist(service: RunningService, clip: str, number: int) -> int:
    """Add a mark by whole versions until it is in; return the attempts."""
    version, attempts = 0, 0
    markers: list[Any] = []
    while True:
        attempts += 1
        if (await write(service, clip, [*markers, {"kind": "other", "at_ms": number}], seen=version)).status == 201:
            return attempts
        newest = await annotation(service, clip)
        version, markers = newest["version"], newest["content"]["markers"]


async def annotation(service: RunningService, clip: str) -> Any:
    """Return the version that counts."""
    path, page = f"/v1/clips/{clip}/annotations", {"limit": "1"}
    return (await service.ask("GET", path, role=Role.REVIEWER, params=page)).json()["items"][0]


async def lost(service: RunningService, wanted: dict[str, set[int]]) -> int:
    """Count the marks that are not there."""
    missing = 0
    for clip, marks in ((clip, marks) for clip, marks in wanted.items() if marks):
        content = (await annotation(service, clip))["content"]
        missing += len(marks - {marker["at_ms"] for marker in content["markers"]})
    return missing


def tell(line: str, seconds: float, versions: int, missing: int, more: str = "") -> int:
    """Print a line about writers and return what they lost."""
    print(f"{line:<20} {seconds:6.2f} s   {versions / seconds:6.0f} versions/s   {missing} lost{more}")
    return missing


async def measure(service: RunningService, *, writers: int) -> int:
    """Print the figures; return how many marks were lost."""
    for role in (Role.INVESTIGATOR, Role.REVIEWER):
        await service.token(role)
    (clip,) = await clips_of(service, 1)
    times = []
    for number in range(ROUNDS):
        begun = time.perf_counter()
        await write(service, clip, [{"kind": "other", "at_ms": number}], seen=number)
        times.append(time.perf_counter() - begun)
    print(f"one writer           {statistics.median(times) * 1000:6.1f} ms")
    everybody = set(range(writers))

    (clip,) = await clips_of(service, 1)
    begun = time.perf_counter()
    await asyncio.gather(*(add(service, [clip], number) for number in everybody))
    missing = tell("one clip, adding", time.perf_counter() - begun, writers, await lost(service, {clip: everybody}))

    (clip,) = await clips_of(service, 1)
    begun = time.perf_counter()
    attempts = sum(await asyncio.gather(*(insist(service, clip, number) for number in everybody)))
    seconds, gone = time.perf_counter() - begun, await lost(service, {clip: everybody})
    missing += tell("one clip, If-Match", seconds, writers, gone, f"   {attempts} attempts")

    fifty = await clips_of(service, 50)
    wanted: dict[str, set[int]] = {clip: set() for clip in fifty}
    pairs = {number: [fifty[number % 50], fifty[(number * 7 + 3) % 50]] for number in everybody}
    for number, pair in pairs.items():
        for clip in pair:
            wanted[clip].add(number)
    begun = time.perf_counter()
    await asyncio.gather(*(add(service, list(dict.fromkeys(pair)), number) for number, pair in pairs.items()))
    seconds = time.perf_counter() - begun
    missing += tell("fifty clips", seconds, sum(map(len, wanted.values())), await lost(service, wanted))

    for count, whole in ((CLIPS_MAX, False), (ATOMIC_MAX, True)):
        clips = await clips_of(service, count)
        begun = time.perf_counter()
        told = (await add(service, clips, 1, whole=whole)).json()
        seconds = time.perf_counter() - begun
        longest = seconds if whole else seconds * BATCH / count
        kind = "all or nothing" if whole else "clip by clip"
        print(f"bulk {count:>5} {told['written']:>5} written, {kind}: {seconds:.2f} s, a transaction {longest:.2f} s")
        missing += count - int(told["written"])
    return missing


async def main(*, writers: int) -> int:
    """Build the house, measure, and remove it."""
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; {writers} writers")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with tempfile.TemporaryDirectory(prefix="shilu-bench-") as passing:
        folder = Path(passing)
        folder.chmod(0o711)
        with EmbeddedPostgres(folder / "postgres") as server:
            await make_template(server)
            async with (
                fresh_database(server) as database,
                running_service(config_for(database, folder / "data", access="roles")) as service,
            ):
                return await measure(service, writers=writers)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--writers", type=int, default=100, help="people who annotate at once")
    sys.exit(1 if asyncio.run(main(writers=parser.parse_args().writers)) else 0)
