from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import pytest
from av.packet import Packet
from av.stream import Stream

from ingest.media.edits import edit_shifts
from ingest.media.errors import RangesUnknown
from ingest.media.frame_format import read_frames
from ingest.media.frames import HIDDEN, KEY, NO_DTS, FrameIndex, FrameTrack, ranges_between
from tests.integration.ingest.media.conftest import Derive
from tests.support import media
from tests.support.media import Film, Sound

FILM = Film(times_ms=tuple(range(0, 2000, 40)), keyframe_every=25)
PIECES = {"mp4": "aac", "mov": "pcm_s16le", "matroska": "aac", "avi": "pcm_s16le", "flv": "aac", "mpegts": "aac"}


def indexed(derive: Derive, source: Path) -> FrameIndex:
    made = {item.kind: item for item in derive(source).objects}
    return read_frames(made["frames"].path.read_bytes())


def film(tmp_path: Path, container: str = "mp4") -> Path:
    sound = Sound(codec=PIECES[container], sample_rate=44_100)
    return media.write(tmp_path / f"film.{container}", film=FILM, sound=sound, container=container)


@pytest.mark.parametrize("container", [name for name in PIECES if name != "mpegts"])
def test_the_bytes_of_every_unit_are_where_the_index_says(derive: Derive, tmp_path: Path, container: str) -> None:
    source = film(tmp_path, container)
    raw = source.read_bytes()
    index = indexed(derive, source)
    assert index.ranges
    assert index.size == len(raw)
    for track, kind in zip(index.tracks, ("video", "audio"), strict=True):
        assert track.kind == kind
        packets = media.packets_of(source, kind)
        assert packets == [raw[start:end] for start, end in track.places]
        assert len(packets) > 40


@pytest.mark.parametrize("container", ["mp4", "matroska", "mpegts"])
def test_times_and_key_frames_are_those_of_the_packets(derive: Derive, tmp_path: Path, container: str) -> None:
    source = film(tmp_path, container)
    index = indexed(derive, source)
    with av.open(str(source)) as opened:
        packets = [packet for packet in opened.demux() if packet.size]
        starts = [(stream.start_time or 0) * (stream.time_base or Fraction(1)) for stream in opened.streams]
    for track in index.tracks:
        of_track = [packet for packet in packets if packet.stream_index == track.index]
        assert list(track.pts) == [packet.pts for packet in of_track]
        unstated = [bool(flags & NO_DTS) for flags in track.flags]
        assert unstated == [packet.dts is None for packet in of_track]
        stated = [dts for dts, missing in zip(track.dts, unstated, strict=True) if not missing]
        assert stated == [packet.dts for packet in of_track if packet.dts is not None]
        assert [bool(flags & KEY) for flags in track.flags] == [packet.is_keyframe for packet in of_track]
        assert track.unit == of_track[0].time_base
    assert index.origin == min(starts)


def test_a_transport_stream_says_that_it_has_no_ranges(derive: Derive, tmp_path: Path) -> None:
    index = indexed(derive, film(tmp_path, "mpegts"))
    assert not index.ranges
    with pytest.raises(RangesUnknown):
        ranges_between(index, from_s=Fraction(0), to_s=Fraction(1))


def test_what_the_ranges_name_is_enough_to_show_the_seconds(derive: Derive, tmp_path: Path) -> None:
    """All other media bytes are wiped; the pictures of these seconds must come out the same."""
    source = film(tmp_path)
    index = indexed(derive, source)
    wanted = ranges_between(index, from_s=Fraction(12, 10), to_s=Fraction(16, 10))
    raw = source.read_bytes()
    wiped = bytearray(raw)
    for track in index.tracks:
        for start, end in track.places:
            wiped[start:end] = bytes(end - start)
    for run in wanted:
        wiped[run.offset : run.end] = raw[run.offset : run.end]
    assert sum(run.size for run in wanted) < len(raw) * 3 / 4
    hollow = tmp_path / "hollow.mp4"
    hollow.write_bytes(wiped)
    assert _pictures(hollow, 1200, 1600) == _pictures(source, 1200, 1600) != {}


def _pictures(source: Path, from_ms: int, to_ms: int) -> dict[int, bytes]:
    found = {}
    with av.open(str(source)) as container:
        for packet in container.demux(video=0):
            try:
                frames = packet.decode()
            except av.error.InvalidDataError:
                continue
            for frame in frames:
                assert isinstance(frame, av.VideoFrame)
                assert frame.pts is not None
                assert frame.time_base is not None
                if from_ms <= frame.pts * frame.time_base * 1000 < to_ms:
                    found[frame.pts] = bytes(frame.planes[0])
    return found


