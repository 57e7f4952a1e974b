"""Evidence packages: how fast an archive is written, beside `cp` of the same bytes in the same run.

    python benchmarks/bench_export.py [--size MIB] [--files 4] [--times 1] [--rounds 3] [--order cp,folder]
                                      [--folder DIR] [--json]

Originals of random bytes are packed as the service does it, every chunk held against its leaf, CRC-32 computed, all
of it synced; `cp` copies the same originals and syncs; a package is written as a folder. Order: cp, archive, folder, cp
again, and that several times; medians are compared. What this machine needs to hash and to write at all is told beside
it, as a floor: a leaf is SHA-256, the archive has CRC-32; SM3 is what is on record and not computed here.

| Figure | Target |
|---|---|
| `archive`: rate / rate of `cp` and `sync` | >= 0.80 |
| `folder`: the same | >= 0.80 |

`bound` is no package: `cp` and `sync` while two threads take SHA-256 of as many bytes that lie in memory. Whoever
copies and checks every byte cannot be much faster than that here; where it is below the target, so is everything.

A package far larger than memory waits for the disk instead. With `--times 2` each original is enclosed twice, so 50 GB
need 75 GB of room and not 100: `--size 47684 --files 12 --times 2 --rounds 1 --order cp,folder,archive,cp`. As long as
the originals alone are larger than memory, they come from the disk each time.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1]))

from evidence.core.digest import leaf_hashes
from evidence.export.archive import write_archive, write_package_folder
from evidence.export.members import Member, Plan, Stored, small

MIB = 1024 * 1024


def make_originals(folder: Path, *, files: int, size: int) -> list[Path]:
    """Write originals of random bytes."""
    paths = [folder / f"original-{number}" for number in range(files)]
    for path in paths:
        with path.open("wb") as file:
            for _ in range(size // files // MIB):
                file.write(os.urandom(MIB))
            os.fsync(file.fileno())
    return paths


def plan_of(paths: list[Path], *, times: int) -> tuple[Plan, dict[bytes, Path]]:
    """Return a package of the originals, each enclosed some times, and where each lies."""
    members, places = [small("bagit.txt", b"x" * 100)], {}
    for path in paths:
        name = hashlib.sha256(path.name.encode()).digest()
        size, leaves = path.stat().st_size, leaf_hashes(path)
        source = Stored(sha256=name, leaves=b"".join(leaves), size=size, runs=((0, len(leaves)),))
        places[name] = path
        members += [
            Member(path=f"data/{turn}/{path.name}", size=size, sha256=name, sm3=None, source=source)
            for turn in range(times)
        ]
    members.sort(key=lambda member: member.path)
    return Plan("package", tuple(members)), places


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that some work takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def floors() -> dict[str, int]:
    """Return what one processor hashes, in MiB/s."""
    data = memoryview(bytearray(os.urandom(16 * MIB)))
    found: dict[str, int] = {}
    for name, work in (
        ("sha256", lambda: hashlib.sha256(data).digest()),
        ("crc32", lambda: zlib.crc32(data)),
        ("sm3", lambda: hashlib.new("sm3", data).digest()),
    ):
        if name in {"crc32", *hashlib.algorithms_available}:
            found[name] = round(16 / timed(work))
    return found


def copy(paths: list[Path], target: Path, *, times: int) -> None:
    """Copy as people do, and bring it to the disk."""
    for turn in range(times):
        (target / str(turn)).mkdir(parents=True)
        subprocess.run(["cp", "--reflink=never", *paths, target / str(turn)], check=True)
    subprocess.run(["sync", "-f", target], check=True)


def bound(paths: list[Path], target: Path, *, times: int, size: int) -> None:
    """Copy, and hash as many bytes beside it."""
    data = memoryview(bytearray(MIB))

    def hashing() -> None:
        for _ in range(size // MIB // 2):
            hashlib.sha256(data).digest()

    threads = [threading.Thread(target=hashing) for _ in range(2)]
    for thread in threads:
        thread.start()
    copy(paths, target, times=times)
    for thread in threads:
        thread.join()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=1024, help="MiB in all")
    parser.add_argument("--files", type=int, default=4)
    parser.add_argument("--times", type=int, default=1, help="how often each original is enclosed")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--order", default="cp,bound,archive,folder", help="what is timed in a round, one after the other"
    )
    parser.add_argument("--folder", type=Path, default=None, help="on the disk that is measured")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as made:
        root = Path(made)
        paths = make_originals(root, files=options.files, size=options.size // options.times * MIB)
        plan, places = plan_of(paths, times=options.times)
        stop = threading.Event()
        made_at = root / "made"
        works: dict[str, Callable[[], object]] = {
            "cp": partial(copy, paths, made_at, times=options.times),
            "bound": partial(bound, paths, made_at, times=options.times, size=options.size * MIB),
            "archive": partial(write_archive, plan, made_at, locate=places.__getitem__, stop=stop),
            "folder": partial(write_package_folder, plan, made_at, locate=places.__getitem__, stop=stop),
        }
        seconds: dict[str, list[float]] = {}
        for name in options.order.split(",") * options.rounds:
            seconds.setdefault(name, []).append(timed(works[name]))
            if made_at.is_dir():
                shutil.rmtree(made_at)
            else:
                made_at.unlink()
    rates = {name: options.size / median(taken) for name, taken in seconds.items()}
    result = {
        "machine": platform.platform(),
        "mib": options.size,
        "rounds": options.rounds,
        "mib_per_second": {name: round(rate) for name, rate in rates.items()},
        "floor_mib_per_second": floors(),
        "ratio": {name: round(rates[name] / rates["cp"], 2) for name in rates if name != "cp"},
        "seconds": {name: [round(one, 1) for one in taken] for name, taken in seconds.items()},
        "target": 0.80,
    }
    if options.json:
        print(json.dumps(result))
        return
    for name, rate in rates.items():
        print(f"{name:8} {rate:8.0f} MiB/s  {rate / rates['cp']:5.2f} of cp")
    for name, rate in result["floor_mib_per_second"].items():
        print(f"{name:8} {rate:8} MiB/s on one processor")


if __name__ == "__main__":
    main()
