from __future__ import annotations

import io
import re
from fractions import Fraction
from pathlib import Path

import av
import pytest

from ingest.media.result import MediaResult
from tests.integration.ingest.media.conftest import Derive
from tests.support import media
from tests.support.media import Film, Sound, see

PIECE = re.compile(r"#EXTINF:([0-9.]+),\n#EXT-X-BYTERANGE:(\d+)@(\d+)\nproxy\n")
HEAD = re.compile(r'#EXT-X-MAP:URI="proxy",BYTERANGE="(\d+)@0"')
LONG = tuple(range(0, 9000, 40))


def files(result: MediaResult) -> dict[str, Path]:
    return {made.kind: made.path for made in result.objects}


def pieces_of(result: MediaResult) -> list[tuple[Fraction, bytes]]:
    """Return length and bytes, head included, of each piece of the playlist."""
    made = files(result)
    words, raw = made["playlist"].read_text("ascii"), made["proxy"].read_bytes()
    found = HEAD.search(words)
    assert found is not None
    head = raw[: int(found[1])]
    return [(Fraction(length), head + raw[int(at) : int(at) + int(size)]) for length, size, at in PIECE.findall(words)]


def times_of(piece: bytes, kind: str) -> list[Fraction]:
    with av.open(io.BytesIO(piece), "r", format="mp4") as container:
        stream = next(stream for stream in container.streams if stream.type == kind)
        frames = list(container.decode(stream))
        assert stream.time_base is not None
        return [frame.pts * stream.time_base for frame in frames if frame.pts is not None]


@pytest.mark.parametrize("codec", ["mpeg4", "libx264"])
def test_each_piece_plays_by_itself_and_together_they_are_the_film(derive: Derive, tmp_path: Path, codec: str) -> None:
    film = Film(codec=codec, times_ms=LONG, keyframe_every=50)
    source = media.write(tmp_path / "film.mp4", film=film, sound=Sound(pieces_ms=((0, 9000),)))
    result = derive(source)
    assert result.parameters["action"] == ("full" if codec == "mpeg4" else "remux")
    pieces = pieces_of(result)
    assert len(pieces) == 3
    times = [times_of(piece, "video") for _, piece in pieces]
    assert [time for part in times for time in part] == list(see(files(result)["proxy"]).times)
    assert [round(float(sum((length for length, _ in pieces[:number]), Fraction(0))), 2) for number in range(3)] == [
        round(float(part[0]), 2) for part in times
    ]
    assert abs(sum((length for length, _ in pieces), Fraction(-9))) < Fraction(1, 10)
    assert all(times_of(piece, "audio") for _, piece in pieces)


def test_a_film_of_uneven_pictures_has_pieces_that_begin_when_they_say(derive: Derive, tmp_path: Path) -> None:
    uneven = tuple(at + (at * 7 % 31) for at in range(0, 9000, 67))
    result = derive(media.write(tmp_path / "film.mp4", film=Film(codec="mpeg4", times_ms=uneven)))
    begins = Fraction(0)
    for length, piece in pieces_of(result):
        assert abs(times_of(piece, "video")[0] - begins) < Fraction(2, 100)
        begins += length
    assert see(files(result)["proxy"]).keyframe_gap <= 2


def test_sound_alone_has_a_playlist_too(derive: Derive, tmp_path: Path) -> None:
    source = media.write(tmp_path / "a.wav", sound=Sound(codec="pcm_s16le", pieces_ms=((0, 9000),)), container="wav")
    result = derive(source)
    assert result.outcome == "audio"
    pieces = pieces_of(result)
    assert len(pieces) == 3
    assert all(times_of(piece, "audio") for _, piece in pieces)


def test_tracks_that_begin_apart_make_a_film_in_one_piece(derive: Derive, tmp_path: Path) -> None:
    """Its length would be stated too long by players that add up what the index of fragments lists."""
    film, sound = Film(times_ms=tuple(range(1500, 4000, 40))), Sound(pieces_ms=((0, 4000),))
    result = derive(media.write(tmp_path / "late.mp4", film=film, sound=sound))
    assert "playlist" not in files(result)
    assert abs(see(files(result)["proxy"]).duration - 4) < Fraction(1, 10)


def test_sound_that_begins_late_is_filled_and_not_apart(derive: Derive, tmp_path: Path) -> None:
    sound = Sound(codec="pcm_s16le", pieces_ms=((1500, 2500),))
    source = media.write(tmp_path / "late.mkv", film=Film(times_ms=LONG[:100]), sound=sound, container="matroska")
    result = derive(source)
    assert "playlist" in files(result)
    assert abs(see(files(result)["proxy"]).duration - 4) < Fraction(1, 10)


def test_a_kept_original_has_no_playlist(derive: Derive, tmp_path: Path) -> None:
    source = media.write(tmp_path / "film.mp4", film=Film(), muxer={"movflags": "+faststart"})
    result = derive(source)
    assert result.parameters["action"] == "keep"
    assert "playlist" not in files(result)
