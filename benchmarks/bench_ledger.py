"""The ledger's promises in figures: sustained rate, time to a proof, cost of a proof, cost of growing.

    python benchmarks/bench_ledger.py [--seconds 60] [--proof-size 10000000] [--curve-size 10000000]
                                      [--peer-entries 200000]

Everything is real: PostgreSQL with fsync, files with fsync, the sequencer as `serve` runs it. The defaults are short
(`make bench`); the values above are those the targets are stated for (2 cores; `make bench-full`, which takes some 20
minutes and 12 GB of the disk below /tmp). Each part has a database and a folder of its own, removed when it is done.

| Part | What is measured | Target |
|---|---|---|
| sustained | entries appended, sequenced, signed and published per second, over the whole time | >= 5,000 /s |
| provable | time from the return of a commit to the answer of the waiter, 500 commits a second | median <= 150 ms |
| proof | one inclusion proof from files, random index, all tiles on the way cold and warm | median <= 2 ms |
| peer | entries per second until a signed checkpoint covers all, beside Tessera's POSIX driver | the ratio |
| curve | microseconds of the sequencer per entry and its memory, as the log grows | flat |

The peer's runs and ours take turns; see `tessera_peer` for what is and what is not comparable. Between two points of
the curve the log grows in larger batches, which is faster; what is measured are five times 10,000 entries behind a
point, in batches as `serve` makes them, once the disk has caught up with the growth. Beside it stand the processor's
share of it, and what a bare `fsync` of a small new file costs the same disk between the five: many rented disks slow
down once some gigabytes were written, and a curve that bends with them says nothing about the log. The five are one
term of leadership. Its first look at the queue is shown by itself: it walks over what was sequenced since the last
vacuum, seven million dead rows after the last stretch, and is paid once by whoever takes over. `--parts` runs some of
the parts.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import math
import os
import platform
import random
import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import tessera_peer
from evidence.core.clock import utc_now
from evidence.core.ids import uuid7
from evidence.db.embedded import EmbeddedPostgres
from evidence.db.migrate import migrate
from ledger import store
from ledger.canonical import Entry, encode_entry
from ledger.checkpoint import Checkpoint, sign_checkpoint
from ledger.edge import HashEdge
from ledger.note import Signer
from ledger.publish import LogFolder
from ledger.reader import LogReader
from ledger.sequencer import Sequencer, SequencerSettings
from ledger.tiles import Tile, encode_tile, tile_path
from ledger.waiting import PublicationWaiter

SIGNER = Signer.generate("example.com/bench")
APPENDERS = 4
ENTRIES_PER_COMMIT = 50
PACE_PER_SECOND = 500
PEER_ROUNDS = 3
CURVE_BETWEEN = SequencerSettings(batch_entries_max=10_000)
CURVE_POINT_ENTRIES = 10_000
CURVE_POINT_RUNS = 5
PARTS = ("sustained", "provable", "proof", "peer", "curve")


def make_entries(count: int) -> list[Entry]:
    """Make entries as the service makes them."""
    return [
        Entry("bench.made", uuid7(clock=utc_now, entropy=os.urandom), utc_now(), "service", "log", os.urandom(32))
        for _ in range(count)
    ]


def say(part: str, figure: str, *, target: str, met: bool) -> None:
    """Print one figure beside its target."""
    print(f"{part:<44}{figure:>22}   target {target:<12}{'met' if met else 'MISSED'}", flush=True)


def resident_mib() -> float:
    """Return the resident memory of this process in MiB."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


class Bench:
    """A database and a folder of their own for one part."""

    def __init__(self, dsn: str, folder: Path) -> None:
        self.dsn = dsn
        self.folder = LogFolder(folder)

    async def connect(self) -> asyncpg.Connection[asyncpg.Record]:
        """Open a connection."""
        return await asyncpg.connect(self.dsn)

    @asynccontextmanager
    async def sequencing(self) -> AsyncIterator[Sequencer]:
        """Run a sequencer meanwhile."""
        sequencer, stop = Sequencer(self.connect, self.folder, SIGNER, utc_now, SequencerSettings()), asyncio.Event()
        task = asyncio.create_task(sequencer.run(stop))
        while not sequencer.status.is_leading:
            await asyncio.sleep(0.01)
        try:
            yield sequencer
        finally:
            stop.set()
            await task


