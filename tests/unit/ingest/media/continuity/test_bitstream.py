"""The reader of headers agrees with the decoder about every picture; broken headers are counted and never raise."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import get_args

import av
import pytest
from av.video.frame import PictureType, VideoFrame
from hypothesis import given
from hypothesis import strategies as st

from ingest.media.continuity.bits import Bits, Unreadable, units_by_length, units_by_mark
from ingest.media.continuity.bitstream import PictureCodec, PictureWatch, SoundWatch, picture_codec
from ingest.media.continuity.codes import CODES
from ingest.media.continuity.h264 import H264
from ingest.media.continuity.h265 import H265
from ingest.media.continuity.meaning import Severity
from ingest.media.continuity.observation import Notebook, Place
from ingest.media.continuity.pictures import Picture
from tests.support.continuity import MAKES
from tests.support.shared import shared_folder

CODED = [name for name, make in MAKES.items() if make.codec in ("libx264", "libx265")]
KINDS = {PictureType.I: "I", PictureType.P: "P", PictureType.B: "B"}
FOOTAGE = [
    pytest.param("corridor-139s-10fps-silent.mp4", marks=pytest.mark.slow),
    pytest.param("dashcam-vfr-5s.mp4", marks=pytest.mark.slow),
    pytest.param("h264-1080p50-pcm.mov", marks=pytest.mark.slow),
    "gopro-karma.mp4",
    "iphone-hevc-hlg-rot90-editlist.mp4",
    "signed/axis-original.mp4",
]


class Collected:
    """What the readers yield, with the watch's own rules left out."""

    def __init__(self, path: Path) -> None:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            codec = picture_codec(stream.codec_context.name)
            assert codec is not None
            self.watch = PictureWatch(Notebook(), codec, bytes(stream.codec_context.extradata or b""))
            self.pictures: list[Picture] = []
            self.watch._rules = (self,)  # type: ignore[assignment]
            self.times: list[int] = []
            for packet in container.demux(stream):
                if packet.size and packet.pts is not None:
                    self.times.append(packet.pts)
                    self.watch.feed(bytes(packet), Place())
            self.watch.finish()

    def take(self, picture: Picture) -> None:
        self.pictures.append(picture)


def decoded(path: Path) -> Iterator[VideoFrame]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_type = "NONE"
        for packet in container.demux(stream):
            yield from packet.decode()


def agree(path: Path) -> None:
    """Compare with libavcodec: number, kinds, full pictures, and the order of showing."""
    own, frames = Collected(path), list(decoded(path))
    assert len(own.pictures) == len(own.times)
    shown: list[Picture] = []
    sequence: list[Picture] = []
    for picture in own.pictures:
        if picture.opens:
            shown += sorted(sequence, key=lambda item: item.order or 0)
            sequence = []
        sequence.append(picture)
    shown += sorted(sequence, key=lambda item: item.order or 0)
    assert own.watch._reader.unread == 0
    # Edit lists hide pictures at either end from a decoder; what is shown is one run of what is there.
    kinds = [KINDS[PictureType(frame.pict_type)] for frame in frames]
    mine = [picture.kind for picture in shown]
    starts = [start for start in range(len(mine) - len(kinds) + 1) if mine[start : start + len(kinds)] == kinds]
    assert starts, (mine, kinds)
    if len(frames) == len(shown):
        marked = [frame.key_frame for frame in frames]
        assert all(flag for flag, picture in zip(marked, shown, strict=True) if picture.entry)
    # Pictures in decoding order, placed by their order of showing, have rising times.
    times = dict(zip(map(id, own.pictures), own.times, strict=True))
    ordered = [times[id(picture)] for picture in shown]
    assert ordered == sorted(ordered)


@pytest.mark.parametrize("name", [name for name in CODED if "avi" not in name])
def test_every_picture_is_what_the_decoder_says(intact: Mapping[str, Path], name: str) -> None:
    agree(intact[name])


