"""What goes into an excerpt: which chunks of the original, which seconds they are for, and what lies beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evidence.core.digest import CHUNK_BYTES
from evidence.verify.excerpt_statement import RUNS_MAX, Span, Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What goes into an excerpt.

    Attributes:
        asked: The seconds that were asked for.
        shown: The seconds that can be shown, from the key frame before; None when nobody knows.
        chunks: Runs of chunks as (first, stop), rising, with a gap between any two.
        further: Seconds asked for besides, behind `asked` and in order, and what can be shown of them.
        cut: The playable copy, a file that the caller removes afterwards; None without one.
        cut_suffix: What the copy's name ends with, for example `.mp4`.
    """

    asked: Span
    shown: Span | None
    chunks: tuple[tuple[int, int], ...]
    further: tuple[Told, ...] = ()
    cut: Path | None = None
    cut_sha256: bytes = b""
    cut_suffix: str = ""


def chunk_runs(byte_runs: Sequence[tuple[int, int]], *, size: int) -> tuple[tuple[int, int], ...]:
    """Return the chunks that hold some bytes, as runs (first, stop) with a gap between any two.

    Where there would be more runs than a statement may have, the shortest gaps are taken along.

    Args:
        byte_runs: Bytes as (start, stop), in any order, overlapping or not; what lies beyond the file is cut off.
        size: Bytes of the file.
    """
    runs: list[tuple[int, int]] = []
    for start, stop in sorted((max(0, start), min(stop, size)) for start, stop in byte_runs):
        if start >= stop:
            continue
        first, behind = start // CHUNK_BYTES, -(-stop // CHUNK_BYTES)
        if runs and first <= runs[-1][1]:
            runs[-1] = (runs[-1][0], max(runs[-1][1], behind))
        else:
            runs.append((first, behind))
    return tuple(runs if len(runs) <= RUNS_MAX else _with_short_gaps(runs))


def _with_short_gaps(runs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    longest = sorted(range(1, len(runs)), key=lambda at: runs[at - 1][1] - runs[at][0])[: RUNS_MAX - 1]
    begins = [0, *sorted(longest)]
    return [(runs[at][0], runs[stop - 1][1]) for at, stop in zip(begins, [*begins[1:], len(runs)], strict=True)]
