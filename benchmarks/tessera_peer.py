"""The peer of `bench_ledger.py`: Tessera's POSIX driver, built from `benchmarks/tessera` where Go is at hand.

What is comparable, by Tessera v1.0.4's `storage/posix` (its README and `file_ops.go`):

| | ours | Tessera |
|---|---|---|
| an entry is accepted when | its transaction is committed with fsync | its batch is integrated, its files are synced |
| tiles, bundles | written, fsync, linked, folder synced | written with O_SYNC, linked, folder synced |
| state | rows in PostgreSQL, one commit for each batch | one file, replaced and synced for each batch |
| checkpoint | one for each batch, recorded, replaced, synced | replaced, synced, every 100 ms at most (its least) |
| batches | 2,048 entries or 20 ms | the same |
| deduplication | by primary key | none (antispam off) |
| who appends | another process, 4 connections, 50 entries a commit | the same process, 4,096 entries outstanding |

So both sides lose nothing to a power cut once they have answered, and the clock runs from the first entry handed in to
the signed checkpoint that covers the last one. Not comparable: ours stores every entry twice (rows and files), with the
caller's own rows in the same transaction, survives the loss of all files, and lets processes on other hosts append;
theirs needs no database, and does all in one compiled process. The ratio says what those properties cost.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

_SOURCE = Path(__file__).with_name("tessera") / "main.go"
_PEER = "github.com/transparency-dev/tessera@v1.0.4"
_BUILD_SECONDS_MAX = 600
_RUN_SECONDS_MAX = 1800


class PeerAbsent(Exception):
    """The peer cannot be run here; the text says why."""


def build(folder: Path) -> Path:
    """Build the peer's program in a folder and return its path.

    Raises:
        PeerAbsent: There is no Go toolchain, or the modules cannot be fetched.
    """
    go = shutil.which("go")
    if go is None:
        raise PeerAbsent("no Go toolchain at hand")
    source, program = folder / "source", folder / "tessera-peer"
    source.mkdir(parents=True)
    shutil.copy(_SOURCE, source)
    # Everything else follows from the one version: Go takes the least versions that it asks for, checksums compared.
    for words in (
        ("mod", "init", "peer"),
        ("mod", "edit", f"-require={_PEER}"),
        ("mod", "tidy"),
        ("build", "-o", str(program), "."),
    ):
        try:
            ran = subprocess.run(
                [go, *words], cwd=source, capture_output=True, text=True, timeout=_BUILD_SECONDS_MAX, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise PeerAbsent("building took too long") from error
        if ran.returncode:
            raise PeerAbsent(f"it cannot be built: {(ran.stderr.strip() or 'no reason given').splitlines()[-1]}")
    return program


def append(program: Path, folder: Path, *, entries: int, entry_bytes: int, batch: int, batch_seconds: float) -> float:
    """Append to a fresh log in a folder; return the seconds until a checkpoint covered all entries."""
    folder.mkdir(parents=True)
    command = [
        *(str(program), "-folder", str(folder), "-entries", str(entries), "-entry-bytes", str(entry_bytes)),
        *("-batch", str(batch), "-batch-age", f"{batch_seconds * 1000:.0f}ms"),
    ]
    run = subprocess.run(command, capture_output=True, text=True, timeout=_RUN_SECONDS_MAX, check=True)
    return float(json.loads(run.stdout)["seconds"])