def test_the_makes_cover_what_they_are_meant_to(intact: Mapping[str, Path]) -> None:
    pictures = {name: Collected(intact[name]).pictures for name in CODED}
    assert {"I", "P", "B"} == {picture.kind for picture in pictures["mp4 with B-pictures"]}
    assert any(picture.kind == "B" and picture.reference for picture in pictures["mp4 with B-pictures"])
    assert sum(picture.entry for picture in pictures["mp4 with open groups"]) == 1
    assert any(picture.leads for picture in pictures["mp4 of H.265"])
    assert any(len(picture.needs) > 1 for picture in pictures["mp4 of H.265"])


@pytest.mark.parametrize("name", FOOTAGE)
def test_cameras_pictures_are_what_the_decoder_says(name: str) -> None:
    agree(shared_folder("footage", *name.split("/")))


@pytest.mark.parametrize("name", CODED)
def test_intact_pictures_give_no_occasion(intact: Mapping[str, Path], name: str) -> None:
    assert watched(intact[name]).codes(Severity.HIGH) | watched(intact[name]).codes(Severity.NOTICE) == set()


def watched(path: Path, *, without: int | None = None, entry: bool = False, twice: bool = False) -> Notebook:
    """Watch a file, with the packet of a number left out, or the first full picture behind it; or the file twice."""
    notebook = Notebook()
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        codec = picture_codec(stream.codec_context.name)
        assert codec is not None
        watch = PictureWatch(notebook, codec, bytes(stream.codec_context.extradata or b""))
        packets = [packet for packet in container.demux(stream) if packet.size]
        if entry and without is not None:
            without = next(number for number, packet in enumerate(packets) if packet.is_keyframe and number > without)
        for _ in range(1 + twice):
            for number, packet in enumerate(packets):
                if number != without:
                    watch.feed(bytes(packet), Place(first_byte=packet.pos))
        watch.finish()
    return notebook


@pytest.mark.parametrize("name", [name for name in CODED if "refresh" not in name])
@pytest.mark.parametrize("number", [4, 17, 30, 42])
def test_a_missing_picture_is_missed(intact: Mapping[str, Path], name: str, number: int) -> None:
    number = min(number, 8) if name == "mp4 variable rate" else number
    assert watched(intact[name], without=number).codes(Severity.HIGH)


@pytest.mark.parametrize("name", [name for name in CODED if "refresh" not in name and "one group" not in name])
def test_a_missing_full_picture_is_missed(intact: Mapping[str, Path], name: str) -> None:
    assert watched(intact[name], without=3, entry=True).codes(Severity.HIGH)


@pytest.mark.parametrize("name", ["mp4", "mp4 with B-pictures", "mkv", "ts"])
def test_an_encoder_that_begins_again_is_heard(intact: Mapping[str, Path], name: str) -> None:
    assert "bitstream.encoder_restarted" in watched(intact[name], twice=True).counts


def test_damaged_streams_of_others() -> None:
    folder = shared_folder("footage", "damaged")
    assert not watched(folder / "ba_mw_d-intact.264").codes(Severity.HIGH)
    assert watched(folder / "ba_mw_d-p-lost.264").codes(Severity.HIGH) >= {"bitstream.frame_gap"}
    assert watched(folder / "ba_mw_d-idr-lost.264").codes(Severity.HIGH) == {"bitstream.start_missing"}


def test_signed_media_are_noted() -> None:
    folder = shared_folder("footage", "signed")
    (seen,) = [item for item in watched(folder / "axis-signed.mp4") if item.code == "bitstream.signed"]
    assert seen.measured["scheme"] == "Axis signed video"
    assert "bitstream.signed" not in watched(folder / "axis-original.mp4").counts


def test_other_parameters_in_the_middle_are_noted(intact: Mapping[str, Path]) -> None:
    notebook = Notebook()
    watch = PictureWatch(notebook, "h264", b"")
    for name in ("ts", "mp4 baseline"):
        with av.open(str(intact[name])) as container:
            stream = container.streams.video[0]
            raw = bytes(stream.codec_context.extradata or b"")
            if raw[:1] == b"\x01":
                length = int.from_bytes(raw[6:8])
                watch.feed(b"\0\0\1" + raw[8 : 8 + length], Place())
                continue
            for packet in container.demux(stream):
                watch.feed(bytes(packet), Place())
    assert "bitstream.parameters_changed" in notebook.codes(Severity.HIGH)


