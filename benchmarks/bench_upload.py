"""Uploads: bytes per second, processor and memory of `shilu serve` beside servers that only store.

    python benchmarks/bench_upload.py [--size MIB] [--streams 1,4,16] [--rounds 3] [--peers 'nginx PUT,tusd']

A real `shilu serve` with its own PostgreSQL, docks' uploads with manifest and receipt, both digests, every byte on the
disk before it is acknowledged; the peers (`upload_peers`) do neither. Each round sends the same to every server, one
after the other, over so many streams at once; medians of the rounds are printed, and their ratios. The sender is a
process of its own that spends little (`upload_load`).

| Figure | Target |
|---|---|
| one stream, ours / nginx, ours / each tus server | >= 1.0 |
| 4 and 16 streams, ours / nginx | >= 0.75 |
| 4 and 16 streams, ours / each tus server | >= 1.0 |
| processor seconds per GB | beside the floor: receive once, two SHA-256, write once |
| from the last byte to the receipt, 16 streams | median <= 150 ms |
| memory at 64 streams | <= 250 MB |
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.upload_peers import PEERS, PeerAbsent, Server, free_port
from evidence.db.cluster import find_cluster
from evidence.db.embedded import running_dsn
from evidence.db.pool import open_pool
from tests.support.clock import SeededEntropy
from tests.support.parties import enrol, paper_dock

ROOT = Path(__file__).parents[1]
OURS = "shilu"
MANY_STREAMS = 64
_TICK = os.sysconf("SC_CLK_TCK")


@contextmanager
def shilu(folder: Path) -> Iterator[Server]:
    """Run the service on a fresh data folder, with one dock enrolled."""
    data, port = folder / "data", free_port()
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "SHILU_DISK_RESERVE_BYTES": "0",
        "SHILU_UPLOADS_MAX": "256",
        "SHILU_UPLOADS_PER_SENDER_MAX": "256",
        "SHILU_AUDIT_INTERVAL_SECONDS": "0",
    }
    words = ["serve", "--data", str(data), "--listen", f"127.0.0.1:{port}", "--no-worker", "--json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "api.cli.main", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    )
    assert process.stdout is not None
    try:
        said = json.loads(process.stdout.readline())
        asyncio.run(_enrol(data / "postgres"))
        yield Server("shilu", f"{said['url']}/uploads", process.pid, None, said["origin"])
    finally:
        process.terminate()
        process.wait(timeout=60)


async def _enrol(postgres: Path) -> None:
    dsn = running_dsn(postgres)
    assert dsn is not None
    async with open_pool(dsn) as pool:
        await enrol(pool, paper_dock(1), entropy=SeededEntropy(9))


def send(server: Server, body: Path, streams: int) -> tuple[float, list[float], list[float]]:
    """Send the body over so many streams; return the seconds, and those from last bytes to answers and to receipts."""
    words = [server.kind, server.url, str(body), "--streams", str(streams), "--origin", server.origin]
    run = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("upload_load.py")), *words],
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        raise SystemExit(f"sending to {server.url} failed: {run.stderr.strip()[-2000:]}")
    said = json.loads(run.stdout)
    if server.stored is not None:
        for path in server.stored.iterdir():
            path.unlink()
    return said["seconds"], said["answers"], said["receipts"]


def family(pid: int) -> set[int]:
    """Return a process and everything that descends from it."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def processor_seconds(pids: set[int]) -> float:
    """Return the processor time that processes have spent so far, with that of children that ended."""
    spent = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        spent += sum(int(field) for field in fields[11:15])
    return spent / _TICK


def database_of(server: Server, folder: Path) -> set[int]:
    """Return the processes of our server's own PostgreSQL."""
    if server.kind != "shilu":
        return set()
    pid_file = find_cluster(folder / "data" / "postgres").data / "postmaster.pid"
    return family(int(pid_file.read_text().split()[0]))


