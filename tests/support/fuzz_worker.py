"""A child that works through mutants until one takes it down: `python -m tests.support.fuzz_worker ...`.

Arguments: folder of seeds, an empty folder to work in, batch, first and last number, and every which mutant goes
through the whole pass. The others are looked at and decoded as far as they go, which is where foreign bytes meet
foreign code; what the whole pass adds is encoders fed with what came of it. Bound like the child of the service.

Each mutant gets a line with its number *before* it is touched, `done` is the last line, with what was seen: how many
results of which kind, and the largest memory. A mutant that takes longer than it may is ended by the clock.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
from collections import Counter
from pathlib import Path

from ingest.media.limits import GIBIBYTE, Limits, confine

SECONDS_MAX = 60
"""How long one mutant may take; a whole pass over such a file takes a tenth of a second."""

LIMITS = Limits(memory_bytes=2 * GIBIBYTE, cpu_seconds=900, output_bytes=256 * 1024 * 1024)


def main(seeds_in: Path, folder: Path, batch: int, first: int, last: int, whole_every: int) -> None:
    """Work through mutants `first` to `last`."""
    confine(LIMITS, parent=os.getppid())
    import av.logging

    from ingest.media.errors import MediaError
    from ingest.media.rendition import make_renditions
    from ingest.media.result import format_saying
    from tests.support.mutants import mutant, read_seeds

    av.logging.set_level(None)
    seeds, seen = read_seeds(seeds_in), Counter[str]()
    source, work = folder / "mutant", folder / "work"
    work.mkdir(exist_ok=True)
    descriptors = _open_files()
    for number in range(first, last + 1):
        print(number, flush=True)
        source.write_bytes(mutant(seeds, batch, number))
        signal.alarm(SECONDS_MAX)
        try:
            if number % whole_every == 0:
                made = make_renditions(source, work, threads=1, report=lambda n: None, tell=lambda f: None)
                format_saying(made)
                seen[f"whole:{made.outcome}"] += 1
            else:
                seen[_look(source)] += 1
        except MediaError as error:
            seen[error.code] += 1
        signal.alarm(0)
        for leftover in work.iterdir():
            leftover.unlink()
    gc.collect()
    assert _open_files() == descriptors, "descriptors are left open"
    print("done", json.dumps({"seen": seen, "memory": peak_memory()}), flush=True)


def peak_memory() -> int:
    """Return the most bytes of memory that this program had; `getrusage` would begin with what its parent had."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines())
    return int(status["VmHWM"].split()[0]) * 1024


def _look(source: Path) -> str:
    """Take the first steps of the pass: facts, decision, structure, and every packet decoded."""
    from av.error import FFmpegError

    from ingest.media.continuity.container import note_container
    from ingest.media.continuity.observation import Notebook
    from ingest.media.continuity.source import source_of
    from ingest.media.edits import edit_shifts
    from ingest.media.opening import opened
    from ingest.media.policy import decide
    from ingest.media.probe import probe

    notebook = Notebook()
    with source_of(source) as bytes_of:
        note_container(bytes_of, notebook)
        edit_shifts(bytes_of.read, bytes_of.size)
    decision = decide(probe(source))
    try:
        with opened(source) as container:
            for packet in container.demux():
                try:
                    if packet.stream.type in {"video", "audio"}:
                        packet.decode()
                except FFmpegError:
                    continue
    except FFmpegError:
        return "decoded:in part"
    return f"decoded:{decision.action.value}"


def _open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:]))
