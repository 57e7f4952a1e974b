from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from ingest.media.facts import PictureTrack
from ingest.media.probe import probe
from ingest.media.result import MediaResult
from ingest.media.stills import make_poster
from tests.support.heic import heic
from tests.support.media import Film, Plane, quadrants, see, write

Derive = Callable[[Path], MediaResult]

FILM = Film(size=(320, 240), options={"preset": "ultrafast", "qp": "20"}, times_ms=range(0, 4000, 40))


def poster(source: Path, folder: Path) -> tuple[Path, PictureTrack]:
    track = probe(source).pictures[0]
    target = folder / "poster.jpg"
    facts = make_poster(source, target, track)
    assert facts is not None
    return target, track


def still(path: Path, codec: str, pixel_format: str, size: tuple[int, int] = (64, 48)) -> Path:
    """Write one photograph in the format of an encoder."""
    encoder = av.CodecContext.create(codec, "w")
    assert isinstance(encoder, av.video.codeccontext.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = (*size, pixel_format)
    encoder.time_base = 1  # type: ignore[assignment]
    frame = av.VideoFrame.from_ndarray(quadrants(0, *size), format="rgb24").reformat(format=pixel_format)
    frame.pts = 0
    path.write_bytes(b"".join(bytes(packet) for packet in (*encoder.encode(frame), *encoder.encode(None))))
    return path


def test_a_poster_is_an_upright_jpeg_of_the_review_size(tmp_path: Path) -> None:
    film = replace(FILM, size=(1920, 1080), matrix=(0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000))
    path, _ = poster(write(tmp_path / "in.mp4", film=film), tmp_path)
    seen = see(path)
    assert path.read_bytes()[:3] == b"\xff\xd8\xff"
    assert (seen.codec, seen.size) == ("mjpeg", (720, 1280))
    assert not seen.turned
    # Black was upper left; a turn clockwise brings it to the upper right.
    assert seen.corners[1] < 20 < 220 < seen.corners[0]


def test_the_inside_of_a_pocket_is_passed_over(tmp_path: Path) -> None:
    def from_the_pocket(number: int, width: int, height: int) -> Plane:
        return quadrants(number, width, height) if number >= 50 else np.full((height, width, 3), 3, np.uint8)

    source = write(tmp_path / "in.mp4", film=FILM, draw=from_the_pocket)
    track = probe(source).pictures[0]
    facts = make_poster(source, tmp_path / "poster.jpg", track)
    assert facts is not None
    assert facts.at_ms == 2000
    assert max(see(tmp_path / "poster.jpg").corners) > 200


def test_where_all_is_dark_the_least_dark_is_taken(tmp_path: Path) -> None:
    def dusk(number: int, width: int, height: int) -> Plane:
        return np.asarray(quadrants(number, width, height) // (40 if number < 25 else 12), dtype=np.uint8)

    source = write(tmp_path / "in.mp4", film=FILM, draw=dusk)
    facts = make_poster(source, tmp_path / "poster.jpg", probe(source).pictures[0])
    assert facts is not None
    assert facts.at_ms is not None
    assert facts.at_ms >= 1000


def test_only_the_first_seconds_are_read(tmp_path: Path) -> None:
    """A poster must not cost a pass over an hour of footage."""
    film = replace(FILM, size=(64, 48), times_ms=range(0, 600_000, 1000), keyframe_every=1)
    source = write(tmp_path / "in.mp4", film=film, muxer={"movflags": "+faststart"})
    damaged = tmp_path / "damaged.mp4"
    raw = bytearray(source.read_bytes())
    half = len(raw) // 2
    raw[half:] = b"\0" * (len(raw) - half)
    damaged.write_bytes(raw)
    path, _ = poster(damaged, tmp_path)
    assert see(path).size == (64, 48)


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format"),
    [
        ("in.jpg", "mjpeg", "yuvj420p"),
        ("in.jpg", "mjpeg", "yuvj444p"),
        ("in.png", "png", "rgb24"),
        ("in.png", "png", "gray"),
        ("in.png", "png", "rgba"),
        ("in.bmp", "bmp", "bgr24"),
        ("in.tiff", "tiff", "rgb24"),
        ("wrong-extension.mp4", "mjpeg", "yuvj420p"),
        ("no-extension", "png", "pal8"),
    ],
)
def test_a_photograph_is_a_still_by_what_it_is_and_not_by_its_name(
    derive: Derive, tmp_path: Path, name: str, codec: str, pixel_format: str
) -> None:
    result = derive(still(tmp_path / name, codec, "rgb24" if pixel_format == "pal8" else pixel_format))
    assert (result.outcome, result.reason) == ("still", None)
    assert [(made.kind, made.media_type) for made in result.objects] == [("poster", "image/jpeg")]
    corners = see(result.objects[0].path).corners
    assert all(abs(got - want) < 12 for got, want in zip(corners, (0, 80, 160, 240), strict=True)), corners


@pytest.mark.parametrize("name", ["in.heic", "wrong-extension.jpg"])
def test_a_telephones_photograph_is_a_still(derive: Derive, tmp_path: Path, name: str) -> None:
    source = tmp_path / name
    source.write_bytes(heic(quadrants(0, 128, 96)))
    result = derive(source)
    assert (result.outcome, result.reason) == ("still", None)
    assert [(made.kind, made.media_type) for made in result.objects] == [("poster", "image/jpeg")]
    seen = see(result.objects[0].path)
    assert seen.size == (128, 96)
    assert all(abs(got - want) < 12 for got, want in zip(seen.corners, (0, 80, 160, 240), strict=True)), seen.corners


def test_a_photograph_in_tiles_is_refused_and_never_shown_in_part(derive: Derive, tmp_path: Path) -> None:
    (tmp_path / "in.heic").write_bytes(heic(quadrants(0, 128, 96), tiles=2))
    result = derive(tmp_path / "in.heic")
    assert (result.outcome, (result.reason or "").split(":")[0]) == ("undecodable", "media.tiled_still")
    assert "poster" not in [made.kind for made in result.objects]


@pytest.mark.parametrize("keep", [40, 200, 400, -60, -1])
def test_a_telephones_photograph_cut_short_ends_nothing(derive: Derive, tmp_path: Path, keep: int) -> None:
    (tmp_path / "in.heic").write_bytes(heic(quadrants(0, 128, 96))[:keep])
    result = derive(tmp_path / "in.heic")
    assert result.outcome in {"still", "undecodable"}
    assert ("poster" in [made.kind for made in result.objects]) == (result.outcome == "still")


@pytest.mark.parametrize(("orientation", "black"), [(1, 0), (3, 2), (6, 1), (8, 3)])
def test_a_photograph_stands_as_its_camera_was_held(
    derive: Derive, tmp_path: Path, orientation: int, black: int
) -> None:
    plain = still(tmp_path / "plain.jpg", "mjpeg", "yuvj420p").read_bytes()
    # Exif with a single entry, the orientation (CIPA DC-008, tag 0x0112).
    exif = b"Exif\0\0" + struct.pack(">2sHIHHHIHHI", b"MM", 42, 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    turned = tmp_path / "turned.jpg"
    turned.write_bytes(plain[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + plain[2:])
    seen = see(derive(turned).objects[0].path)
    assert seen.size == ((48, 64) if orientation in {6, 8} else (64, 48))
    assert [corner < 20 for corner in seen.corners] == [corner == black for corner in range(4)]


def test_a_broken_photograph_is_undecodable(derive: Derive, tmp_path: Path) -> None:
    raw = still(tmp_path / "in.png", "png", "rgb24").read_bytes()
    (tmp_path / "broken.png").write_bytes(raw[:40] + b"\xff" * (len(raw) - 40))
    result = derive(tmp_path / "broken.png")
    assert (result.outcome, result.objects) == ("undecodable", ())
    assert (result.reason or "").startswith("media.")


def test_a_picture_larger_than_any_camera_makes_is_refused_at_once(derive: Derive, tmp_path: Path) -> None:
    raw = bytearray(still(tmp_path / "in.png", "png", "rgb24").read_bytes())
    raw[16:24] = struct.pack(">II", 2**31 - 1, 2**31 - 1)
    (tmp_path / "huge.png").write_bytes(raw)
    assert derive(tmp_path / "huge.png").outcome == "undecodable"
    raw[16:24] = struct.pack(">II", 60_000, 60_000)
    (tmp_path / "large.png").write_bytes(raw)
    assert derive(tmp_path / "large.png").outcome == "undecodable"