async def append_for(dsn: str, seconds: float, entries_max: float) -> None:
    """Append as fast as it goes, over a few connections, until the time or the entries are over."""
    until, left = time.monotonic() + seconds, entries_max

    async def append() -> None:
        nonlocal left
        conn = await asyncpg.connect(dsn)
        while time.monotonic() < until and left > 0:
            left -= ENTRIES_PER_COMMIT
            await store.append_many(conn, make_entries(ENTRIES_PER_COMMIT))
        await conn.close()

    await asyncio.gather(*(append() for _ in range(APPENDERS)))


async def start_appending(bench: Bench, *, seconds: float, entries_max: float = math.inf) -> asyncio.subprocess.Process:
    """Let another process append at full speed."""
    limits = ("--seconds", str(seconds), "--append-max", str(entries_max))
    return await asyncio.create_subprocess_exec(sys.executable, __file__, "--append-to", bench.dsn, *limits)


async def measure_sustained(bench: Bench, seconds: float) -> None:
    """Let another process append at full speed; what counts is what is published when its time is over."""
    async with bench.sequencing() as sequencer:
        before = resident_mib()
        appender = await start_appending(bench, seconds=seconds)
        while not sequencer.status.published_size:
            await asyncio.sleep(0.001)
        started = time.perf_counter()
        await appender.wait()
        published, elapsed = sequencer.status.published_size, time.perf_counter() - started
        conn = await bench.connect()
        lag = await conn.fetchval("SELECT count(*) FROM ledger_entry") - published
        await conn.close()
        growth = resident_mib() - before
    rate = published / elapsed
    say(f"sustained, {elapsed:.0f} s, {published:,} entries", f"{rate:,.0f} /s", target=">= 5,000 /s", met=rate >= 5000)
    say("  not yet published at the end", f"{lag:,}", target="< 1 s", met=lag < rate)
    say("  memory grew by", f"{growth:.1f} MiB", target="flat", met=growth < 32)


async def measure_provable(bench: Bench, seconds: float) -> None:
    """Commit one entry at a time at a steady pace, and wait for each."""
    delays: list[float] = []
    pool = await asyncpg.create_pool(bench.dsn, min_size=8, max_size=8)

    async def one(entry: Entry, waiter: PublicationWaiter) -> None:
        await store.append(pool_conn := await pool.acquire(), entry)
        await pool.release(pool_conn)
        committed = time.perf_counter()
        if await waiter.wait(entry.id, timeout_seconds=30) is not None:
            delays.append(time.perf_counter() - committed)

    async with bench.sequencing(), PublicationWaiter(bench.connect) as waiter, asyncio.TaskGroup() as group:
        started = time.perf_counter()
        for number, entry in enumerate(make_entries(int(PACE_PER_SECOND * seconds))):
            await asyncio.sleep(started + number / PACE_PER_SECOND - time.perf_counter())
            group.create_task(one(entry, waiter))
    await pool.close()
    achieved = len(delays) / (time.perf_counter() - started)
    median, late = statistics.median(delays) * 1000, statistics.quantiles(delays, n=100)[98] * 1000
    say(f"provable, {achieved:.0f} commits/s, median", f"{median:.0f} ms", target="<= 150 ms", met=median <= 150)
    print(f"{'  99 of 100 within':<44}{late:>19.0f} ms")


def write_log(folder: Path, size: int) -> None:
    """Write the tiles of a log of that size, without bundles and without waiting for the disk."""
    edge = HashEdge()

    def write(tile: Tile, hashes: list[bytes]) -> None:
        path = folder / tile_path(tile)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_tile(hashes))

    for number in range(size):
        for full in edge.append(number.to_bytes(32)):
            write(Tile(full.level, full.index), full.hashes)
    for tile, hashes in edge.partial_tiles().items():
        write(tile, hashes)
    (folder / "checkpoint").write_bytes(sign_checkpoint(Checkpoint(SIGNER.name, size, edge.root()), [SIGNER]))


async def measure_proofs(folder: Path, size: int) -> None:
    """Prove entries at random, with no tile in memory and with whatever the reader keeps."""
    write_log(folder, size)
    # A log of that size was written long ago: its proofs do not compete with its writing.
    os.sync()
    chosen = random.Random(1)
    for kind, shared in (("cold", None), ("warm", LogReader(LogFolder(folder)))):
        times = []
        for _ in range(500):
            reader, started = shared or LogReader(LogFolder(folder)), time.perf_counter()
            await reader.prove(chosen.randrange(size))
            times.append(time.perf_counter() - started)
        median = statistics.median(times) * 1000
        say(f"proof of 1 in {size:,}, {kind}, median", f"{median:.2f} ms", target="<= 2 ms", met=median <= 2)
        print(f"{'  memory of the whole process':<44}{resident_mib():>18.1f} MiB")


