from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from ingest.media.errors import IndexLost, NotMedia
from ingest.media.facts import Colours
from ingest.media.geometry import Size, Turn
from ingest.media.probe import LOOK_BYTES_MAX, probe
from ingest.media.sample import make_clip
from ledger.canonical import JsonValue, canonical_json
from tests.support.media import Film, Sound, write
from tests.support.shared import shared_folder

FILM = Film(options={"preset": "ultrafast", "qp": "30"}, keyframe_every=10)
FASTSTART = {"movflags": "+faststart"}


def test_the_facts_of_a_recorders_clip(tmp_path: Path) -> None:
    make_clip(tmp_path / "clip.mp4", seconds=3)
    found = probe(tmp_path / "clip.mp4")
    (picture,), (sound,) = found.pictures, found.sounds
    assert found.container.iso
    assert found.container.size == (tmp_path / "clip.mp4").stat().st_size
    assert (found.container.duration_ms, found.container.missing_bytes) == (3000, 0)
    assert (found.container.index_first, found.container.fragmented) == (False, False)
    assert found.container.created_at == "2026-11-18T01:15:00.000Z"
    assert (picture.codec, picture.profile, picture.size) == ("h264", "High", Size(640, 360))
    assert (picture.pixel_format, picture.frame_rate, picture.frames) == ("yuv420p", Fraction(25), 75)
    assert (picture.duration_ms, picture.start_ms, picture.keyframe_gap_ms) == (3000, 0, 1000)
    assert (picture.turn, picture.interlaced, picture.trimmed, picture.decoded) == (Turn.NONE, False, False, True)
    assert (sound.codec, sound.profile, sound.sample_rate, sound.channels) == ("aac", "LC", 16_000, 1)
    assert (sound.layout, sound.duration_ms) == ("mono", 3000)


def numbers(value: JsonValue) -> list[object]:
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in numbers(item)]
    if isinstance(value, list | tuple):
        return [leaf for item in value for leaf in numbers(item)]
    return [value]


def test_the_facts_are_whole_numbers_and_words(tmp_path: Path) -> None:
    source = write(tmp_path / "in.mp4", film=replace(FILM, pixel_aspect=Fraction(16, 15)), sound=Sound())
    facts = probe(source).as_json()
    canonical_json(facts)
    assert not [leaf for leaf in numbers(facts) if isinstance(leaf, float)]
    assert facts["pictures"][0]["pixel_aspect"] == "16/15"  # type: ignore[index,call-overload]


@pytest.mark.parametrize(
    ("muxer", "first", "fragmented"),
    [({}, False, False), (FASTSTART, True, False), ({"movflags": "+frag_keyframe+empty_moov"}, True, True)],
)
def test_where_the_index_is(tmp_path: Path, muxer: dict[str, str], first: bool, fragmented: bool) -> None:
    container = probe(write(tmp_path / "in.mp4", film=FILM, muxer=muxer)).container
    assert (container.index_first, container.fragmented) == (first, fragmented)


@pytest.mark.parametrize("every", [5, 25, 50])
def test_the_distance_of_key_frames_counts_up_to_the_end(tmp_path: Path, every: int) -> None:
    source = write(tmp_path / "in.mp4", film=replace(FILM, keyframe_every=every))
    assert probe(source).pictures[0].keyframe_gap_ms == every * 40


def test_without_an_index_the_distance_is_not_guessed(tmp_path: Path) -> None:
    assert probe(write(tmp_path / "in.ts", film=FILM, container="mpegts")).pictures[0].keyframe_gap_ms is None


def test_colours_as_decoded(tmp_path: Path) -> None:
    source = write(tmp_path / "in.mp4", film=replace(FILM, colours=(1, 1, 1, 1)))
    assert probe(source).pictures[0].colours == Colours(1, 1, 1, full_range=False)
    source = write(tmp_path / "full.mp4", film=replace(FILM, pixel_format="yuvj420p", colours=(6, 6, 6, 2)))
    assert probe(source).pictures[0].colours == Colours(6, 6, 6, full_range=True)


@pytest.mark.parametrize("tag", ["yesterday", "", "0000-00-00", "2026-13-01T00:00:00Z", "99999999999"])
def test_a_creation_time_that_is_none_is_left_out(tmp_path: Path, tag: str) -> None:
    source = write(tmp_path / "in.mkv", film=FILM, container="matroska", tags={"creation_time": tag})
    assert probe(source).container.created_at is None


def test_a_creation_time_without_zone_is_taken_as_utc(tmp_path: Path) -> None:
    tags = {"date": "x", "creation_time": "2026-11-18T09:15:00"}
    source = write(tmp_path / "in.avi", film=replace(FILM, codec="mpeg4", options={}), container="matroska", tags=tags)
    assert probe(source).container.created_at == "2026-11-18T09:15:00.000Z"


def test_what_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no footage")
    with pytest.raises(NotMedia):
        probe(tmp_path / "text.mp4")
    raw = write(tmp_path / "in.mp4", film=FILM).read_bytes()
    (tmp_path / "cut.mp4").write_bytes(raw[: len(raw) // 2])
    with pytest.raises(IndexLost):
        probe(tmp_path / "cut.mp4")
    with pytest.raises(FileNotFoundError):
        probe(tmp_path / "gone.mp4")


def test_a_large_file_is_not_read_as_a_whole(tmp_path: Path) -> None:
    """A sparse file of 1 TiB whose pictures never come: a probe of it must end at once."""
    raw = write(tmp_path / "in.ts", film=FILM, container="mpegts").read_bytes()
    with (tmp_path / "large.ts").open("wb") as file:
        file.write(raw[: 188 * 3])
        file.truncate(1024**4)
    try:
        found = probe(tmp_path / "large.ts")
    except NotMedia:
        return
    assert not any(track.decoded for track in found.pictures)
    assert LOOK_BYTES_MAX < 1024**3


def test_a_phones_words_in_another_encoding() -> None:
    found = probe(shared_folder("footage", "h263-nonutf8-tags.3gp"))
    assert found.container.tags.kept["location"] == "+00.0000+000.0000/\\xfe\\xff"
    canonical_json(found.as_json())


def test_a_phone_held_upright() -> None:
    picture = probe(shared_folder("footage", "iphone-hevc-hlg-rot90-editlist.mp4")).pictures[0]
    assert (picture.turn, picture.trimmed, picture.colours.high_dynamic_range) == (Turn.CLOCKWISE, True, True)
