"""Mutated containers by the thousand: whatever comes in, a result or a word of ours comes out, never a stray exception.

One process works through a batch, so that a decoder that crashes takes no test with it. A crash is counted and allowed
(the runner answers for it, see test_runner), an exception of any other kind than `MediaError` is a bug of ours.
"""

from __future__ import annotations

import random
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.media import Film, Sound, write
from tests.support.rounds import rounds

BATCHES, MUTANTS_PER_BATCH = rounds(everyday=15, soak=100), 200
QUICK_MUTANTS = 50

FILM = Film(size=(96, 64), options={"preset": "ultrafast", "qp": "30"}, times_ms=range(0, 800, 40), keyframe_every=5)
SOUND = Sound(pieces_ms=[(0, 800)])

WORKER = textwrap.dedent("""
    import os, sys
    from pathlib import Path
    from ingest.media.limits import GIBIBYTE, Limits, confine
    confine(Limits(memory_bytes=2 * GIBIBYTE, cpu_seconds=600), parent=os.getppid())
    import av.logging
    from ingest.media.errors import MediaError
    from ingest.media.rendition import make_renditions
    from ingest.media.result import format_saying
    av.logging.set_level(None)
    folder = Path(sys.argv[1])
    work = folder / "work"
    work.mkdir()
    for path in sorted(folder.glob("*.mutant")):
        print(path.name, flush=True)
        try:
            format_saying(make_renditions(path, work, threads=2, report=lambda n: None, tell=lambda f: None))
        except MediaError:
            pass
        for leftover in work.iterdir():
            leftover.unlink()
    print("done", flush=True)
""")


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    folder = tmp_path_factory.mktemp("seeds")
    faststart = {"movflags": "+faststart"}
    mpeg4 = replace(FILM, codec="mpeg4", options={})
    turned = replace(FILM, matrix=(0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000))
    quiet = {"x265-params": "log-level=0"}
    return [
        write(folder / "a", film=FILM, sound=SOUND).read_bytes(),
        write(folder / "b", film=turned, sound=SOUND, muxer=faststart, tags={"title": "t"}).read_bytes(),
        write(folder / "c", film=FILM, sound=SOUND, muxer={"movflags": "+frag_keyframe+empty_moov"}).read_bytes(),
        write(folder / "d", film=replace(FILM, codec="libx265", options=quiet), muxer=faststart).read_bytes(),
        write(folder / "e", film=FILM, sound=SOUND, container="mpegts").read_bytes(),
        write(folder / "f", film=mpeg4, sound=replace(SOUND, codec="mp2"), container="avi").read_bytes(),
        write(folder / "g", film=FILM, sound=replace(SOUND, codec="flac"), container="matroska").read_bytes(),
        write(folder / "h", sound=SOUND, container="ipod").read_bytes(),
        write(folder / "i", sound=replace(SOUND, codec="pcm_alaw", sample_rate=8000), container="mov").read_bytes(),
        write(
            folder / "j", film=replace(mpeg4, codec="mjpeg", pixel_format="yuvj420p"), container="mjpeg"
        ).read_bytes(),
    ]


def mutant(raw: bytes, chance: random.Random) -> bytes:
    """Return the bytes with a few things wrong, most often in the head, where the structure is."""
    data = bytearray(raw)
    for _ in range(chance.choice([1, 1, 2, 5, 20])):
        reach = chance.choice([64, 512, 4096, len(data)])
        tail = chance.random() < 0.4
        at = chance.randrange(max(1, min(reach, len(data))))
        at = max(0, len(data) - 1 - at) if tail else at
        match chance.randrange(7):
            case 0:
                data[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                data[at : at + 4] = chance.choice([b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\0\0\0\1"])
            case 2:
                data[at : at + chance.randrange(1, 64)] = b""
            case 3:
                data[at:at] = chance.randbytes(chance.randrange(1, 64))
            case 4:
                other = chance.randrange(max(1, len(data)))
                data[at : at + 32] = data[other : other + 32]
            case 5:
                del data[max(at, 64) :]
            case _:
                data[at : at + 8] = chance.randbytes(8)
    return bytes(data)


def run_batch(folder: Path, mutants: list[bytes]) -> int:
    """Work through a batch, restarting behind each crash; return how many crashed."""
    crashes = 0
    for number, raw in enumerate(mutants):
        (folder / f"{number:04}.mutant").write_bytes(raw)
    while True:
        ended = subprocess.run(
            [sys.executable, "-I", "-c", WORKER, folder], capture_output=True, text=True, timeout=600, check=False
        )
        lines = ended.stdout.splitlines()
        if lines and lines[-1] == "done":
            return crashes
        assert ended.returncode < 0, f"{lines[-1:]}: {ended.stderr[-3000:]}"
        crashes += 1
        assert crashes < len(mutants)
        for name in lines:
            (folder / name).unlink()
        for leftover in (folder / "work").iterdir():
            leftover.unlink()
        (folder / "work").rmdir()


def test_a_handful_of_mutants(seeds: list[bytes], tmp_path: Path) -> None:
    chance = random.Random(0)
    run_batch(tmp_path, [mutant(seeds[number % len(seeds)], chance) for number in range(QUICK_MUTANTS)])


@pytest.mark.slow
@pytest.mark.parametrize("batch", range(1, BATCHES + 1))
def test_fuzz_mutants(seeds: list[bytes], tmp_path: Path, batch: int) -> None:
    chance = random.Random(batch)
    mutants = [mutant(chance.choice(seeds), chance) for _ in range(MUTANTS_PER_BATCH)]
    print("crashes:", run_batch(tmp_path, mutants))
