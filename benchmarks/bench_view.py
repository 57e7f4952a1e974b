"""What the entry of a view costs: from asking to look until the first byte, with the entry and without, over real HTTP.

    python benchmarks/bench_view.py [--views 300]

A service with a real PostgreSQL whose commits are durable. Both ways take turns in one process and differ in one call:
without the entry, `record` answers at once and writes nothing, which exists in this file alone. What is left of a view
then (the gate, the ticket, its commit, the file) is done as ever, so the difference is the entry's own cost.

| Line | What is measured | Target |
|---|---|---|
| with, without | milliseconds until the first byte: median, 95th percentile | |
| the entry adds | difference of the medians | <= 5 ms |
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
from unittest.mock import patch
from uuid import UUID

import structlog

sys.path.insert(0, str(Path(__file__).parents[1]))

from evidence.core.clock import Clock, Entropy
from evidence.core.ids import uuid7
from evidence.custody.record import Recorded
from evidence.db.embedded import EmbeddedPostgres
from evidence.parties import tickets
from evidence.parties.roles import Role
from tests.support.database import fresh_database, make_template
from tests.support.service import RunningService, config_for, running_service

WARM_UP = 20
FOOTAGE = b"footage" * 100_000


async def look(service: RunningService, clip: UUID, token: str) -> float:
    """Ask for a view and fetch its first byte; return the milliseconds."""
    headers = {"Authorization": f"Bearer {token}"}
    wish = {"purpose": "case_file_review", "rendition": "original"}
    begun = time.perf_counter()
    async with service.session.post(f"{service.url}/v1/clips/{clip}/views", json=wish, headers=headers) as asked:
        url = (await asked.json())["url"]
    async with service.session.get(f"{service.url}{url}", headers=headers) as answer:
        await answer.content.readexactly(1)
        taken = (time.perf_counter() - begun) * 1000
        await answer.content.read()
    return taken


async def unrecorded(*_: object, clock: Clock, entropy: Entropy, **__: object) -> Recorded:
    """Stand in for `record` and write nothing; no program but this measurement does."""
    return Recorded(entry_id=uuid7(clock=clock, entropy=entropy), at=clock())


async def measure(service: RunningService, *, views: int) -> None:
    """Print the figures."""
    token = await service.token(Role.REVIEWER)
    clip = await service.clip(FOOTAGE)
    for _ in range(WARM_UP):
        await look(service, clip, token)
    recorded, bare = [], []
    for _ in range(views):
        recorded.append(await look(service, clip, token))
        with patch.object(tickets, "record", unrecorded):
            bare.append(await look(service, clip, token))
    for line, times in (("with", recorded), ("without", bare)):
        worst = statistics.quantiles(times, n=20)[-1]
        print(f"{line:<8} median {statistics.median(times):6.2f} ms   p95 {worst:6.2f} ms")
    print(f"the entry adds {statistics.median(recorded) - statistics.median(bare):.2f} ms")


async def main(*, views: int) -> None:
    """Build the house, measure, and remove it."""
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; {views} views each way")
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
                await measure(service, views=views)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--views", type=int, default=300, help="views each way")
    asyncio.run(main(views=parser.parse_args().views))