async def publish_all(bench: Bench, entries: int) -> float:
    """Append, sequence and publish so many entries; return the seconds from the first to the last of them."""
    async with bench.sequencing() as sequencer:
        conn = await bench.connect()
        appender = await start_appending(bench, seconds=math.inf, entries_max=entries)
        # Python needs a moment to start; the clock starts with the first entry, as the peer's does.
        while not await conn.fetchval("SELECT EXISTS (SELECT FROM ledger_entry)"):
            await asyncio.sleep(0.0005)
        started = time.perf_counter()
        while sequencer.status.published_size < entries:
            await asyncio.sleep(0.001)
        elapsed = time.perf_counter() - started
        await appender.wait()
        await conn.close()
    return elapsed


async def measure_peer(benches: AsyncIterator[Bench], folder: Path, entries: int) -> None:
    """Append the same to ours and to Tessera, in turns, and print the ratio of the medians."""
    folder.mkdir(parents=True)
    try:
        program = await asyncio.to_thread(tessera_peer.build, folder)
    except tessera_peer.PeerAbsent as reason:
        print(f"{'peer: Tessera, POSIX driver':<44}{'not run':>22}   {reason}", flush=True)
        return
    entry_bytes = len(encode_entry(make_entries(1)[0]))
    settings = SequencerSettings()
    ours, theirs = [], []
    for number in range(PEER_ROUNDS):
        ours.append(entries / await publish_all(await anext(benches), entries))
        seconds = await asyncio.to_thread(
            tessera_peer.append,
            program,
            folder / str(number),
            entries=entries,
            entry_bytes=entry_bytes,
            batch=settings.batch_entries_max,
            batch_seconds=settings.batch_seconds,
        )
        theirs.append(entries / seconds)
        print(f"  round {number + 1}: ours {ours[-1]:,.0f} /s, Tessera {theirs[-1]:,.0f} /s", flush=True)
    ratio = statistics.median(ours) / statistics.median(theirs)
    name = f"peer, {entries:,} entries of {entry_bytes} bytes"
    print(f"{name:<44}{f'ours / Tessera = {ratio:.2f}':>22}   median of {PEER_ROUNDS} rounds", flush=True)


FILL = """
    INSERT INTO ledger_entry (entry_id, entry)
    SELECT overlay(gen_random_uuid()::text PLACING substr(ms, 1, 8) || '-' || substr(ms, 9, 4) || '-7' FROM 1)::uuid,
           convert_to(repeat(md5(n::text), 8), 'UTF8')
    FROM generate_series(1, $2::int) n, lpad(to_hex(1700000000000 + $1::bigint + n), 12, '0') ms
"""
"""Entries with ids as the service makes them: UUIDs of version 7 (RFC 9562), whose order is that of their making."""


@asynccontextmanager
async def leading(bench: Bench, settings: SequencerSettings) -> AsyncIterator[tuple[Sequencer, float]]:
    """Lead for one term; yields the sequencer and the seconds until its first look at the queue was done."""
    sequencer = Sequencer(bench.connect, bench.folder, SIGNER, utc_now, settings)
    started = time.perf_counter()
    await sequencer.recover()
    await sequencer.step()
    yield sequencer, time.perf_counter() - started
    await sequencer.close()


async def sequence_more(bench: Bench, sequencer: Sequencer, batch: int, start: int, end: int) -> float:
    """Grow the log from one size to another; return the seconds that sequencing took."""
    conn, elapsed = await bench.connect(), 0.0
    for first in range(start, end, batch):
        await conn.execute(FILL, first, min(batch, end - first))
        started = time.perf_counter()
        while await sequencer.step():
            pass
        elapsed += time.perf_counter() - started
    await conn.close()
    return elapsed


def fsync_seconds(folder: Path, *, count: int = 20) -> float:
    """Return the median seconds that a small new file takes to reach the disk."""
    times = []
    for number in range(count):
        path = folder / f"probe-{number}"
        started = time.perf_counter()
        with path.open("wb") as file:
            file.write(os.urandom(8192))
            file.flush()
            os.fsync(file.fileno())
        times.append(time.perf_counter() - started)
        path.unlink()
    return statistics.median(times)


