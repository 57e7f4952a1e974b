from __future__ import annotations

import json
import re
import struct
from pathlib import Path

import numpy as np
import pytest

from ingest.media.result import MediaResult
from ingest.media.speech import detector_name
from tests.integration.ingest.media.conftest import Derive
from tests.support import media
from tests.support.media import Film, Sound
from tests.support.shared import shared_folder

CUE = re.compile(r"(\d\d):(\d\d):(\d\d)\.(\d{3}) --> .*\nstoryboard-sheet#xywh=(\d+),(\d+),(\d+),(\d+)")


def brighter(number: int, width: int, height: int) -> media.Plane:
    return np.full((height, width, 3), min(250, 20 + number * 2), np.uint8)


def objects(result: MediaResult) -> dict[str, bytes]:
    return {made.kind: made.path.read_bytes() for made in result.objects}


@pytest.mark.parametrize(("codec", "action"), [("libx264", "keep"), ("mpeg4", "full")])
def test_the_tiles_show_the_pictures_of_their_times(derive: Derive, tmp_path: Path, codec: str, action: str) -> None:
    """A film that grows brighter by two steps every 50 ms, copied and encoded."""
    film = Film(size=(320, 180), times_ms=tuple(range(0, 4500, 50)), codec=codec, keyframe_every=20)
    source = media.write(tmp_path / "film.mp4", film=film, draw=brighter, muxer={"movflags": "+faststart"})
    result = derive(source)
    assert result.parameters["action"] == action
    made = objects(result)
    cues = [[int(word) for word in cue] for cue in CUE.findall(made["storyboard"].decode())]
    assert len(cues) == 5
    sheet = media.see(result.objects[[item.kind for item in result.objects].index("storyboard-sheet")].path)
    assert sheet.size == (800, 90)
    assert sheet.first is not None
    for hours, minutes, seconds, milliseconds, x, y, width, height in cues:
        number = ((hours * 60 + minutes) * 60 + seconds) * 20 + milliseconds // 50
        tile = sheet.first[y + 10 : y + height - 10, x + 10 : x + width - 10]
        assert abs(int(tile.mean()) - (20 + 2 * number)) <= 6


def test_the_waveform_stands_where_the_sound_is(derive: Derive, tmp_path: Path) -> None:
    """A tone from 1 s to 2 s, behind a hole: silence before it, its peaks in it."""
    sound = Sound(codec="pcm_s16le", pieces_ms=((0, 100), (1000, 1000)))
    source = media.write(tmp_path / "tone.mkv", film=Film(), sound=sound, container="matroska")
    raw = objects(derive(source))["waveform"]
    version, flags, rate, per_pixel, length, channels = struct.unpack_from("<iIiiIi", raw)
    assert (version, flags, rate, per_pixel, channels) == (2, 1, 16_000, 320, 1)
    peaks = np.frombuffer(raw[24:], np.int8).reshape(-1, 2)
    assert len(peaks) == length
    assert abs(length - 100) <= 1
    assert not peaks[8:48].any()
    # 8000 of 32768 is 31 of 128.
    assert (abs(peaks[52:98, 1].astype(int) - 31) <= 2).all()
    assert (abs(peaks[52:98, 0].astype(int) + 31) <= 2).all()


def test_stereo_is_heard_with_both_ears(derive: Derive, tmp_path: Path) -> None:
    source = media.write(tmp_path / "two.wav", sound=Sound(codec="pcm_s16le", layout="stereo"), container="wav")
    result = derive(source)
    peaks = np.frombuffer(objects(result)["waveform"][24:], np.int8)
    assert result.outcome == "audio"
    assert 29 <= int(peaks.max()) <= 33


def test_silent_footage_has_neither_waveform_nor_speech(derive: Derive, tmp_path: Path) -> None:
    result = derive(media.write(tmp_path / "film.mp4", film=Film()))
    assert set(objects(result)) & {"waveform", "speech"} == set()
    assert "speech" not in result.parameters


@pytest.mark.skipif(detector_name() is None, reason="no detector for this kind of machine")
@pytest.mark.parametrize("name", ["mandarin-4s.wav", "english-9s.wav"])
def test_speech_is_found_in_both_languages(derive: Derive, name: str) -> None:
    result = derive(shared_folder("speech", name))
    found = json.loads(objects(result)["speech"])
    assert found["detector"] == result.parameters["speech"]
    decoded = result.probe["decoded"]
    assert isinstance(decoded, dict)
    length = decoded["duration_ms"]
    assert isinstance(length, int)
    assert sum(end - start for start, end in found["segments"]) > length / 2


def test_telemetry_of_a_drone_tells_its_way(derive: Derive) -> None:
    probe = derive(shared_folder("footage", "gopro-karma.mp4")).probe
    positions, device = probe["positions"], probe["device"]
    assert isinstance(positions, dict)
    assert isinstance(device, dict)
    assert (positions["source"], positions["positions"], positions["without_fix"]) == ("gpmf", 47, 0)
    track = positions["track"]
    assert isinstance(track, list)
    assert track[0] == {"at_ms": 0, "latitude_e6": 33_125_368, "longitude_e6": -117_331_064, "height_mm": 15_445}
    assert len(track) == 12
    assert device["software"] == "HD5.02.02.00.00"


def test_a_place_in_the_tags_is_told(derive: Derive, tmp_path: Path) -> None:
    tags = {"location": "+39.9042+116.4074/"}
    probe = derive(media.write(tmp_path / "film.mov", film=Film(), container="mov", tags=tags)).probe
    assert probe["place"] == {"latitude_e6": 39_904_200, "longitude_e6": 116_407_400, "height_mm": None}
    assert probe["positions"] is None
