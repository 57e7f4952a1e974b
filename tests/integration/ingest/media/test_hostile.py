"""Files that are no footage, or want something: none may be followed, none may hurt, each gets its word."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av
import pytest

from ingest.media.opening import DEMUXERS, opened
from ingest.media.probe import TRACKS_MAX, probe
from ingest.media.result import LINE_BYTES_MAX, MediaResult, format_saying
from ledger.canonical import canonical_json
from tests.support.media import Film, Sound, write

Derive = Callable[[Path], MediaResult]

FILM = Film(options={"preset": "ultrafast", "qp": "30"}, times_ms=range(0, 1000, 40))


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file that nobody meant to hand over."""
    return write(tmp_path / "secret.ts", film=FILM, sound=Sound(pieces_ms=[(0, 1000)]), container="mpegts")


def lists(secret: Path) -> dict[str, bytes]:
    """Formats that name other files or hosts."""
    path = str(secret)
    return {
        "a.ffconcat": f"ffconcat version 1.0\nfile '{path}'\n".encode(),
        "a.m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:1,\n{path}\n#EXT-X-ENDLIST\n".encode(),
        "b.m3u8": b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n",
        "c.m3u8": f"#EXTM3U\n#EXTINF:1,\nconcat:{path}|{path}\n#EXT-X-ENDLIST\n".encode(),
        "a.mpd": (
            '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
            'mediaPresentationDuration="PT1S"><Period><AdaptationSet mimeType="video/mp4"><Representation id="1" '
            f'bandwidth="1"><BaseURL>file://{path}</BaseURL></Representation></AdaptationSet></Period></MPD>'
        ).encode(),
        "a.sdp": b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=video 9 RTP/AVP 96\r\n",
        "a.ism": b'<?xml version="1.0"?><SmoothStreamingMedia MajorVersion="2" MinorVersion="0" Duration="1"/>',
        "a.asx": f'<ASX version="3.0"><Entry><Ref href="{path}"/></Entry></ASX>'.encode(),
        "a.pls": f"[playlist]\nFile1={path}\nNumberOfEntries=1\n".encode(),
        "a.cue": f'FILE "{path}" WAVE\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n'.encode(),
        "a.svg": f'<svg xmlns="http://www.w3.org/2000/svg"><image href="{path}"/></svg>'.encode(),
        "a.ram": f"file://{path}\n".encode(),
    }


