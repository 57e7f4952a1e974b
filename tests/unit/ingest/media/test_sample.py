from __future__ import annotations

import hashlib
import itertools
import re
import time
from pathlib import Path

import av
import numpy as np
import pytest

from ingest.media.glyphs import ALPHABET, INK, stamp_text
from ingest.media.sample import FRAMES_PER_SECOND, HEIGHT, WIDTH, SampleRecorder, make_clip, make_recorders

NAME = re.compile(r"DCAM_(?P<device>[0-9A-Z]{7})_(?P<officer>\d{6})_(?P<day>\d{8})_\d{6}(_IMP)?\.(mp4|jpg|m4a)")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[SampleRecorder, ...]:
    return make_recorders(tmp_path_factory.mktemp("recorders"))


def _digests(recorders: tuple[SampleRecorder, ...]) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for item in recorders for path in item.files}


def test_two_runs_make_the_same_bytes_and_times(made: tuple[SampleRecorder, ...], tmp_path: Path) -> None:
    again = make_recorders(tmp_path / "again")
    assert _digests(again) == _digests(made)
    first, second = ([path.stat().st_mtime_ns for item in run for path in item.files] for run in (made, again))
    assert first == second


def test_no_two_files_are_alike(made: tuple[SampleRecorder, ...]) -> None:
    digests = _digests(made)
    assert len(set(digests.values())) == len(digests) == sum(len(item.files) for item in made)


def test_the_layout_is_a_recorders(made: tuple[SampleRecorder, ...]) -> None:
    assert len(made) == 3
    for recorder in made:
        found = sorted(path for path in recorder.folder.rglob("*") if path.is_file())
        assert found == sorted(recorder.files)
        assert list(recorder.files) == sorted(recorder.files), "names sort in recording order"
        for path in recorder.files:
            parts = NAME.fullmatch(path.name)
            assert parts is not None, path.name
            assert (parts["device"], parts["officer"]) == (recorder.serial, recorder.officer)
            assert path.relative_to(recorder.folder).parent == Path("DCIM") / parts["day"]


def test_the_set_covers_what_a_station_meets(made: tuple[SampleRecorder, ...]) -> None:
    paths = [path for recorder in made for path in recorder.files]
    pictures: dict[str, int] = {}
    for path in (path for path in paths if path.suffix == ".mp4"):
        with av.open(str(path)) as container:
            video = container.streams.video[0].codec_context
            assert (video.width, video.height, video.pix_fmt) == (WIDTH, HEIGHT, "yuv420p")
            assert container.streams.audio[0].codec_context.name == "aac"
            assert container.duration == 6_000_000
            assert container.metadata["creation_time"].startswith("2026-11-18T")
            pictures[video.name] = pictures.get(video.name, 0) + 1
    assert pictures == {"h264": 4, "hevc": 1}
    assert sorted(path.suffix for path in paths if path.suffix != ".mp4") == [".jpg", ".m4a"]
    assert any("_IMP" in path.name for path in paths)


def test_nothing_tells_which_machine_made_it(made: tuple[SampleRecorder, ...]) -> None:
    for recorder in made:
        for path in recorder.files:
            assert b"Lavf" not in path.read_bytes()
            assert b"Lavc" not in path.read_bytes()


def test_pictures_move_and_the_clock_runs(tmp_path: Path) -> None:
    make_clip(tmp_path / "clip.mp4", seconds=3)
    with av.open(str(tmp_path / "clip.mp4")) as container:
        frames = [frame.to_ndarray()[:HEIGHT] for frame in container.decode(video=0)]
    assert len(frames) == 3 * FRAMES_PER_SECOND
    moved = [int(np.abs(a[60:320].astype(int) - b[60:320]).max()) for a, b in itertools.pairwise(frames)]
    assert min(moved) > 50, "every picture differs from the one before"
    clocks = [frames[second * FRAMES_PER_SECOND][16:52, 20:480] for second in range(3)]
    assert np.abs(clocks[0].astype(int) - clocks[1]).max() > 100
    assert np.abs(clocks[1].astype(int) - clocks[2]).max() > 100


def test_key_frames_come_when_asked(tmp_path: Path) -> None:
    make_clip(tmp_path / "clip.mp4", seconds=4, keyframe_seconds=2)
    with av.open(str(tmp_path / "clip.mp4")) as container:
        keys = [packet.pts for packet in container.demux(video=0) if packet.is_keyframe]
    assert len(keys) == 2


def test_it_is_quick(tmp_path: Path) -> None:
    begun = time.process_time()
    make_recorders(tmp_path)
    assert time.process_time() - begun < 20


def test_length_is_a_parameter(tmp_path: Path) -> None:
    recorders = make_recorders(tmp_path, seconds=1)
    with av.open(str(recorders[0].files[0])) as container:
        assert container.duration == 1_000_000


def test_every_glyph_is_its_own() -> None:
    shapes = set()
    for character in ALPHABET:
        plane = np.zeros((20, 20), dtype=np.uint8)
        stamp_text(plane, character, left=0, top=0, scale=1)
        shapes.add(plane.tobytes())
        assert (character == " ") == (plane.max() < INK)
    assert len(shapes) == len(ALPHABET)


def test_a_letter_without_glyph_is_refused() -> None:
    with pytest.raises(KeyError):
        stamp_text(np.zeros((20, 20), dtype=np.uint8), "?", left=0, top=0, scale=1)


def test_text_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="broadcast"):
        stamp_text(np.zeros((5, 5), dtype=np.uint8), "8", left=0, top=0, scale=1)
