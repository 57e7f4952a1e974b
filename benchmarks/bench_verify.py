"""Verifying a large original in figures: `shilu-verify` beside tools that make one digest.

    python benchmarks/bench_verify.py [--size MIB] [--rounds 3] [--folder /tmp]

An evidence folder of one original of that size is made and removed again; the targets are stated for 2048 MiB. Every
program runs as a process of its own, in turns, on a file that lies in the system's cache, so that processors are
measured and not the disk; medians are printed, the start of a program included.

| Figure | Target |
|---|---|
| ours / `sha256sum`, of the chunk tree (`--tree`) | >= 3 |
| ours / `openssl dgst -sha256`, of the chunk tree (`--tree`) | >= 1.5 |
| peak memory | the same for a small file and a large one |

Without `--tree` the digests of the whole file are compared too. SHA-256 of a whole file cannot be computed by two
processors at once, and `openssl dgst` does little else. So that way has a ceiling, however many processors there are:
it is printed, measured with the same library in one thread on bytes that lie in memory.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from evidence.core.digest import digest_file
from evidence.core.wire.clip_digest import digest_body
from tests.support.evidence_folder import NAME, EvidenceFolder
from tests.support.paper_log import PaperLog, sealed_payload

ROOT = Path(__file__).parents[1]
OURS = "shilu-verify --tree"
SMALL_MIB = 16
_CEILING_BYTES = 512 << 20
_LOOK_SECONDS = 0.005


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a program.

    Attributes:
        seconds: From its start to its end.
        processor: Processor time it spent, in seconds.
        peak_mb: Most memory it held.
    """

    seconds: float
    processor: float
    peak_mb: float


def run(command: list[str]) -> Run:
    """Run a program to its end.

    Raises:
        SystemExit: It failed.
    """
    started, peak_bytes = time.monotonic(), 0
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=ROOT)
    ended = 0
    while not ended:
        peak_bytes = max(peak_bytes, _peak_bytes(process.pid))
        time.sleep(_LOOK_SECONDS)
        ended, status, used = os.wait4(process.pid, os.WNOHANG)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[0]} ended with {process.returncode}")
    return Run(time.monotonic() - started, used.ru_utime + used.ru_stime, peak_bytes / 1e6)


def _peak_bytes(pid: int) -> int:
    """Return the most memory a running program had; what `wait4` tells begins with the peak of its parent."""
    try:
        about = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s+(\d+) kB", about)
    return int(found[1]) * 1024 if found else 0


def make_folder(folder: Path, *, mib: int) -> EvidenceFolder:
    """Write an honest evidence folder whose original has that size."""
    folder.mkdir()
    log, file = PaperLog(), folder / NAME
    with file.open("wb") as out:
        for _ in range(mib):
            out.write(os.urandom(1 << 20))
    payload = {**sealed_payload(b"x", name=NAME), **digest_body(digest_file(file))}
    made = EvidenceFolder(folder, log, log.record(payload))
    made.write_receipt(made.receipt)
    made.policy_file.write_text(f"log {made.vkey}\nquorum none\n")
    return made


def programs(made: EvidenceFolder) -> dict[str, list[str]]:
    """Return what is compared, ours first, leaving out what is not at hand."""
    verify = [sys.executable, "-m", "evidence.verify", "--quiet", "--log-key", made.vkey]
    found = {OURS: [*verify, "--tree", str(made.folder)], "shilu-verify": [*verify, str(made.folder)]}
    for name, words in {"sha256sum": ["sha256sum"], "openssl dgst": ["openssl", "dgst", "-sha256"]}.items():
        if shutil.which(words[0]):
            found[name] = [*words, str(made.file)]
    return found


def ceiling_mb_per_second() -> float:
    """Return how fast one thread makes the SHA-256 of bytes that lie in memory."""
    piece = memoryview(os.urandom(4 << 20))
    digest, started = hashlib.sha256(), time.process_time()
    for _ in range(_CEILING_BYTES // len(piece)):
        digest.update(piece)
    return _CEILING_BYTES / (time.process_time() - started) / 1e6


def main() -> None:
    """Run everything in a temporary folder."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=512, help="MiB of the original; the targets are stated for 2048")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path("/tmp"))
    options = parser.parse_args()
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, load before {load}")
    with tempfile.TemporaryDirectory(prefix="shilu-bench-", dir=options.folder) as name:
        small = run(programs(make_folder(Path(name) / "small", mib=SMALL_MIB))[OURS])
        commands = programs(made := make_folder(Path(name) / "large", mib=options.size))
        runs: dict[str, list[Run]] = {title: [] for title in commands}
        for _ in range(options.rounds):
            for title, command in commands.items():
                runs[title].append(run(command))
        size = made.file.stat().st_size
        rates = {title: size / statistics.median(one.seconds for one in of) / 1e6 for title, of in runs.items()}
        for title, of in runs.items():
            cost = statistics.median(one.processor for one in of) / size * 1e9
            ratio = "" if title.startswith("shilu") else f"   ours / {title} = {rates[OURS] / rates[title]:.2f}"
            print(f"  {title:<20} {rates[title]:>7.0f} MB/s  {cost:>5.2f} processor s/GB{ratio}", flush=True)
        ceiling = ceiling_mb_per_second()
        if "openssl dgst" in rates:
            ratio = f"{ceiling / rates['openssl dgst']:.2f} x openssl dgst"
            print(f"  whole-file SHA-256 alone, in memory: {ceiling:.0f} MB/s = {ratio}")
        large = max(one.peak_mb for one in runs[OURS])
        print(f"  peak memory {small.peak_mb:.0f} MB for {SMALL_MIB} MiB, {large:.0f} MB for {options.size} MiB")


if __name__ == "__main__":
    main()
