"""An excerpt of thirty seconds in figures: how long it takes, and how little of the original it reads.

    python benchmarks/bench_excerpt.py [--minutes 120] [--rounds 5]

Everything is real: PostgreSQL, a sealed original on disk, its kept leaves, its frame index, a published log. The film
is one of thirty seconds that is repeated by copying packets; `--minutes 120` makes the length the target is stated for
and takes some 5 GB below /tmp. By default it is short.

| Line | What is measured | Target |
|---|---|---|
| proof | the folder with chunks, proofs and receipt, without a playable copy | |
| with a cut | the same with the playable copy, made by a child process | <= 1 s at 120 minutes |
| whole file | hashing all of the original, which somebody without a chunk tree has to do | the ratio |
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from evidence.db.embedded import EmbeddedPostgres
from evidence.db.pool import open_pool
from evidence.export.clip import Exporter
from evidence.verify.hashing import hash_file
from ingest.excerpts import Wish, make_excerpt
from ingest.media.frame_format import write_frames
from ledger.canonical import JsonObject
from tests.support.clock import SeededEntropy, SteppingClock
from tests.support.database import fresh_database, make_template
from tests.support.frame_indexes import index_of
from tests.support.media import Film, Plane, Sound, repeated, write
from tests.support.small_house import SmallHouse

SECONDS = 30


def noise(number: int, width: int, height: int) -> Plane:
    """Draw what no codec makes small, the same for the same number."""
    return np.random.default_rng(number).integers(0, 256, (height, width, 3), np.uint8)


def make_film(folder: Path, *, minutes: int) -> Path:
    """Write a film of that many minutes, some 2 Mbit/s, a key frame every two seconds."""
    times = range(0, SECONDS * 1000, 40)
    film = Film(size=(320, 240), times_ms=times, options={"b": "2000000", "preset": "ultrafast"}, keyframe_every=50)
    sound = Sound(sample_rate=48_000, pieces_ms=((0, SECONDS * 1000),))
    short = write(folder / "short.mp4", film=film, sound=sound, draw=noise)
    return repeated(short, folder / "long.mp4", minutes * 60 // SECONDS)


async def sealed(house: SmallHouse, film: Path) -> Wish:
    """Seal the film, derive its frame index, publish, and return what is wished for: thirty seconds of its middle."""
    await house.furnish()
    index = index_of(film)
    clip = await house.seal("long.mp4", film.read_bytes())
    raw = write_frames(index)
    made: JsonObject = {
        "kind": "frames",
        "sha256": house.objects.put(raw),
        "size": len(raw),
        "media_type": "application/octet-stream",
    }
    derived: JsonObject = {
        "clip": str(clip),
        "attempt": 1,
        "outcome": "reviewable",
        "reason": None,
        "tools": {},
        "parameters": {},
        "probe": {},
        "objects": [made],
    }
    await house.write("clip.derived", f"clip:{clip}", derived)
    await house.publish()
    units = sum(map(len, index.tracks))
    print(f"original: {index.size / 1e6:,.0f} MB, {units:,} access units, index {len(raw) / 1e6:.2f} MB")
    middle = int(max(index.seconds(track, track.pts[-1]) for track in index.tracks) * 500)
    return Wish(
        clip=clip, from_ms=middle, to_ms=middle + SECONDS * 1000, purpose="litigation", actor="service", cut=False
    )


async def timed(rounds: int, work: Callable[[int], Awaitable[object]]) -> float:
    """Return the median of some rounds in seconds; one before them warms up."""
    seconds = []
    for number in range(rounds + 1):
        begun = time.perf_counter()
        await work(number)
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds[1:])


async def measure(house: SmallHouse, film: Path, *, rounds: int) -> None:
    """Print the figures."""
    wish = await sealed(house, film)
    exporter = Exporter(house.pool, house.reader, house.objects, house.policy, house.clock, house.entropy)

    def making(name: str, *, cut: bool) -> Callable[[int], Awaitable[object]]:
        wanted = Wish(
            clip=wish.clip, from_ms=wish.from_ms, to_ms=wish.to_ms, purpose=wish.purpose, actor=wish.actor, cut=cut
        )
        place = house.root / "excerpts"
        place.mkdir(exist_ok=True)
        return lambda number: make_excerpt(
            exporter, wanted, target=place / f"{name}-{number}", workspace=house.root / "work"
        )

    proof = await timed(rounds, making("proof", cut=False))
    both = await timed(rounds, making("cut", cut=True))
    whole = await timed(rounds, lambda _: asyncio.to_thread(hash_file, film))
    print(f"proof         {proof * 1000:8.0f} ms")
    print(f"with a cut    {both * 1000:8.0f} ms   target <= 1000 ms for two hours")
    print(f"whole file    {whole * 1000:8.0f} ms   ratio {whole / both:.1f}")


async def main(*, minutes: int, rounds: int) -> None:
    """Build the house, measure, and remove it."""
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; {minutes} minutes of film"
    )
    folder = Path(tempfile.mkdtemp(prefix="shilu-bench-"))
    folder.chmod(0o711)
    try:
        film = make_film(folder, minutes=minutes)
        with EmbeddedPostgres(folder / "postgres") as server:
            await make_template(server)
            async with fresh_database(server) as dsn, open_pool(dsn, program="bench") as pool:
                (folder / "house").mkdir()
                house = SmallHouse(
                    pool=pool, dsn=dsn, root=folder / "house", clock=SteppingClock(), entropy=SeededEntropy(1)
                )
                try:
                    await measure(house, film, rounds=rounds)
                finally:
                    await house.sequencer.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, default=4, help="length of the film (default: 4; the target: 120)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds per figure (default: 3)")
    options = parser.parse_args()
    asyncio.run(main(minutes=options.minutes, rounds=options.rounds))
