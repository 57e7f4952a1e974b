"""Damaged originals: what decodes is saved, what is lost is counted, and nothing is claimed beyond that."""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av
import pytest

from ingest.media import rendition
from ingest.media.errors import MemorySpent, NoSpace, SourceUnreadable
from ingest.media.rendition import make_renditions
from ingest.media.result import MediaResult
from ingest.media.sample import make_clip
from tests.support.media import Film, Sound, see, write

Derive = Callable[[Path], MediaResult]

FILM = Film(size=(320, 240), options={"preset": "ultrafast", "qp": "28"}, times_ms=range(0, 6000, 40))
SOUND = Sound(pieces_ms=[(0, 6000)])
FASTSTART = {"movflags": "+faststart"}


def holed(source: Path, target: Path, *, at: float, size: int, with_bytes: bytes = b"\0") -> Path:
    raw = bytearray(source.read_bytes())
    start = int(len(raw) * at)
    raw[start : start + size] = (with_bytes * size)[:size]
    target.write_bytes(raw)
    return target


def damage(result: MediaResult) -> dict[str, int]:
    found = result.probe["damage"]
    assert isinstance(found, dict)
    return found


def decoded(result: MediaResult) -> dict[str, int]:
    found = result.probe["decoded"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("container", ["mp4", "matroska", "mpegts", "avi"])
@pytest.mark.parametrize("filling", [b"\0", b"\xff", b"\x5a\xa5\x13"], ids=["zeros", "ones", "noise"])
def test_a_bad_stretch_costs_its_seconds_and_no_more(
    derive: Derive, tmp_path: Path, container: str, filling: bytes
) -> None:
    film = replace(FILM, codec="mpeg4", options={"qscale": "6"}) if container == "avi" else FILM
    sound = replace(SOUND, codec="mp2") if container == "avi" else SOUND
    muxer = FASTSTART if container == "mp4" else None
    source = write(tmp_path / "whole", film=film, sound=sound, container=container, muxer=muxer)
    whole = derive(source)
    assert whole.reason is None
    broken = holed(source, tmp_path / "broken", at=0.5, size=3000, with_bytes=filling)
    result = derive(broken)
    seen = see(result.objects[0].path)
    assert result.outcome == "reviewable"
    if container != "avi":  # which finds its place again without a word
        assert (result.reason or "").startswith("media.damaged: ")
        assert sum(damage(result).values()) > 0
    assert decoded(whole)["pictures"] * 0.6 < decoded(result)["pictures"] <= decoded(whole)["pictures"]
    assert seen.times[-1] > 5, "what comes after the damage is there"


def test_a_track_that_looked_fit_for_copying_is_encoded_when_it_does_not_decode(derive: Derive, tmp_path: Path) -> None:
    source = write(tmp_path / "whole.mp4", film=FILM, sound=SOUND)
    assert derive(source).parameters["action"] == "remux"
    result = derive(holed(source, tmp_path / "broken.mp4", at=0.5, size=2000, with_bytes=b"\xff"))
    assert result.parameters["action"] == "full"
    assert result.parameters["why"] == ["container.index_last", "decoding.damaged"]
    assert (result.reason or "").startswith("media.damaged: ")
    seen = see(result.objects[0].path)
    assert (seen.codec, seen.sound, seen.keyframe_gap <= 2) == ("h264", "aac", True)


def test_a_recording_that_broke_off_before_its_index_says_so(derive: Derive, tmp_path: Path) -> None:
    make_clip(tmp_path / "clip.mp4", seconds=4)
    raw = (tmp_path / "clip.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(raw[: len(raw) // 2])
    result = derive(tmp_path / "cut.mp4")
    assert result.outcome == "undecodable"
    assert (result.reason or "").startswith("media.index_lost: ")


@pytest.mark.parametrize("share", [0.4, 0.7, 0.95])
def test_a_file_cut_short_behind_its_index_is_saved_up_to_the_cut(derive: Derive, tmp_path: Path, share: float) -> None:
    source = write(tmp_path / "whole.mp4", film=FILM, sound=SOUND, muxer=FASTSTART)
    raw = source.read_bytes()
    (tmp_path / "cut.mp4").write_bytes(raw[: int(len(raw) * share)])
    result = derive(tmp_path / "cut.mp4")
    container = result.probe["container"]
    assert isinstance(container, dict)
    assert container["missing_bytes"] == len(raw) - int(len(raw) * share)
    assert result.outcome == "reviewable"
    assert "missing bytes" in (result.reason or "")
    assert 0 < decoded(result)["pictures"] < 150
    assert abs(see(result.objects[0].path).times[-1] - 6 * share) < 1


def test_a_file_cut_inside_its_head_is_undecodable(derive: Derive, tmp_path: Path) -> None:
    source = write(tmp_path / "whole.mp4", film=FILM, muxer=FASTSTART)
    (tmp_path / "cut.mp4").write_bytes(source.read_bytes()[:600])
    assert derive(tmp_path / "cut.mp4").outcome == "undecodable"


def test_pictures_that_never_decode_leave_the_sound(derive: Derive, tmp_path: Path) -> None:
    source = write(tmp_path / "whole.mkv", film=FILM, sound=replace(SOUND, codec="flac"), container="matroska")
    with av.open(str(source)) as container, av.open(str(tmp_path / "in.mkv"), "w", format="matroska") as output:
        pairs = {stream.index: output.add_stream_from_template(stream) for stream in container.streams}
        for packet in container.demux():
            if packet.size:
                is_video = packet.stream.type == "video"
                copied = av.Packet(b"\x00\x00\x00\x05\x41\xff\xff\xff\xff" if is_video else bytes(packet))
                copied.pts, copied.dts, copied.time_base = packet.pts, packet.dts, packet.time_base
                copied.stream = pairs[packet.stream_index]
                copied.is_keyframe = packet.is_keyframe
                output.mux(copied)
    result = derive(tmp_path / "in.mkv")
    assert result.outcome == "audio"
    assert "picture.undecodable" in str(result.parameters["why"])
    assert ("proxy", "audio/mp4") in [(made.kind, made.media_type) for made in result.objects]
    assert "poster" not in [made.kind for made in result.objects]


def test_sound_that_never_decodes_leaves_the_pictures(derive: Derive, tmp_path: Path) -> None:
    source = write(tmp_path / "whole.mp4", film=FILM, sound=SOUND, muxer=FASTSTART)
    with av.open(str(source)) as container:
        spans = [(packet.pos, packet.size) for packet in container.demux(audio=0) if packet.pos and packet.size]
    raw = bytearray(source.read_bytes())
    for position, size in spans:
        raw[position : position + size] = b"\xff" * size
    (tmp_path / "in.mp4").write_bytes(raw)
    result = derive(tmp_path / "in.mp4")
    assert result.outcome == "reviewable"
    assert damage(result)["sound_errors"] > 0
    assert decoded(result)["pictures"] == 150
    assert len(see(result.objects[0].path).times) == 150


def test_times_that_run_backwards_are_counted_and_the_copy_still_plays(derive: Derive, tmp_path: Path) -> None:
    first = write(tmp_path / "a.ts", film=FILM, container="mpegts", muxer={"output_ts_offset": "50"})
    second = write(tmp_path / "b.ts", film=FILM, container="mpegts")
    (tmp_path / "in.ts").write_bytes(first.read_bytes() + second.read_bytes())
    result = derive(tmp_path / "in.ts")
    seen = see(result.objects[0].path)
    assert damage(result)["time_breaks"] == 1
    assert len(seen.times) == 300
    assert seen.duration < 13


def test_a_jump_of_years_does_not_make_a_film_of_years(derive: Derive, tmp_path: Path) -> None:
    times = [*range(0, 2000, 40), *range(2**31 - 100_000, 2**31 - 98_000, 40)]
    source = write(tmp_path / "in.mkv", film=replace(FILM, times_ms=times), container="matroska")
    raw = bytearray(source.read_bytes())
    at = raw.index(b"\x44\x89\x88")  # the stated duration, in milliseconds, as a double
    raw[at + 3 : at + 11] = struct.pack(">d", 4000.0)
    source.write_bytes(raw)
    result = derive(source)
    assert damage(result)["time_breaks"] == 1
    assert see(result.objects[0].path).duration < 5


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (OSError(errno.ENOSPC, "full"), NoSpace),
        (OSError(errno.EDQUOT, "quota"), NoSpace),
        (av.error.OSError(errno.ENOSPC, "full"), NoSpace),
        (MemoryError(), MemorySpent),
        (av.error.MemoryError(errno.ENOMEM, "none"), MemorySpent),
    ],
)
def test_what_is_not_the_files_fault_is_raised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, raised: type[Exception]
) -> None:
    def failing(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(rendition, "make_proxy", failing)
    make_clip(tmp_path / "clip.mp4", seconds=1)
    with pytest.raises(raised):
        make_renditions(tmp_path / "clip.mp4", tmp_path, threads=1, report=lambda read: None, tell=lambda facts: None)


def test_a_full_disk_is_told_from_a_broken_file(tmp_path: Path) -> None:
    """A real full disk: /dev/full takes nothing."""
    make_clip(tmp_path / "clip.mp4", seconds=1)
    (tmp_path / "poster.jpg").symlink_to("/dev/full")
    with pytest.raises(NoSpace):
        make_renditions(tmp_path / "clip.mp4", tmp_path, threads=1, report=lambda read: None, tell=lambda facts: None)


def test_a_disk_that_does_not_read_is_told_from_a_broken_file(tmp_path: Path) -> None:
    """A real read error: the memory of a process at address 0."""
    with pytest.raises(SourceUnreadable):
        make_renditions(Path("/proc/self/mem"), tmp_path, threads=1, report=lambda read: None, tell=lambda facts: None)
    with pytest.raises(SourceUnreadable):
        make_renditions(tmp_path / "gone", tmp_path, threads=1, report=lambda read: None, tell=lambda facts: None)
