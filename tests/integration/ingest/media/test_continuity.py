"""Continuity in the pass that decodes: the report lies beside the copy, and where nothing decodes, alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np

from ingest.media.continuity.report import parse_report
from ingest.media.result import MediaResult
from tests.integration.ingest.media.conftest import Derive
from tests.support.manipulated import joined
from tests.support.media import Film, Plane, Sound, write

SIZE = (160, 120)
LONG = tuple(range(0, 7000, 100))


def reported(result: MediaResult) -> Mapping[str, Any]:
    (made,) = [item for item in result.objects if item.kind == "continuity"]
    return cast("Mapping[str, Any]", parse_report(made.path.read_bytes()))


def level(grey: int) -> Plane:
    return np.full((SIZE[1], SIZE[0], 3), grey, np.uint8)


def test_a_frozen_and_a_black_picture_are_noted_in_passing(derive: Derive, tmp_path: Path) -> None:
    film = Film(size=SIZE, times_ms=LONG, codec="mjpeg", pixel_format="yuvj420p")
    frozen = write(tmp_path / "a.mov", film=film, container="mov", draw=lambda number, width, height: level(120))
    body = reported(derive(frozen))
    assert body["counts"] == {"container.software": 1, "timeline.frozen": 1}
    black = write(tmp_path / "b.mov", film=film, container="mov", draw=lambda number, width, height: level(0))
    assert "timeline.black" in reported(derive(black))["counts"]
    moving = write(
        tmp_path / "c.mov", film=film, container="mov", draw=lambda number, width, height: level(number + 60)
    )
    assert "timeline.frozen" not in reported(derive(moving))["counts"]


def test_priming_of_the_sound_is_noted_where_two_recordings_were_joined(derive: Derive, tmp_path: Path) -> None:
    film = Film(size=SIZE, times_ms=tuple(range(0, 2000, 40)), codec="mpeg4")
    intact = write(tmp_path / "intact.mp4", film=film, sound=Sound(pieces_ms=((0, 2000),)))
    assert "timeline.sound_primed" not in reported(derive(intact))["counts"]
    body = reported(derive(joined(intact, intact, tmp_path / "joined.mp4")))
    (noted,) = [one for one in body["observations"] if one["code"] == "timeline.sound_primed"]
    begins, ends = noted["ms"]
    assert 1900 <= begins < ends <= 2150, "where the second begins"
    assert 1000 <= noted["measured"]["samples"] <= 2200


def test_every_track_is_followed_whatever_is_made_of_it(derive: Derive, tmp_path: Path) -> None:
    film = Film(size=SIZE, times_ms=LONG[:20], options={"preset": "ultrafast"})
    result = derive(write(tmp_path / "a.mp4", film=film, sound=Sound(pieces_ms=((0, 2000),))))
    body = reported(result)
    assert body["whole"]
    assert [(track["track"], track["codec"], track.get("pictures")) for track in body["tracks"]] == [
        (0, "h264", 20),
        (1, "aac", None),
    ]
    assert body["size"] == (tmp_path / "a.mp4").stat().st_size
    heard = derive(write(tmp_path / "b.m4a", sound=Sound(pieces_ms=((0, 1000),))))
    assert heard.outcome == "audio"
    assert [track["codec"] for track in reported(heard)["tracks"]] == ["aac"]


def test_a_recording_without_an_index_is_told_by_its_structure(derive: Derive, tmp_path: Path) -> None:
    film = Film(size=SIZE, times_ms=LONG[:20], options={"preset": "ultrafast"})
    whole = write(tmp_path / "a.mp4", film=film).read_bytes()
    (tmp_path / "broken.mp4").write_bytes(whole[: whole.index(b"moov") - 4])
    result = derive(tmp_path / "broken.mp4")
    assert result.outcome == "undecodable"
    body = reported(result)
    assert body["counts"] == {"container.index_missing": 1}
    assert not body["whole"]
