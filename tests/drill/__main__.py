"""The tamper drill: build a house, tamper with it in every way we know, and see whether anybody notices.

    python -m tests.drill [--trials N] [--seed N] [--kinds WORD ...] [--json]

Exit code 0: every trial was noticed, and the honest house gave no finding; 1: not so; 2: wrong arguments.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Sequence

from tests.drill.catalogue import chosen
from tests.drill.house import open_drill_house
from tests.drill.kinds import Kind
from tests.drill.running import HONEST_RUNS_MIN, Report, drill, plan
from tests.drill.table import as_json, render

_TRIALS = 2000
_ENTRIES, _CLIPS = 3000, 30
_REDRAW_SECONDS = 0.5


def main(argv: Sequence[str] | None = None) -> int:
    """Run the drill and return its exit code."""
    options = _parser().parse_args(argv)
    kinds = chosen(options.kinds)
    if not kinds:
        sys.stderr.write("no kind of tampering has such a name\n")
        return 2
    started = time.monotonic()
    report = asyncio.run(_drill(kinds, trials=options.trials, seed=options.seed))
    seconds = time.monotonic() - started
    if options.json:
        sys.stdout.write(json.dumps(as_json(report, seconds=seconds), ensure_ascii=False, indent=2) + "\n")
    else:
        sys.stdout.write(render(report, seconds=seconds))
    return 0 if report.holds else 1


async def _drill(kinds: Sequence[Kind], *, trials: int, seed: int) -> Report:
    async with open_drill_house(entries=_ENTRIES, clips=_CLIPS, seed=seed) as house:
        planned = plan(kinds, trials)
        return await drill(house, planned, seed=seed, honest_runs=HONEST_RUNS_MIN, progress=_Meter())


class _Meter:
    """Draws progress on a terminal, and nothing where nobody looks."""

    def __init__(self) -> None:
        self._drawn = 0.0

    def __call__(self, done: int, of: int) -> None:
        if not sys.stderr.isatty() or (done < of and time.monotonic() - self._drawn < _REDRAW_SECONDS):
            return
        self._drawn = time.monotonic()
        sys.stderr.write(f"\r\x1b[K{done} of {of} trials" if done < of else "\r\x1b[K")
        sys.stderr.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.drill", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--trials", type=_count, default=_TRIALS, help=f"trials in all (default: {_TRIALS})")
    parser.add_argument("--seed", type=int, default=1, help="seed of house and positions (default: 1)")
    parser.add_argument("--kinds", nargs="+", default=[], metavar="WORD", help="only kinds with one of these words")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def _count(text: str) -> int:
    if (count := int(text)) < 1:
        raise argparse.ArgumentTypeError("at least one trial")
    return count


if __name__ == "__main__":
    sys.exit(main())
