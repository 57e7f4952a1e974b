"""Review copies, decoded again: every promise of `ingest.media.proxy` and `lanes` as something that can be seen."""

from __future__ import annotations

import random
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from ingest.media.probe import probe
from ingest.media.result import MediaResult
from ingest.media.stills import make_poster
from tests.support.media import MILLISECOND, Film, Plane, Seen, Sound, packets_of, repeated, see, write

X264 = {"preset": "ultrafast", "qp": "20"}
FILM = Film(options=X264)
SOUND = Sound()
FASTSTART = {"movflags": "+faststart"}

Derive = Callable[[Path], MediaResult]


def copy_of(result: MediaResult) -> Seen:
    return see(next(made.path for made in result.objects if made.kind == "proxy"))


def action(result: MediaResult) -> object:
    return result.parameters["action"]


def test_a_transcode_is_h264_8_bit_with_aac_in_an_mp4_that_starts_at_once(derive: Derive, tmp_path: Path) -> None:
    film = replace(FILM, codec="mpeg4", size=(1920, 1080), times_ms=range(0, 3000, 40), options={"qscale": "5"})
    source = write(tmp_path / "in.avi", film=film, sound=Sound(codec="mp2", pieces_ms=[(0, 3000)]), container="avi")
    result = derive(source)
    seen = copy_of(result)
    assert (result.outcome, result.reason, action(result)) == ("reviewable", None, "full")
    assert (seen.codec, seen.pixel_format, seen.size) == ("h264", "yuv420p", (1280, 720))
    assert (seen.sound, seen.colours) == ("aac", (1, 1, 1, 1))
    assert len(seen.times) == 75
    assert abs(seen.duration - 3) <= Fraction(1, 15)
    assert probe(next(made.path for made in result.objects if made.kind == "proxy")).container.index_first


def test_the_encoder_ran_frame_threads_and_closed_groups(derive: Derive, tmp_path: Path) -> None:
    result = derive(
        write(tmp_path / "in.mp4", film=replace(FILM, codec="libx265", options={"x265-params": "log-level=0"}))
    )
    settings = copy_of(result).encoder
    assert "x264" in settings
    assert "sliced_threads=0" in settings
    assert "open_gop=0" in settings
    assert "threads=2" in settings


TURNS = {
    "none": (1, 0, 0, 1),
    "clockwise": (0, 1, -1, 0),
    "half": (-1, 0, 0, -1),
    "counter-clockwise": (0, -1, 1, 0),
    "mirror": (-1, 0, 0, 1),
    "flip": (1, 0, 0, -1),
    "transpose": (0, 1, 1, 0),
    "anti-transpose": (0, -1, -1, 0),
}


@pytest.mark.parametrize("signs", TURNS.values(), ids=TURNS.keys())
def test_a_turn_is_baked_in(derive: Derive, tmp_path: Path, signs: tuple[int, int, int, int]) -> None:
    a, b, c, d = (sign * 0x10000 for sign in signs)
    film = replace(FILM, matrix=(a, b, 0, c, d, 0, 0, 0, 0x40000000), keyframe_every=500)
    source = write(tmp_path / "in.mp4", film=film)
    lying = see(source)
    assert lying.turned is (signs != TURNS["none"]), "the original must really carry a display matrix"
    seen = copy_of(derive(source))
    # Where each stored quadrant goes, by the matrix itself and not by what the code under test calls it.
    places = {(-1, -1): 0, (1, -1): 1, (1, 1): 2, (-1, 1): 3}
    expected = [0, 0, 0, 0]
    for (x, y), corner in places.items():
        expected[places[(signs[0] * x + signs[2] * y, signs[1] * x + signs[3] * y)]] = lying.corners[corner]
    assert not seen.turned
    assert seen.size == ((96, 128) if signs[0] == 0 else (128, 96))
    assert all(abs(got - want) < 12 for got, want in zip(seen.corners, expected, strict=True)), (seen.corners, expected)


