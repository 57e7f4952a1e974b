"""Mutated containers by the thousand: whatever comes in, a result or a word of ours comes out, never a stray exception.

Twenty thousand are decoded in the slow tier, a share of them through the whole pass, in children that are bound as
the service's are (`tests/support/fuzz_worker`). A child that a decoder takes down is counted and allowed: the runner
answers for it (`test_runner`), and the next child goes on behind that mutant. A stray exception, a mutant that takes
longer than it may, a file left behind, or memory that grows without bound fails, and the mutant is kept.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.fuzz_worker import SECONDS_MAX
from tests.support.mutants import mutant, read_seeds, write_seeds
from tests.support.rounds import rounds

ROOT = Path(__file__).parents[4]
BATCHES, MUTANTS_PER_BATCH = 40, 500
WHOLE_EVERY = rounds(everyday=20, soak=1)
"""Every which mutant goes through the whole pass; the others are looked at and decoded."""

QUICK_MUTANTS = 60
CRASHES_MAX = 25
MEMORY_BYTES_MAX = 1_000_000_000


@dataclass
class Tally:
    """What a batch came to."""

    crashes: list[int] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    memory: int = 0


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("seeds")
    write_seeds(folder)
    return folder


def run_batch(seeds: Path, folder: Path, batch: int, count: int, whole_every: int) -> Tally:
    """Work through a batch, going on behind each crash."""
    tally, first = Tally(), 1
    while first <= count:
        command = [sys.executable, "-m", "tests.support.fuzz_worker", seeds, folder, batch, first, count, whole_every]
        ended = subprocess.run(list(map(str, command)), cwd=ROOT, capture_output=True, text=True, check=False)
        lines = ended.stdout.splitlines()
        if lines and lines[-1].startswith("done "):
            told = json.loads(lines[-1].removeprefix("done "))
            tally.seen.update(told["seen"])
            tally.memory = max(tally.memory, told["memory"])
            break
        number = int(lines[-1]) if lines else first
        kept = folder / f"{batch}-{number}.mutant"
        kept.write_bytes(mutant(read_seeds(seeds), batch, number))
        what = f"mutant {number} of batch {batch}, kept as {kept}"
        assert ended.returncode != -14, f"{what}, took longer than {SECONDS_MAX} s"
        assert ended.returncode < 0, f"{what}: {ended.stderr[-3000:]}"
        tally.crashes.append(number)
        assert len(tally.crashes) <= CRASHES_MAX, f"{what}, and {tally.crashes} crashed"
        first = number + 1
    # What a crash leaves in a work folder is the service's to clear; without one there is nothing.
    left = {path.name for path in folder.iterdir()} - {f"{batch}-{number}.mutant" for number in tally.crashes}
    assert left == {"mutant", "work"}
    assert tally.crashes or not any((folder / "work").iterdir())
    assert tally.memory < MEMORY_BYTES_MAX
    return tally


def test_a_mutant_is_the_same_every_time(seeds: Path) -> None:
    raw = read_seeds(seeds)
    made = [mutant(raw, 0, number) for number in range(50)]
    assert made == [mutant(raw, 0, number) for number in range(50)]
    assert len(set(made)) > 45


def test_a_handful_of_mutants(seeds: Path, tmp_path: Path) -> None:
    tally = run_batch(seeds, tmp_path, 0, QUICK_MUTANTS, 10)
    assert sum(tally.seen.values()) + len(tally.crashes) == QUICK_MUTANTS
    assert any(kind.startswith("decoded:") for kind in tally.seen), "else nothing was tried"
    assert any(kind.startswith("whole:") for kind in tally.seen)


@pytest.mark.slow
@pytest.mark.parametrize("batch", range(1, BATCHES + 1))
def test_fuzz_mutants(seeds: Path, tmp_path: Path, batch: int) -> None:
    tally = run_batch(seeds, tmp_path, batch, MUTANTS_PER_BATCH, WHOLE_EVERY)
    print("crashes:", tally.crashes, "memory:", tally.memory, dict(tally.seen))