async def measure_curve(bench: Bench, size_max: int) -> None:
    """Sequence some ten thousand entries more at growing sizes, and everything between at full speed."""
    size, per_entry = 0, []
    conn = await bench.connect()
    print(
        "curve: entries in the log; per entry sequencing, and this process's processor time; memory; one bare fsync;"
        " first look of a new term"
    )
    stops = [10**power * step for power in range(4, 8) for step in (1, 3) if 10**power * step <= size_max]
    for stop in stops:
        async with leading(bench, CURVE_BETWEEN) as (sequencer, _):
            await sequence_more(bench, sequencer, CURVE_BETWEEN.batch_entries_max, size, stop)
        # What the growth in between has left for the disk to do is no cost of the next entries.
        await conn.execute("CHECKPOINT")
        await asyncio.to_thread(os.sync)
        async with leading(bench, SequencerSettings()) as (sequencer, first_look):
            point = await measure_point(bench, sequencer, stop)
        size = stop + CURVE_POINT_RUNS * CURVE_POINT_ENTRIES
        per_entry.append(point.wall)
        print(f"  {stop:>12,} {point} {resident_mib():>8.1f} MiB {first_look * 1000:>8.0f} ms", flush=True)
    await conn.close()
    ratio = per_entry[-1] / per_entry[0]
    say("curve, last against first", f"{ratio:.2f}", target="flat", met=ratio < 1.5)


@dataclass(frozen=True, slots=True)
class Point:
    """One point of the curve: microseconds per entry and milliseconds of a bare fsync, medians, and their spread."""

    wall: float
    least: float
    most: float
    processor: float
    fsync: float

    def __str__(self) -> str:
        spread = f"{self.least:.1f} to {self.most:.1f}"
        return f"{self.wall:>8.1f} us ({spread}) {self.processor:>8.1f} us {self.fsync:>8.2f} ms"


async def measure_point(bench: Bench, sequencer: Sequencer, size: int) -> Point:
    """Measure some runs within one term."""
    walls, processor, syncs = [], [], []
    for _ in range(CURVE_POINT_RUNS):
        syncs.append(await asyncio.to_thread(fsync_seconds, bench.folder.root))
        spent = time.process_time()
        batch = SequencerSettings().batch_entries_max
        seconds = await sequence_more(bench, sequencer, batch, size, size + CURVE_POINT_ENTRIES)
        walls.append(seconds / CURVE_POINT_ENTRIES * 1e6)
        processor.append((time.process_time() - spent) / CURVE_POINT_ENTRIES * 1e6)
        size += CURVE_POINT_ENTRIES
    median = statistics.median
    return Point(median(walls), min(walls), max(walls), median(processor), median(syncs) * 1000)


async def measure(dsn: str, folder: Path, options: argparse.Namespace) -> None:
    """Run all parts, each in a database and a folder of its own."""
    admin = await asyncpg.connect(dsn)

    @asynccontextmanager
    async def fresh(name: str) -> AsyncIterator[Bench]:
        await admin.execute(f"CREATE DATABASE bench_{name}")
        own = urlsplit(dsn)._replace(path=f"/bench_{name}").geturl()
        await migrate(own)
        yield Bench(own, folder / name)
        await admin.execute(f"DROP DATABASE bench_{name} WITH (FORCE)")
        await asyncio.to_thread(shutil.rmtree, folder / name, ignore_errors=True)

    async def one_after_another() -> AsyncGenerator[Bench]:
        for number in range(PEER_ROUNDS):
            async with fresh(f"peer{number}") as bench:
                yield bench

    parts = options.parts.split(",")
    if "sustained" in parts:
        async with fresh("sustained") as bench:
            await measure_sustained(bench, options.seconds)
    if "provable" in parts:
        async with fresh("provable") as bench:
            await measure_provable(bench, options.seconds)
    if "proof" in parts:
        await measure_proofs(folder / "proof", options.proof_size)
        shutil.rmtree(folder / "proof")
    if "peer" in parts:
        async with aclosing(one_after_another()) as benches:
            await measure_peer(benches, folder / "tessera", options.peer_entries)
        shutil.rmtree(folder / "tessera")
    if "curve" in parts:
        async with fresh("curve") as bench:
            await measure_curve(bench, options.curve_size)
    await admin.close()


def main() -> None:
    """Print the machine, then each figure beside its target."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--proof-size", type=int, default=1_000_000)
    parser.add_argument("--curve-size", type=int, default=300_000)
    parser.add_argument("--peer-entries", type=int, default=20_000)
    parser.add_argument("--parts", default=",".join(PARTS), help="some of: %(default)s")
    parser.add_argument("--append-to", help=argparse.SUPPRESS)
    parser.add_argument("--append-max", type=float, default=math.inf, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.append_to:
        asyncio.run(append_for(options.append_to, options.seconds, options.append_max))
        return
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, load before {load}")
    with tempfile.TemporaryDirectory(prefix="shilu-bench-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with EmbeddedPostgres(folder / "postgres") as dsn:
            asyncio.run(measure(dsn, folder / "log", options))


if __name__ == "__main__":
    main()