def test_every_picture_keeps_its_own_time(derive: Derive, tmp_path: Path) -> None:
    chance = random.Random(7)
    times = [0]
    for _ in range(120):
        times.append(times[-1] + chance.choice([1, 7, 20, 33, 34, 67, 250, 900]))
    source = write(tmp_path / "in.mp4", film=replace(FILM, times_ms=times, keyframe_every=1000))
    seen = copy_of(derive(source))
    assert seen.times == see(source).times
    assert seen.times == tuple(time * MILLISECOND for time in times)
    assert abs(seen.duration - times[-1] * MILLISECOND) <= 1


@pytest.mark.parametrize("step_ms", [1000 / 60, 1000 / 29.97, 40, 100, 1900])
def test_key_frames_are_never_more_than_two_seconds_apart(derive: Derive, tmp_path: Path, step_ms: float) -> None:
    times = [round(number * step_ms) for number in range(round(9000 / step_ms))]
    seen = copy_of(derive(write(tmp_path / "in.mp4", film=replace(FILM, times_ms=times, keyframe_every=10_000))))
    assert len(seen.times) == len(times)
    assert seen.keyframes[0] == seen.times[0]
    assert seen.keyframe_gap <= 2


def test_what_is_fit_is_kept_to_the_byte(derive: Derive, tmp_path: Path) -> None:
    source = write(tmp_path / "in.mp4", film=FILM, sound=SOUND, muxer=FASTSTART)
    result = derive(source)
    assert (action(result), result.parameters["why"]) == ("keep", [])
    assert result.objects[0].path.read_bytes() == source.read_bytes()
    assert result.outcome == "reviewable"


def test_what_only_starts_late_is_moved_without_touching_a_packet(derive: Derive, tmp_path: Path) -> None:
    source = write(tmp_path / "in.mp4", film=replace(FILM, options={**X264, "bf": "2"}), sound=SOUND)
    result = derive(source)
    copy = result.objects[0].path
    assert (action(result), result.parameters["why"]) == ("remux", ["container.index_last"])
    assert packets_of(copy, "video") == packets_of(source, "video")
    assert packets_of(copy, "audio") == packets_of(source, "audio")
    assert probe(copy).container.index_first
    assert see(copy).times == see(source).times


def test_only_the_sound_is_encoded_where_only_the_sound_is_unfit(derive: Derive, tmp_path: Path) -> None:
    source = write(
        tmp_path / "in.mov",
        film=FILM,
        sound=Sound(codec="pcm_alaw", sample_rate=8000),
        container="mov",
        muxer=FASTSTART,
    )
    result = derive(source)
    copy = result.objects[0].path
    seen = see(copy)
    assert (action(result), result.parameters["why"]) == ("audio-only", ["sound.codec"])
    assert packets_of(copy, "video") == packets_of(source, "video")
    assert (seen.sound, seen.sample_rate, seen.channels) == ("aac", 16_000, 1)
    assert seen.samples is not None
    assert abs(seen.samples.shape[1] - 32_000) <= 1024


def pitch(samples: Plane, rate: int) -> int:
    spectrum = np.abs(np.fft.rfft(samples))
    return round(int(spectrum.argmax()) * rate / len(samples))


def test_sound_alone_becomes_sound_alone(derive: Derive, tmp_path: Path) -> None:
    source = write(
        tmp_path / "in.mp3", sound=Sound(codec="libmp3lame", sample_rate=44_100, layout="stereo"), container="mp3"
    )
    result = derive(source)
    seen = copy_of(result)
    assert (result.outcome, action(result)) == ("audio", "audio-only")
    assert ("proxy", "audio/mp4") in [(made.kind, made.media_type) for made in result.objects]
    assert "poster" not in [made.kind for made in result.objects]
    assert (seen.codec, seen.sound, seen.sample_rate, seen.channels) == (None, "aac", 44_100, 2)
    assert seen.samples is not None
    assert abs(pitch(seen.samples[0], 44_100) - 440) <= 2


def test_six_channels_become_two(derive: Derive, tmp_path: Path) -> None:
    source = write(
        tmp_path / "in.mkv", film=FILM, sound=Sound(codec="ac3", sample_rate=48_000, layout="5.1"), container="matroska"
    )
    seen = copy_of(derive(source))
    assert (seen.sound, seen.sample_rate, seen.channels) == ("aac", 48_000, 2)


