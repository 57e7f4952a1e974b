"""Real cameras' files, whole through the child process, the outcome of each stated and its copy decoded again."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from ingest.media.result import MediaResult
from ingest.media.runner import derive_media
from ledger.canonical import canonical_json
from tests.support.media import Seen, see
from tests.support.shared import shared_folder

# file: outcome, action, size of the review copy, channels of its sound, whether damage is stated
EXPECTED: dict[str, tuple[str, str | None, tuple[int, int] | None, int, bool]] = {
    "corridor-139s-10fps-silent.mp4": ("reviewable", "keep", (768, 432), 0, False),
    "dashcam-vfr-5s.mp4": ("reviewable", "full", (1280, 720), 2, False),
    "gopro-karma.mp4": ("reviewable", "full", (854, 480), 2, False),
    "h263-nonutf8-tags.3gp": ("reviewable", "full", (384, 288), 1, False),
    "h264-1080p50-pcm.mov": ("reviewable", "full", (1280, 720), 2, False),
    "h264-aac.ts": ("reviewable", "full", (392, 300), 2, False),
    "iphone-hevc-hlg-rot90-editlist.mp4": ("reviewable", "full", (720, 1280), 2, False),
    "mpeg4-mp3.avi": ("reviewable", "full", (960, 400), 2, False),
    "nasa-speech-2v2a2s.mp4": ("reviewable", "full", (480, 270), 2, False),
    "signed/axis-original.mp4": ("reviewable", "full", (480, 640), 0, False),
    "signed/axis-signed.mp4": ("reviewable", "full", (480, 640), 0, False),
    "signed/axis-signed-modified-frame-137.mp4": ("reviewable", "full", (480, 640), 0, True),
    "damaged/ba_mw_d-intact.264": ("reviewable", "full", (176, 144), 0, False),
    # A lost picture leaves no trace in a decoder; finding it is the work of the continuity observations.
    "damaged/ba_mw_d-p-lost.264": ("reviewable", "full", (176, 144), 0, False),
    "damaged/ba_mw_d-idr-lost.264": ("reviewable", "full", (176, 144), 0, True),
    "damaged/mdat-too-long.mp4": ("reviewable", "full", (1080, 720), 1, True),
    "damaged/truncated-after-moov.m4b": ("undecodable", "audio-only", None, 0, True),
    "README.md": ("undecodable", None, None, 0, True),
}


def test_every_file_of_the_folder_has_an_expected_outcome() -> None:
    root = shared_folder("footage")
    assert {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
async def test_each_file_comes_out_as_expected(name: str, tmp_path: Path) -> None:
    source = shared_folder("footage", *name.split("/"))
    outcome, action, size, channels, damaged = EXPECTED[name]
    result = await derive_media(source, tmp_path)
    canonical_json(result.probe)
    canonical_json(result.parameters)
    assert result.outcome == outcome
    assert result.parameters.get("action") == action
    assert (result.reason is not None) is damaged, result.reason
    if outcome == "undecodable":
        # What is no recording at all is not observed either.
        assert [item.kind for item in result.objects] == ["continuity"] * (action is not None)
        return
    made = {item.kind: item for item in result.objects}
    assert set(made) >= {"proxy", "poster", "frames", "continuity"}
    seen, poster = see(made["proxy"].path), see(made["poster"].path)
    _check_copy(seen, size, channels)
    if action == "full":
        assert (seen.colours, "sliced_threads=0" in seen.encoder) == ((1, 1, 1, 1), True)
    assert poster.size == size
    _check_times(source, seen, result)


def _check_copy(seen: Seen, size: tuple[int, int] | None, channels: int) -> None:
    assert (seen.codec, seen.pixel_format, seen.size, seen.turned) == ("h264", "yuv420p", size, False)
    assert (seen.sound, seen.channels) == (("aac", channels) if channels else (None, 0))
    assert seen.keyframe_gap <= 2


def _check_times(source: Path, seen: Seen, result: MediaResult) -> None:
    decoded = result.probe["decoded"]
    assert isinstance(decoded, dict)
    assert len(seen.times) == decoded["pictures"]
    assert abs(seen.duration * 1000 - decoded["duration_ms"]) <= 50
    if source.suffix == ".264":
        return  # bare streams state neither times nor length
    track = result.parameters["picture"]
    assert isinstance(track, int)
    original = see(source, picture=track)
    origin = Fraction(decoded["origin_ms"], 1000)
    # Coarse clocks and pictures with the same time are told apart by a few ticks.
    tick = Fraction(1, 100)
    assert len(original.times) == len(seen.times)
    late = [abs(mine - (theirs - origin)) for mine, theirs in zip(seen.times, original.times, strict=True)]
    assert max(late) <= tick, "every picture is shown when the original says"
    # The last piece of sound is a whole one, whatever the container says of its length, and in a copy in fragments the
    # encoder's run-up, another piece, counts as length too.
    ending = max(seen.times[-1] - seen.times[-2], Fraction(2 * 1024, original.sample_rate or 48_000))
    assert abs(seen.duration - (_stated_end(result) - origin)) <= ending + tick


def _stated_end(result: MediaResult) -> Fraction:
    """When the chosen tracks end, by the container's own words."""
    chosen = (result.parameters["picture"], result.parameters["sound"])
    ends = []
    for kind in ("pictures", "sounds"):
        tracks = result.probe[kind]
        assert isinstance(tracks, list)
        ends += [track["start_ms"] + track["duration_ms"] for track in tracks if track["index"] in chosen]
    return Fraction(max(ends), 1000)
