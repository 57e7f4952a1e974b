"""Evidence packages: how fast an archive is written, beside `cp` of the same bytes in the same run.

    python benchmarks/bench_export.py [--size MIB] [--files 4] [--folder DIR] [--json]

Originals of random bytes are packed as the service does it, every chunk held against its leaf, CRC-32 computed, all
of it synced; `cp` copies the same originals and syncs; a package is written as a folder. Order: cp, archive, folder, cp
again; the better cp counts, so that a cache that is warm for one of us is not taken for speed.

| Figure | Target |
|---|---|
| `archive`: rate / rate of `cp` and `sync` | >= 0.80 |
| `folder`: the same | >= 0.80 |
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
from collections.abc import Callable
from pathlib import Path

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


def plan_of(paths: list[Path]) -> tuple[Plan, dict[bytes, Path]]:
    """Return a package of the originals, and where each lies."""
    members, places = [small("bagit.txt", b"x" * 100)], {}
    for path in paths:
        name = hashlib.sha256(path.name.encode()).digest()
        size, leaves = path.stat().st_size, leaf_hashes(path)
        source = Stored(sha256=name, leaves=b"".join(leaves), size=size, runs=((0, len(leaves)),))
        members.append(Member(path=f"data/{path.name}", size=size, sha256=name, sm3=None, source=source))
        places[name] = path
    return Plan("package", tuple(members)), places


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that some work takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def copy(paths: list[Path], target: Path) -> None:
    """Copy as people do, and bring it to the disk."""
    target.mkdir()
    subprocess.run(["cp", "--reflink=never", *paths, target], check=True)
    subprocess.run(["sync", "-f", target], check=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=1024, help="MiB in all")
    parser.add_argument("--files", type=int, default=4)
    parser.add_argument("--folder", type=Path, default=None, help="on the disk that is measured")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as made:
        root = Path(made)
        paths = make_originals(root, files=options.files, size=options.size * MIB)
        plan, places = plan_of(paths)
        stop = threading.Event()
        copies = [timed(lambda: copy(paths, root / "cp"))]
        shutil.rmtree(root / "cp")
        archive = timed(lambda: write_archive(plan, root / "p.zip", locate=places.__getitem__, stop=stop))
        (root / "p.zip").unlink()
        folder = timed(lambda: write_package_folder(plan, root / "f", locate=places.__getitem__, stop=stop))
        shutil.rmtree(root / "f")
        copies.append(timed(lambda: copy(paths, root / "cp")))
    rates = {
        name: options.size / seconds
        for name, seconds in (("cp", min(copies)), ("archive", archive), ("folder", folder))
    }
    result = {
        "machine": platform.platform(),
        "mib": options.size,
        "mib_per_second": {name: round(rate) for name, rate in rates.items()},
        "ratio": {name: round(rates[name] / rates["cp"], 2) for name in ("archive", "folder")},
        "target": 0.80,
    }
    if options.json:
        print(json.dumps(result))
        return
    for name, rate in rates.items():
        print(f"{name:8} {rate:8.0f} MiB/s  {rate / rates['cp']:5.2f} of cp")


if __name__ == "__main__":
    main()