def test_tracks_that_are_not_reviewed_are_listed_too(derive: Derive, tmp_path: Path) -> None:
    source = tmp_path / "two.mp4"
    with av.open(str(film(tmp_path))) as first, av.open(str(source), "w") as output:
        streams = [output.add_stream_from_template(stream) for stream in (*first.streams, first.streams.audio[0])]
        for packet in first.demux():
            if packet.size:
                copies = [packet] if packet.stream_index == 0 else [packet, _copied(packet)]
                for copy, stream in zip(copies, streams[packet.stream_index :], strict=False):
                    copy.stream = stream
                    output.mux(copy)
    index = indexed(derive, source)
    assert [track.kind for track in index.tracks] == ["video", "audio", "audio"]
    assert [len(track) for track in index.tracks[1:]] == [len(media.packets_of(source, "audio"))] * 2
    assert index.ranges


def _copied(packet: Packet[Stream]) -> Packet[Stream]:
    copy: Packet[Stream] = av.Packet(bytes(packet))
    copy.pts, copy.dts, copy.duration, copy.time_base = packet.pts, packet.dts, packet.duration, packet.time_base
    return copy


def test_edits_are_told_as_a_shift_of_the_track(derive: Derive, tmp_path: Path) -> None:
    """Two pictures are held back by the encoder, 1024 samples by AAC: that is what the muxer's edits take off."""
    pictures, sound = indexed(derive, film(tmp_path)).tracks
    assert pictures.edit_shift == -pictures.dts[0] > 0
    assert sound.edit_shift == 1024


def test_an_edit_that_hides_pictures_is_seen(derive: Derive, tmp_path: Path) -> None:
    source = film(tmp_path)
    raw = bytearray(source.read_bytes())
    place = raw.index(b"elst") + 12
    length, start, rate = struct.unpack_from(">Iii", raw, place)
    struct.pack_into(">Iii", raw, place, length - 400, start + 400 * 16, rate)
    source.write_bytes(raw)
    pictures = indexed(derive, source).tracks[0]
    assert any(flags & HIDDEN for flags in pictures.flags)
    assert pictures.edit_shift == start + 400 * 16


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", 8 + len(body)) + kind + body


def movie(*edits: tuple[int, int], version: int = 0, tracks: int = 1) -> bytes:
    head = box(b"mvhd", bytes(12) + struct.pack(">I", 1000) + bytes(80))
    form = ">QqI" if version else ">IiI"
    listed = bytes([version, 0, 0, 0]) + struct.pack(">I", len(edits))
    listed += b"".join(struct.pack(form, length, start, 0x10000) for length, start in edits)
    identity = box(b"tkhd", bytes(12) + struct.pack(">I", 7) + bytes(68))
    media_head = box(b"mdia", box(b"mdhd", bytes(12) + struct.pack(">I", 48_000) + bytes(8)))
    trak = box(b"trak", identity + box(b"edts", box(b"elst", listed)) + media_head)
    return box(b"ftyp", b"isom") + box(b"moov", head + trak * tracks)


def shifts(raw: bytes) -> dict[int, int]:
    return dict(edit_shifts(lambda offset, count: raw[offset : offset + count], len(raw)))


@pytest.mark.parametrize("version", [0, 1])
def test_a_late_start_counts_against_the_shift(version: int) -> None:
    assert shifts(movie((5000, 1024), version=version)) == {7: 1024}
    assert shifts(movie((500, -1), (5000, 1024), version=version)) == {7: 1024 - 24_000}
    assert shifts(movie((500, -1), version=version)) == {}


@pytest.mark.parametrize("cut", [1, 5, 9, 30, 60, 100, 150, 200])
def test_a_head_cut_anywhere_says_nothing_wrong(cut: int) -> None:
    raw = movie((5000, 1024))
    assert shifts(raw[:-cut]) == {}
    # A box that claims more than what encloses it ends the walk as well.
    stretched = bytearray(raw)
    struct.pack_into(">I", stretched, raw.index(b"edts") - 4, 2**31)
    assert shifts(bytes(stretched)) == {}


def test_no_index_is_made_of_a_photograph(derive: Derive, tmp_path: Path) -> None:
    film = Film(codec="mjpeg", pixel_format="yuvj420p", times_ms=(0,))
    source = media.write(tmp_path / "still.jpg", film=film, container="image2", muxer={"update": "1"})
    assert [made.kind for made in derive(source).objects] == ["poster"]


def test_the_index_does_not_change_with_the_way_the_copy_is_made(derive: Derive, tmp_path: Path) -> None:
    """Copied or encoded, the original's bytes are the same."""
    source = film(tmp_path, "mov")
    result = derive(source)
    assert result.parameters["action"] in ("audio-only", "full")
    track = indexed(derive, source).tracks[0]
    assert isinstance(track, FrameTrack)
    assert result.probe["frames"] == {"ranges": True, "units": sum(map(len, indexed(derive, source).tracks))}
