"""Derivation in figures: everything that is made of a recording, beside FFmpeg making the review copy alone.

    python benchmarks/bench_derive.py [--seconds 60] [--rounds 3] [--source FILE]

| Part | What is measured | Target |
|---|---|---|
| derive | wall time of one clip, child process and all objects included, over the peer's | <= 1.15 |
| quality | SSIM of both copies against the source at their size, by the peer's own filter | equal |
| first still | time from the start of the work to the first poster in the service's hands | <= 2 s |

The peer is the static FFmpeg of the wheel imageio-ffmpeg, told the same x264 settings, size and AAC rate, writing one
progressive file. Ours decodes once as well and makes besides: poster, storyboard, waveform, speech segments, frame
index, playlist, continuity observations, and compares every packet with the bytes of the file. Rounds take turns, and
medians are compared. SSIM is taken picture by picture in order, with the same colour tags on both: ours states them,
the drawn source does not, and a filter that converts for the difference would measure that. The source, unless one is
given, is drawn by the peer: 1080p30 with motion, grain and a tone, H.264 of about 8 Mbit/s, and AAC.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import imageio_ffmpeg

sys.path.insert(0, str(Path(__file__).parents[1]))

from ingest.media.lanes import KEYFRAME_SECONDS_MAX, X264_OPTIONS
from ingest.media.result import EarlyStill, MediaResult
from ingest.media.runner import derive_media

RATIO_MAX = 1.15
STILL_SECONDS_MAX = 2.0
_SSIM = re.compile(r"SSIM .*All:([0-9.]+)")
_SCALE = "scale=-2:'min(720,ih)':flags=bicubic"
_SAME = "setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv,setpts=N/30/TB"
_DRAWN = "testsrc2=size=1920x1080:rate=30:duration={seconds},noise=alls=12:allf=t"


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=20, help="length of the source that is drawn")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--source", type=Path, help="a recording to use instead")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="shilu-bench-") as folder:
        source = wanted.source or _draw(Path(folder), wanted.seconds)
        _run(source, Path(folder), wanted.rounds)


def _run(source: Path, folder: Path, rounds: int) -> None:
    print(f"{platform.machine()}, {os.cpu_count()} cores; {source.name}, {source.stat().st_size} bytes")
    ours, peers, stills = [], [], []
    work, copy = folder / "work", folder / "peer.mp4"
    work.mkdir()
    for number in range(rounds):
        began = time.monotonic()
        result, still = asyncio.run(_derive(source, work))
        ours.append(time.monotonic() - began)
        stills.append(still)
        began = time.monotonic()
        _peer(source, copy, result)
        peers.append(time.monotonic() - began)
        print(f"round {number + 1}: ours {ours[-1]:.2f} s, peer {peers[-1]:.2f} s, first still after {still:.2f} s")
    made = {item.kind: item.path for item in result.objects}
    ratio = statistics.median(ours) / statistics.median(peers)
    still = statistics.median(stills)
    print(f"made: {', '.join(f'{kind} {path.stat().st_size}' for kind, path in made.items())}")
    print(f"derive: ours {statistics.median(ours):.2f} s, peer {statistics.median(peers):.2f} s, ratio {ratio:.2f}")
    for name, path in (("ours", made["proxy"]), ("peer", copy)):
        print(f"quality: {name} SSIM {_ssim(path, source)}, {path.stat().st_size} bytes")
    print(f"first still: {still:.2f} s")
    met = ratio <= RATIO_MAX and still <= STILL_SECONDS_MAX
    print(f"targets (ratio <= {RATIO_MAX}, still <= {STILL_SECONDS_MAX:.0f} s): {'met' if met else 'MISSED'}")


async def _derive(source: Path, work: Path) -> tuple[MediaResult, float]:
    began = time.monotonic()
    seen: list[float] = []

    async def look(_: EarlyStill) -> None:
        seen.append(time.monotonic() - began)

    result = await derive_media(source, work, on_early=look)
    return result, seen[0] if seen else float("inf")


def _peer(source: Path, target: Path, result: MediaResult) -> None:
    """Make the review copy alone, as our own parameters say it was made."""
    options = [word for name, value in X264_OPTIONS.items() for word in (f"-{name}:v", value)]
    keys = f"expr:gte(t,n_forced*{KEYFRAME_SECONDS_MAX})"
    threads = ["-threads", str(result.parameters["threads"])]
    _ffmpeg(
        *threads, "-i", str(source), "-map", "0:v:0", "-map", "0:a:0?", "-vf", _SCALE,
        "-c:v", "libx264", *options, *threads, "-pix_fmt", "yuv420p", "-flags", "+cgop", "-force_key_frames", keys,
        "-fps_mode", "passthrough", "-c:a", "aac", "-b:a", "128k", "-movflags", "+faststart", str(target),
    )  # fmt: skip


def _ssim(copy: Path, source: Path) -> str:
    graph = f"[0:v]{_SAME}[made];[1:v]{_SCALE},{_SAME}[wanted];[made][wanted]ssim"
    said = _ffmpeg(
        "-i", str(copy), "-i", str(source), "-filter_complex", graph, "-fps_mode", "passthrough", "-f", "null", "-"
    )  # fmt: skip
    found = _SSIM.search(said)
    return found[1] if found else "unknown"


def _draw(folder: Path, seconds: int) -> Path:
    target = folder / "source.mp4"
    tone = f"sine=frequency=440:sample_rate=48000:duration={seconds}"
    _ffmpeg(
        "-f", "lavfi", "-i", _DRAWN.format(seconds=seconds), "-f", "lavfi", "-i", tone, "-c:v", "libx264",
        "-preset", "ultrafast", "-b:v", "8M", "-pix_fmt", "yuv420p", "-g", "30", "-c:a", "aac", str(target),
    )  # fmt: skip
    return target


def _ffmpeg(*words: str) -> str:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostdin", "-y", *words]
    ended = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if ended.returncode:
        raise SystemExit(f"the peer failed: {ended.stderr[-2000:]}")
    return ended.stderr


if __name__ == "__main__":
    main()
