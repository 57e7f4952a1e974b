"""Continuity observations in figures: which alterations are seen, and what intact files are charged with.

    python benchmarks/bench_continuity.py [--footage FOLDER]

Intact recordings of many makes are written (containers, codecs, B-pictures, open groups, fragments, variable rate), and
real cameras' files are taken from `--footage` (by default the shared folder beside the checkout, if there is one). Each
is altered in every way that fits it, and observed before and after. All times are closed up and all containers are
written anew, so that only what nobody thinks of can tell.

| Kind | What was done |
|---|---|
| cut to a part | packets copied from one full picture to a later one, nothing encoded |
| middle cut out | one group of pictures and its sound left out, nothing encoded |
| picture dropped | one picture that is no full one left out |
| full picture dropped | one full picture in the middle left out |
| joined | the same recording put behind itself |
| re-encoded | pictures decoded and coded anew, other container writer |
| re-muxed | packets copied, nothing else |
| time changed | the film's time of creation set back by a day, the tracks' left |
| times changed | all of them set back by a day |
| appended | a thousand bytes behind the end |

`high` counts files with an observation that weighs high and that the intact file does not have, `notice` those with any
that is more than information; `total` is how many such files could be made. What cannot be seen is counted as not seen:
a clean re-encoding, a consistent change of all times and a cut at a full picture leave nothing inside the file (what
finds those is the ledger, from the moment of sealing, and the comparison with the recorder's neighbours).
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import av

from ingest.media.continuity.codes import CODES
from ingest.media.continuity.meaning import Severity
from ingest.media.continuity.observe import observe
from tests.support.continuity import MAKES
from tests.support.manipulated import EDITS, Unsuitable, appended, edited, joined, re_encoded, times_changed
from tests.support.shared import SHARED

Alter = Callable[[Path, Path], object]
# Broken or altered by their makers, or no film.
NOT_INTACT = ("damaged", "axis-signed-modified-frame-137.mp4", "README.md")


def kinds() -> Mapping[str, Alter]:
    """Return every kind of alteration."""
    return {
        **{name: partial(_edited, name) for name in EDITS},
        "joined": lambda source, target: joined(source, source, target),
        "re-encoded": re_encoded,
        "time changed": partial(times_changed, everywhere=False),
        "times changed": partial(times_changed, everywhere=True),
        "appended": appended,
    }


def _edited(name: str, source: Path, target: Path) -> Path:
    return edited(source, target, EDITS[name])


def seen(path: Path) -> tuple[set[str], set[str]]:
    """Return the codes that weigh high, and those that are more than information."""
    counts = observe(path, lambda read: None).notebook.counts
    high = {code for code in counts if CODES[code].severity is Severity.HIGH}
    return high, {code for code in counts if CODES[code].severity is not Severity.INFO}


def recordings(folder: Path, footage: Path | None) -> Iterator[Path]:
    """Yield intact recordings: of every make, dated as recorders do, and of real cameras."""
    for number, make in enumerate(MAKES.values()):
        yield make.write(folder / f"{number}{make.suffix}")
    for path in sorted(footage.rglob("*")) if footage is not None and footage.is_dir() else ():
        if path.is_file() and not set(NOT_INTACT) & set(path.parts):
            yield path


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="which alterations the continuity observations see")
    parser.add_argument("--footage", type=Path, default=SHARED / "footage")
    footage = parser.parse_args().footage
    print(f"{platform.machine()}, Python {platform.python_version()}, PyAV {av.__version__}")
    high, notice, total = Counter[str](), Counter[str](), Counter[str]()
    false, intact, packets, spent = Counter[str](), 0, 0, 0.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for source in recordings(folder, footage):
            intact += 1
            started = time.perf_counter()
            packets += observe(source, lambda read: None).packets
            spent += time.perf_counter() - started
            before = seen(source)
            false.update(before[0])
            for kind, alter in kinds().items():
                target = folder / f"altered{source.suffix}"
                target.unlink(missing_ok=True)
                try:
                    alter(source, target)
                except (Unsuitable, av.error.FFmpegError):
                    continue
                after = seen(target)
                total[kind] += 1
                high[kind] += bool(after[0] - before[0])
                notice[kind] += bool(after[1] - before[1])
    print(f"{'kind':<26}{'high':>8}{'notice':>8}{'total':>8}")
    for kind in kinds():
        print(f"{kind:<26}{high[kind]:>8}{notice[kind]:>8}{total[kind]:>8}")
    alarms = sum(false.values())
    print(f"intact recordings {intact}, high among them {alarms}{' ' + str(dict(false)) if alarms else ''}   target 0")
    print(f"observing alone: {packets} packets, {spent * 1e6 / max(packets, 1):.0f} microseconds a packet")


if __name__ == "__main__":
    main()