@pytest.mark.parametrize("gap_ms", [300, 4000, 9000])
def test_a_hole_in_the_sound_stays_a_hole_of_the_same_length(derive: Derive, tmp_path: Path, gap_ms: int) -> None:
    film = replace(FILM, times_ms=range(0, 2000 + gap_ms, 40), keyframe_every=1000)
    sound = Sound(codec="pcm_s16le", pieces_ms=[(0, 1000), (1000 + gap_ms, 1000)])
    seen = copy_of(derive(write(tmp_path / "in.mkv", film=film, sound=sound, container="matroska")))
    assert seen.samples is not None
    loud = np.abs(seen.samples[0]) > 0.05
    assert abs(len(loud) - 16 * (2000 + gap_ms)) <= 2048
    assert loud[1600:14_400].mean() > 0.5
    assert loud[16_000 + 1600 : 16 * (1000 + gap_ms) - 1600].mean() < 0.01
    assert loud[16 * (1000 + gap_ms) + 1600 : 16 * (2000 + gap_ms) - 1600].mean() > 0.5


def test_sound_that_begins_later_begins_later(derive: Derive, tmp_path: Path) -> None:
    film = replace(FILM, codec="mpeg4", options={"qscale": "5"}, times_ms=range(0, 3000, 40))
    source = write(
        tmp_path / "in.mkv", film=film, sound=Sound(codec="pcm_s16le", pieces_ms=[(1000, 1000)]), container="matroska"
    )
    seen = copy_of(derive(source))
    assert seen.samples is not None
    onset = int((np.abs(seen.samples[0]) > 0.05).argmax())
    assert abs(onset - 16_000) < 400


def test_a_start_far_from_zero_becomes_zero_and_is_stated(derive: Derive, tmp_path: Path) -> None:
    source = write(tmp_path / "in.ts", film=FILM, sound=SOUND, container="mpegts", muxer={"output_ts_offset": "100"})
    original, result = see(source), derive(source)
    seen = copy_of(result)
    assert original.times[0] >= 100
    assert seen.times[0] < 1
    decoded = result.probe["decoded"]
    assert isinstance(decoded, dict)
    assert abs(decoded["origin_ms"] + round(seen.times[0] * 1000) - round(original.times[0] * 1000)) <= 1
    assert [b - a for a, b in pairwise(seen.times)] == [b - a for a, b in pairwise(original.times)]


def test_wide_pixels_become_square_ones(derive: Derive, tmp_path: Path) -> None:
    film = replace(FILM, size=(720, 576), pixel_aspect=Fraction(64, 45), times_ms=range(0, 400, 40))
    assert copy_of(derive(write(tmp_path / "in.mp4", film=film))).size == (1024, 576)


def test_interlaced_pictures_are_woven_into_whole_ones(derive: Derive, tmp_path: Path) -> None:
    def combed(number: int, width: int, height: int) -> Plane:
        picture = np.zeros((height, width, 3), np.uint8)
        picture[0::2, 40 + 4 * number : 60 + 4 * number] = 255
        picture[1::2, 42 + 4 * number : 62 + 4 * number] = 255
        return picture

    film = Film(
        codec="mpeg2video", options={"flags": "+ilme+ildct", "qscale": "2", "b": "4M"}, times_ms=range(0, 600, 40)
    )
    source = write(tmp_path / "in.mpg", film=film, container="mpegts", draw=combed)
    assert probe(source).pictures[0].interlaced, "the original must be interlaced"
    result = derive(source)
    seen = copy_of(result)
    assert "picture.interlaced" in str(result.parameters["why"])
    assert len(seen.times) == 15
    assert [b - a for a, b in pairwise(seen.times)] == [Fraction(1, 25)] * 14