@pytest.mark.parametrize("name", lists(Path("x")))
def test_a_list_that_names_other_files_is_not_followed(derive: Derive, secret: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(lists(secret)[name])
    result = derive(tmp_path / name)
    assert (result.outcome, result.objects) == ("undecodable", ())
    assert (result.reason or "").startswith(("media.not_media:", "media.format_refused:"))


def test_the_same_lists_are_followed_by_an_unguarded_library(secret: Path, tmp_path: Path) -> None:
    """Else the test above would prove nothing."""
    (tmp_path / "a.ffconcat").write_bytes(lists(secret)["a.ffconcat"])
    (tmp_path / "a.m3u8").write_bytes(lists(secret)["a.m3u8"])
    with av.open(str(tmp_path / "a.ffconcat"), options={"safe": "0"}) as container:
        assert any(packet.size for packet in container.demux())
    with av.open(str(tmp_path / "a.m3u8")) as container:
        assert any(packet.size for packet in container.demux())


def test_even_a_list_that_is_let_in_can_open_nothing(
    secret: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two locks: without the list of formats the protocol lock must hold alone."""
    (tmp_path / "a.ffconcat").write_bytes(lists(secret)["a.ffconcat"])
    monkeypatch.setattr("ingest.media.opening.DEMUXERS", DEMUXERS | {"concat", "hls"})
    with pytest.raises(av.error.FFmpegError), opened(tmp_path / "a.ffconcat") as container:
        list(container.demux())


def test_no_format_on_the_list_is_a_list_itself() -> None:
    followers = {"concat", "concatf", "hls", "dash", "sdp", "rtsp", "rtp", "image2", "imf", "applehttp", "lavfi", "tee"}
    assert not DEMUXERS & (followers | {"ffmetadata", "webm_dash_manifest", "vapoursynth", "avisynth", "srt", "tty"})
    known = {name for entry in av.formats_available for name in entry.split(",")}
    assert known >= DEMUXERS, DEMUXERS - known


def test_an_external_reference_inside_an_mp4_stays_shut(derive: Derive, secret: Path, tmp_path: Path) -> None:
    source = write(tmp_path / "in.mp4", film=FILM)
    raw = source.read_bytes()
    place = raw.index(b"url \0\0\0\1") - 4
    # A data reference to another file, in the room of the one that says "in here" and the free space behind it.
    target = f"file://{secret}\0".encode()
    url = struct.pack(">I4sI", 12 + len(target), b"url ", 0) + target
    changed = raw[:place] + url + raw[place + 12 :]
    for name in (b"dref", b"dinf", b"minf", b"mdia", b"trak", b"moov"):
        at = changed.index(name) - 4
        (size,) = struct.unpack_from(">I", changed, at)
        changed = changed[:at] + struct.pack(">I", size + len(url) - 12) + changed[at + 4 :]
    (tmp_path / "dref.mp4").write_bytes(changed)
    result = derive(tmp_path / "dref.mp4")
    # What is decoded, if anything, are the bytes of this very file.
    assert result.outcome in {"undecodable", "reviewable"}
    if result.outcome == "reviewable":
        assert len(result.probe["pictures"]) == 1  # type: ignore[arg-type]
        assert not result.probe["sounds"]


NOISE = {
    "empty": b"",
    "one byte": b"\0",
    "zeros": bytes(100_000),
    "ones": b"\xff" * 100_000,
    "text": "执法记录仪\n".encode() * 1000,
    "executable": b"\x7fELF\x02\x01\x01" + bytes(5000),
    "zip": b"PK\x03\x04" + bytes(3000),
    "pdf": b"%PDF-1.7\n" + b"1 0 obj\n<<>>\nendobj\n" * 50,
    "only ftyp": b"\0\0\0\x18ftypisom\0\0\0\0isomisom",
    "riff head": b"RIFF\xff\xff\xff\xffAVI LIST",
    "ts sync bytes": (b"\x47" + bytes(187)) * 500,
    "jpeg head": b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0",
    "gif head": b"GIF89a\xff\xff\xff\xff\0\0\0",
    "mkv head": b"\x1aE\xdf\xa3\xa3B\x86\x81\x01",
    "wav of nothing": b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\0\0\0\0",
}


@pytest.mark.parametrize("raw", NOISE.values(), ids=NOISE.keys())
def test_what_is_no_footage_is_undecodable_with_a_reason(derive: Derive, tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "DCAM_3100127_110421_20261118_091500.mp4").write_bytes(raw)
    result = derive(tmp_path / "DCAM_3100127_110421_20261118_091500.mp4")
    assert result.outcome == "undecodable"
    assert {made.kind for made in result.objects} <= {"continuity"}
    code, _, sentence = (result.reason or "").partition(": ")
    assert code.startswith("media.")
    assert sentence
    left = {path.name for path in (tmp_path / "work").iterdir()}
    assert left == {made.path.name for made in result.objects}, "nothing half-made stays"


@pytest.mark.parametrize("seed", range(12))
def test_random_bytes_are_undecodable(derive: Derive, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    (tmp_path / "in.mp4").write_bytes(chance.randbytes(chance.choice([2, 100, 5000, 300_000, 2_000_000])))
    assert derive(tmp_path / "in.mp4").outcome == "undecodable"


def test_a_film_without_a_single_picture_is_undecodable(derive: Derive, tmp_path: Path) -> None:
    source = write(tmp_path / "full.mp4", film=FILM, muxer={"movflags": "+faststart"})
    raw = source.read_bytes()
    # Same head, no sample: the counts in stsz and stco are what a decoder goes by.
    for kind, offset in ((b"stsz", 12), (b"stco", 8), (b"stsc", 8), (b"stts", 8)):
        at = raw.index(kind) + offset
        raw = raw[:at] + bytes(4) + raw[at + 4 :]
    (tmp_path / "in.mp4").write_bytes(raw)
    result = derive(tmp_path / "in.mp4")
    assert result.outcome == "undecodable"
    assert (result.reason or "").startswith(("media.no_tracks", "media.nothing_decodes", "media.not_media"))


@pytest.mark.parametrize("side", [2**16 - 1, 2**14])
def test_declared_dimensions_are_not_believed(derive: Derive, tmp_path: Path, side: int) -> None:
    source = write(tmp_path / "small.mp4", film=FILM, muxer={"movflags": "+faststart"})
    raw = bytearray(source.read_bytes())
    at = raw.index(b"avc1", raw.index(b"stsd")) + 28
    raw[at : at + 4] = struct.pack(">HH", side, side)
    (tmp_path / "in.mp4").write_bytes(raw)
    result = derive(tmp_path / "in.mp4")
    assert result.outcome == "reviewable"
    assert result.probe["pictures"][0]["width"] == 128  # type: ignore[index,call-overload]


def test_a_name_says_nothing(derive: Derive, tmp_path: Path) -> None:
    source = write(tmp_path / "photo.jpg", film=FILM, container="mp4")
    assert derive(source).outcome == "reviewable"
    source = write(tmp_path / "%d|file:..\udcff\n.mp4", film=FILM)
    assert derive(source).outcome == "reviewable"


def test_tags_that_are_not_utf_8_end_up_in_canonical_json(derive: Derive, tmp_path: Path) -> None:
    source = write(tmp_path / "in.mp4", film=FILM, tags={"title": "TITLETITLE", "comment": "ok"})
    source.write_bytes(source.read_bytes().replace(b"TITLETITLE", b"\xd6\xb4\xb7\xa8\xff\x00\x1b[2J"[:10]))
    result = derive(source)
    canonical_json(result.probe)
    tags = result.probe["container"]["tags"]  # type: ignore[index,call-overload]
    assert isinstance(tags, dict)
    assert str(tags["title"]).startswith("\\xd6\\xb4\\xb7\\xa8\\xff") or "ִ" in str(tags["title"])
    assert tags["comment"] == "ok"


def test_a_file_full_of_tags_and_tracks_still_fits_one_line(derive: Derive, tmp_path: Path) -> None:
    path = tmp_path / "in.mkv"
    with av.open(str(path), "w", format="matroska") as output:
        for number in range(100):
            output.metadata[f"tag{number}" + "n" * 100] = "\\" * 5000
        streams = [output.add_stream("pcm_s16le", rate=8000, layout="mono") for _ in range(3 * TRACKS_MAX)]
        for stream in streams:
            stream.metadata.update({f"t{n}": "语" * 2000 for n in range(60)})
        for stream in streams:
            frame = av.AudioFrame(format="s16", layout="mono", samples=800)
            frame.sample_rate, frame.pts = 8000, 0
            for plane in frame.planes:
                plane.update(bytes(plane.buffer_size))
            output.mux(stream.encode(frame))
    result = derive(path)
    assert result.outcome == "audio"
    assert result.probe["tracks_omitted"] == 2 * TRACKS_MAX
    assert len(format_saying(result)) < LINE_BYTES_MAX


def test_numbers_beyond_all_measure_are_left_out(tmp_path: Path) -> None:
    source = write(tmp_path / "in.mp4", film=FILM, muxer={"movflags": "+faststart"})
    raw = bytearray(source.read_bytes())
    for kind, version_1 in ((b"mvhd", 24), (b"mdhd", 24)):
        at = raw.index(kind) + 4
        raw[at + 16 : at + 20] = b"\xff\xff\xff\xff"
        raw[at + 12 : at + 16] = b"\0\0\0\1"
        assert version_1
    (tmp_path / "long.mp4").write_bytes(raw)
    canonical_json(probe(tmp_path / "long.mp4").as_json())


def test_cover_art_does_not_make_a_song_a_film(derive: Derive, tmp_path: Path) -> None:
    source = write(tmp_path / "in.mp3", sound=Sound(codec="libmp3lame", sample_rate=44_100), container="mp3")
    jpeg = write(
        tmp_path / "c.jpg",
        film=replace(FILM, codec="mjpeg", pixel_format="yuvj420p", options={}, times_ms=[0]),
        container="mjpeg",
    )
    picture = b"\0image/jpeg\0\x03\0" + jpeg.read_bytes()
    frame = b"APIC" + struct.pack(">IH", len(picture), 0) + picture
    size = len(frame)
    synchsafe = bytes((size >> 21 & 127, size >> 14 & 127, size >> 7 & 127, size & 127))
    raw = source.read_bytes()
    audio = raw[raw.index(b"\xff\xfb", 10) :]
    (tmp_path / "song.mp3").write_bytes(b"ID3\x03\0\0" + synchsafe + frame + audio)
    found = probe(tmp_path / "song.mp3")
    assert any(track.cover for track in found.pictures), "the cover must be there"
    assert derive(tmp_path / "song.mp3").outcome == "audio"