def test_sound_that_begins_again_is_heard() -> None:
    notebook = Notebook()
    watch = SoundWatch(notebook)
    for data in (b"\xde\x02\x00Lavc62.28.101\x00\x02", b"\x21\x10", b"\xde\x02\x00Lavc62.28.101\x00\x02"):
        watch.feed(data, Place())
    watch.finish()
    assert [item.measured for item in notebook] == [{"packet": 2}]


@given(st.integers(0, 2**20), st.integers(-(2**20), 2**20))
def test_exp_golomb_numbers_come_back(number: int, signed: int) -> None:
    def spelled(value: int) -> str:
        word = f"{value + 1:b}"
        return "0" * (len(word) - 1) + word

    word = spelled(number) + spelled(2 * signed - 1 if signed > 0 else -2 * signed) + "1"
    word += "0" * (-len(word) % 8)
    bits = Bits(int(word, 2).to_bytes(len(word) // 8).replace(b"\0\0", b"\0\0\3"))
    assert (bits.ue(), bits.se()) == (number, signed)


@pytest.mark.parametrize("unit", [b"", b"\0" * 40, b"\0\0\0\0\0\1"], ids=range(3))
def test_a_number_without_an_end_is_no_number(unit: bytes) -> None:
    with pytest.raises(Unreadable):
        Bits(unit).ue()


def test_units_are_told_apart() -> None:
    assert list(units_by_mark(b"\0\0\0\1ab\0\0\1c\0\0\0\1\0\0\1d")) == [b"ab", b"c", b"d"]
    assert list(units_by_length(b"\0\2ab\0\0\0\1c", 2)) == [b"ab", b"c"]
    with pytest.raises(Unreadable):
        list(units_by_length(b"\0\2ab\0\7c", 2))


@given(st.lists(st.binary(min_size=1, max_size=80), max_size=30), st.sampled_from(get_args(PictureCodec)))
def test_no_units_break_the_readers(units: list[bytes], codec: PictureCodec) -> None:
    reader = H264() if codec == "h264" else H265()
    for unit in units:
        reader.set_of(unit)
        reader.sei_of(unit)
        list(reader.feed(unit, Place()))
    list(reader.finish())


@given(st.binary(max_size=120), st.lists(st.binary(max_size=200), max_size=10), st.sampled_from(get_args(PictureCodec)))
def test_no_packets_break_the_watch(configuration: bytes, packets: list[bytes], codec: PictureCodec) -> None:
    watch = PictureWatch(Notebook(), codec, configuration)
    for packet in packets:
        watch.feed(packet, Place())
    watch.finish()


@pytest.mark.parametrize("name", ["mp4 with B-pictures", "mp4 weighted", "mp4 interlaced", "mp4 of H.265", "ts"])
def test_flipped_bits_break_nothing(intact: Mapping[str, Path], name: str) -> None:
    chance = random.Random(name)
    notebook = Notebook()
    with av.open(str(intact[name])) as container:
        stream = container.streams.video[0]
        codec = picture_codec(stream.codec_context.name)
        assert codec is not None
        raw = bytes(stream.codec_context.extradata or b"")
        packets = [bytes(packet) for packet in container.demux(stream) if packet.size]
    for _ in range(20):
        watch = PictureWatch(notebook, codec, flipped(raw, chance))
        for packet in packets:
            watch.feed(flipped(packet, chance), Place())
        watch.finish()
    assert set(notebook.counts) <= set(CODES)


def flipped(data: bytes, chance: random.Random) -> bytes:
    broken = bytearray(data)
    for _ in range(chance.randrange(0, 4) if data else 0):
        broken[chance.randrange(min(len(data), 60))] ^= 1 << chance.randrange(8)
    return bytes(broken)