def memory_peak_mb(pid: int) -> float:
    """Return the most memory a process ever held, in MB."""
    (line,) = (line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024 / 1e6


def floor_seconds_per_gb(body: Path) -> float:
    """Return the processor time of what nobody can do without: receive once, two SHA-256, write once."""
    receiving, sending = socket.socketpair()

    def feed() -> None:
        with body.open("rb") as file:
            sending.sendfile(file)
        sending.close()

    feeder = threading.Thread(target=feed)
    buffer, digests = bytearray(1 << 20), (hashlib.sha256(), hashlib.sha256())
    with tempfile.TemporaryFile(dir=body.parent) as out:
        feeder.start()
        started = time.process_time()
        while count := receiving.recv_into(buffer):
            piece = memoryview(buffer)[:count]
            for digest in digests:
                digest.update(piece)
            out.write(piece)
        spent = time.process_time() - started
    feeder.join()
    receiving.close()
    return spent / body.stat().st_size * 1e9


def measure(servers: dict[str, Server], folders: dict[str, Path], body: Path, streams: int, rounds: int) -> None:
    """Send in turns to all servers, and print medians and ratios."""
    size = body.stat().st_size * streams
    seconds: dict[str, list[float]] = {name: [] for name in servers}
    spent: dict[str, float] = dict.fromkeys(servers, 0.0)
    answers: list[float] = []
    receipts: list[float] = []
    for _ in range(rounds):
        for name, server in servers.items():
            pids = family(server.pid) | database_of(server, folders[name])
            before = processor_seconds(pids)
            took, answered, receipted = send(server, body, streams)
            spent[name] += processor_seconds(pids) - before
            seconds[name].append(took)
            receipts += receipted
            answers += answered if name == OURS else []
            # The next one is not to pay for what this one has left to the disk.
            os.sync()
    rates = {name: size / statistics.median(times) / 1e6 for name, times in seconds.items()}
    for name, rate in rates.items():
        cost = spent[name] / rounds / size * 1e9
        ratio = "" if name == OURS else f"   ours / {name} = {rates[OURS] / rate:.2f}"
        print(f"  {streams:>3} streams  {name:<12} {rate:>8.0f} MB/s  {cost:>5.2f} processor s/GB{ratio}", flush=True)
    first, last = (statistics.median(seconds) * 1000 for seconds in (answers, receipts))
    said = f"acknowledgement {first:.0f} ms, receipt {last:.0f} ms"
    print(f"  {streams:>3} streams  after the last byte, medians: {said}", flush=True)


def main() -> None:
    """Run everything in a temporary folder."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=64, help="MiB of one body; the targets are stated for 1024")
    parser.add_argument("--streams", default="1,4,16")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--folder", type=Path, default=Path("/tmp"), help="on the disk that is to be measured")
    options = parser.parse_args()
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, load before {load}")
    with tempfile.TemporaryDirectory(prefix="shilu-bench-", dir=options.folder) as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        body = folder / "body"
        with body.open("wb") as file:
            for _ in range(options.size):
                file.write(os.urandom(1 << 20))
        print(f"bodies of {options.size} MiB; floor {floor_seconds_per_gb(body):.2f} processor s/GB", flush=True)
        servers, folders = {}, {}
        for title, start in {OURS: shilu, **{key: PEERS[key] for key in options.peers.split(",") if key}}.items():
            folders[title] = folder / title.replace("/", "-").replace(" ", "-")
            folders[title].mkdir()
            try:
                servers[title] = stack.enter_context(start(folders[title]))
            except PeerAbsent as reason:
                print(f"  {title}: not run, {reason}", flush=True)
        for streams in map(int, options.streams.split(",")):
            measure(servers, folders, body, streams, options.rounds)
        small = folder / "small"
        shutil.copy(body, small)
        os.truncate(small, min(body.stat().st_size, 16 << 20))
        send(servers[OURS], small, MANY_STREAMS)
        peak = memory_peak_mb(servers[OURS].pid)
        print(f"  {MANY_STREAMS} streams: peak memory of the service {peak:.0f} MB   target <= 250 MB", flush=True)


if __name__ == "__main__":
    main()