def test_high_dynamic_range_becomes_ordinary(derive: Derive, tmp_path: Path) -> None:
    film = Film(
        codec="libx265",
        pixel_format="yuv420p10le",
        options={"x265-params": "log-level=0:colorprim=bt2020:transfer=arib-std-b67:colormatrix=bt2020nc"},
        colours=(9, 18, 9, 1),
        times_ms=range(0, 200, 40),
    )
    source = write(tmp_path / "in.mp4", film=film)
    assert probe(source).pictures[0].colours.high_dynamic_range, "the original must be HLG"
    quick = tmp_path / "quick.jpg"
    assert make_poster(source, quick, probe(source).pictures[0], quickly=True) is not None
    result = derive(source)
    seen = copy_of(result)
    assert (seen.pixel_format, seen.colours) == ("yuv420p", (1, 1, 1, 1))
    poster = next(made.path for made in result.objects if made.kind == "poster")
    assert poster.read_bytes() != quick.read_bytes()
    assert [path.name for path in poster.parent.glob("poster*")] == ["poster.jpg"]
    near = [abs(a - b) for a, b in zip(see(quick).corners, see(poster).corners, strict=True)]
    assert max(near) < 60, "what is shown first looks like what comes after it"
    dark, grey, light, white = sorted(seen.corners)
    assert dark < 20
    assert grey < light < white
    assert {made.kind for made in result.objects} >= {"proxy", "poster"}


def test_full_range_is_brought_into_studio_range(derive: Derive, tmp_path: Path) -> None:
    film = replace(FILM, pixel_format="yuvj420p", times_ms=range(0, 400, 40), colours=(1, 1, 1, 2))
    source = write(tmp_path / "in.mp4", film=film)
    seen = copy_of(derive(source))
    assert seen.colours == (1, 1, 1, 1)
    assert all(abs(got - want) < 12 for got, want in zip(seen.corners, see(source).corners, strict=True))


def test_a_recorder_that_changes_its_size_half_way_loses_no_picture(derive: Derive, tmp_path: Path) -> None:
    wide = write(
        tmp_path / "a.ts", film=replace(FILM, size=(256, 144), times_ms=range(0, 1000, 40)), container="mpegts"
    )
    square = write(
        tmp_path / "b.ts",
        film=replace(FILM, size=(120, 120), times_ms=range(0, 1000, 40)),
        container="mpegts",
        muxer={"output_ts_offset": "1", "mpegts_copyts": "1"},
    )
    joined = tmp_path / "in.ts"
    joined.write_bytes(wide.read_bytes() + square.read_bytes())
    seen = copy_of(derive(joined))
    assert seen.size == (256, 144)
    assert len(seen.times) == 50


def test_the_copy_carries_none_of_the_originals_tags(derive: Derive, tmp_path: Path) -> None:
    tags = {"title": "tag-of-the-original", "location": "+39.9042+116.4074/"}
    source = write(tmp_path / "in.mov", film=replace(FILM, codec="mpeg4", options={}), container="mov", tags=tags)
    assert b"tag-of-the-original" in source.read_bytes()
    copy = derive(source).objects[0].path.read_bytes()
    assert b"tag-of-the-original" not in copy
    assert b"39.9042" not in copy


def test_memory_does_not_grow_with_the_film(tmp_path: Path) -> None:
    film = replace(FILM, size=(1920, 1080), times_ms=range(0, 1000, 40))
    source = repeated(write(tmp_path / "second.mp4", film=film), tmp_path / "in.mp4", 10)
    program = """
        import re, sys
        from pathlib import Path
        from ingest.media.policy import decide
        from ingest.media.probe import probe
        from ingest.media.proxy import make_proxy
        peaks = []
        source, target = map(Path, sys.argv[1:])
        found = probe(source)
        status = Path("/proc/self/status")  # getrusage would begin with the most that the parent had
        report = lambda read: peaks.append(int(re.search(r"VmHWM:\\s+(\\d+)", status.read_text())[1]))
        make_proxy(source, target, decide(found), found, threads=1, report=report)
        print(peaks[len(peaks) // 3], peaks[-1])
    """
    command = [sys.executable, "-I", "-c", textwrap.dedent(program), str(source), str(tmp_path / "out.mp4")]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    third, end = map(int, ended.stdout.split())
    assert end - third < 40_000, "kilobytes; a decoded picture has three thousand"


def test_the_original_is_not_touched(derive: Derive, tmp_path: Path) -> None:
    source = write(tmp_path / "in.mp4", film=FILM, sound=SOUND)
    source.chmod(0o444)
    before = (source.read_bytes(), source.stat().st_mtime_ns)
    derive(source)
    assert (source.read_bytes(), source.stat().st_mtime_ns) == before
