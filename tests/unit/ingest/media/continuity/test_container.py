"""Structure: nothing to say about intact files, the right word about each change, and no way to break the walk."""

from __future__ import annotations

import random
import struct
from collections.abc import Mapping
from pathlib import Path

import pytest

from ingest.media.continuity.codes import CODES
from ingest.media.continuity.meaning import Severity
from ingest.media.continuity.mp4 import TRACKS_MAX
from ingest.media.continuity.observation import KEPT_PER_CODE_MAX, Notebook, Observation, Place
from ledger.canonical import INTEGER_MAX, canonical_json
from tests.support.continuity import EVEN, MAKES, Make, container_notes, heavy, telling
from tests.support.media import Film, write

STORED = "2026-11-21T08:00:00Z"


@pytest.fixture(scope="module")
def dated(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An MP4 that states its times, index last."""
    path = tmp_path_factory.mktemp("dated") / "a.mp4"
    film = Film(size=(160, 120), times_ms=EVEN[:20], options={"preset": "ultrafast"})
    return write(path, film=film, tags={"creation_time": STORED}).read_bytes()


@pytest.fixture
def notes(tmp_path: Path) -> Notes:
    return Notes(tmp_path / "file")


class Notes:
    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, data: bytes) -> Notebook:
        self._path.write_bytes(data)
        return container_notes(self._path)


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def outermost(data: bytes) -> list[tuple[bytes, int, int]]:
    found, start = [], 0
    while start < len(data):
        length, kind = struct.unpack_from(">I4s", data, start)
        found.append((kind, start, start + length))
        start += length
    return found


@pytest.mark.parametrize("name", MAKES)
def test_the_structure_of_an_intact_file_gives_no_occasion(intact: Mapping[str, Path], name: str) -> None:
    assert telling(container_notes(intact[name])) == set()


@pytest.mark.parametrize("name", ["mp4", "mp4 in fragments", "mov with PCM", "mkv", "avi", "ts", "m2ts"])
def test_what_is_appended_is_seen_and_measured(intact: Mapping[str, Path], notes: Notes, name: str) -> None:
    data = intact[name].read_bytes()
    book = notes(data + b"not of this file" * 40)
    assert heavy(book) == {"container.trailing_bytes"}
    (seen,) = [item for item in book if item.code == "container.trailing_bytes"]
    assert seen.place == Place(first_byte=len(data), end_byte=len(data) + 640)
    assert telling(notes(data + bytes(640))) == set()


@pytest.mark.parametrize("name", ["mp4", "mp4 index first", "mkv", "avi", "avi of MJPEG"])
def test_what_is_cut_off_is_seen(intact: Mapping[str, Path], notes: Notes, name: str) -> None:
    data = intact[name].read_bytes()
    for share in (0.3, 0.6, 0.9):
        book = notes(data[: int(len(data) * share)])
        assert heavy(book) & {"container.truncated", "container.index_missing", "container.samples_outside"}, share


def test_a_lost_index_is_named(dated: bytes, notes: Notes) -> None:
    moov = next(start for kind, start, _end in outermost(dated) if kind == b"moov")
    assert heavy(notes(dated[:moov])) == {"container.index_missing"}
    assert "container.index_repeated" in heavy(notes(dated + dated[moov:]))


def test_bytes_nobody_refers_to(dated: bytes, notes: Notes) -> None:
    start, end = next((start, end) for kind, start, end in outermost(dated) if kind == b"mdat")
    longer = struct.pack(">I", end - start + 500) + dated[start + 4 : end]
    book = notes(dated[:start] + longer + b"x" * 500 + dated[end:])
    assert telling(book) == {"container.unreferenced_bytes"}
    assert [item.measured for item in book if item.severity is Severity.NOTICE] == [{"bytes": 500}]
    assert telling(notes(dated[:start] + longer + bytes(500) + dated[end:])) == set(), "padding"


def test_an_index_that_points_elsewhere(dated: bytes, notes: Notes) -> None:
    place = dated.index(b"stco") + 12
    (offset,) = struct.unpack_from(">I", dated, place)
    for false in (offset + len(dated), 0):
        changed = dated[:place] + struct.pack(">I", false) + dated[place + 4 :]
        assert "container.samples_outside" in heavy(notes(changed))


def test_pieces_that_share_bytes(intact: Mapping[str, Path], notes: Notes) -> None:
    data = intact["mp4"].read_bytes()
    place = data.index(b"stco") + 16  # the second chunk of the first track
    (offset,) = struct.unpack_from(">I", data, place)
    assert "container.samples_overlap" in heavy(
        notes(data[:place] + struct.pack(">I", offset - 40) + data[place + 4 :])
    )


@pytest.mark.parametrize("kind", [b"mvhd", b"tkhd", b"mdhd"])
def test_one_time_among_several_that_was_changed(dated: bytes, notes: Notes, kind: bytes) -> None:
    place = dated.index(kind) + 8
    (created,) = struct.unpack_from(">I", dated, place)
    for shift in (-86_400, 86_400 * 30):
        changed = dated[:place] + struct.pack(">I", created + shift) + dated[place + 4 :]
        assert heavy(notes(changed)) == {"container.times_disagree"}
    modified = dated[: place + 4] + struct.pack(">I", created + 86_400) + dated[place + 8 :]
    assert telling(notes(modified)) == {"container.modified_later"}


def test_free_space_that_is_not_free(dated: bytes, notes: Notes) -> None:
    assert telling(notes(dated + box(b"free", b"old index" * 200))) == {"container.padding_filled"}
    assert telling(notes(dated + box(b"free", bytes(2000)))) == set()
    assert set(notes(dated + box(b"abcd", b"device data")).counts) - {"container.software"} == {
        "container.part_unknown"
    }


def test_a_fragment_that_was_taken_out(intact: Mapping[str, Path], notes: Notes) -> None:
    data = intact["mp4 in fragments"].read_bytes()
    boxes = outermost(data)
    starts = [start for kind, start, _end in boxes if kind == b"moof"]
    assert len(starts) >= 4
    assert heavy(notes(data[: starts[1]] + data[starts[2] :])) >= {"container.fragment_gap"}


def test_an_edit_list_that_hides(intact: Mapping[str, Path], notes: Notes) -> None:
    data = intact["mp4 silent"].read_bytes()
    place = data.index(b"elst") + 8
    count, duration, media_time = struct.unpack_from(">IIi", data, place)
    assert (count, media_time >= 0) == (1, True)
    unit = struct.unpack_from(">I", data, data.index(b"mdhd") + 16)[0]
    changed = data[: place + 8] + struct.pack(">i", media_time + unit) + data[place + 12 :]
    book = notes(changed)
    assert "container.edit_hides" in telling(book)
    assert duration > 0


@pytest.mark.parametrize(("name", "stride"), [("ts", 188), ("m2ts", 192)])
def test_packets_missing_from_a_transport_stream(
    intact: Mapping[str, Path], notes: Notes, name: str, stride: int
) -> None:
    data = intact[name].read_bytes()
    packets = [data[start : start + stride] for start in range(0, len(data), stride)]
    middle = next(number for number in range(30, 200) if packets[number][stride - 187] & 0x1F)
    without = packets[:middle] + packets[middle + 1 :]
    assert heavy(notes(b"".join(without))) == {"container.packets_lost"}
    twice = [*packets[:middle], packets[middle], *packets[middle:]]
    assert heavy(notes(b"".join(twice))) == set(), "a packet may come twice"
    thrice = packets[:middle] + [packets[middle]] * 2 + packets[middle:]
    assert heavy(notes(b"".join(thrice))) == {"container.packets_lost"}


def test_a_transport_stream_put_behind_itself(intact: Mapping[str, Path], notes: Notes) -> None:
    data = intact["ts"].read_bytes()
    assert "container.clock_jump" in heavy(notes(data + data))
    disturbed = data[: 188 * 20] + b"\0" * 77 + data[188 * 20 :]
    assert telling(notes(disturbed)) == {"container.sync_lost"}


def test_a_cluster_taken_out_of_a_matroska_file(tmp_path: Path, notes: Notes) -> None:
    make = Make("matroska", sound=None, options={"preset": "ultrafast"}, muxer={"cluster_time_limit": "400"})
    data = make.write(tmp_path / "a.mkv").read_bytes()
    marks = [place for place in range(len(data)) if data.startswith(b"\x1f\x43\xb6\x75", place)]
    assert len(marks) >= 4
    removed = marks[2] - marks[1]
    place = data.index(b"\x18\x53\x80\x67") + 4
    size = int.from_bytes(data[place : place + 8]) - removed
    shorter = data[:place] + size.to_bytes(8) + data[place + 8 : marks[1]] + data[marks[2] :]
    assert telling(notes(data)) == set()
    assert "container.index_disagrees" in heavy(notes(shorter))


def test_an_avi_whose_index_fits_no_longer(intact: Mapping[str, Path], notes: Notes) -> None:
    data = intact["avi of MJPEG"].read_bytes()
    place = data.index(b"idx1") + 8 + 16 + 8  # the second row, of sound
    (offset,) = struct.unpack_from("<I", data, place)
    changed = data[:place] + struct.pack("<I", offset + 2) + data[place + 4 :]
    book = notes(changed)
    assert heavy(book) == {"container.index_disagrees"}
    assert "container.unreferenced_bytes" in telling(book)


@pytest.mark.parametrize("name", ["mp4", "mp4 in fragments", "mkv", "mkv live", "avi", "ts"])
def test_no_damage_breaks_the_walk(intact: Mapping[str, Path], notes: Notes, name: str) -> None:
    data = intact[name].read_bytes()
    chance = random.Random(name)
    # The heads hold the lengths: most of the damage goes there.
    places = [data.find(mark) for mark in (b"moov", b"moof", b"\x1f\x43\xb6\x75", b"movi", b"idx1") if mark in data]
    for _ in range(60):
        broken = bytearray(data)
        start = chance.choice([0, *places])
        for _ in range(chance.randrange(1, 12)):
            broken[min(start + chance.randrange(1500), len(data) - 1)] = chance.choice((0, 1, 0x7F, 0x80, 0xFF))
        notes(bytes(broken[: chance.choice((len(data), chance.randrange(1, len(data))))]))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"\x1a\x45\xdf\xa3",
        b"\x1a\x45\xdf\xa3" + b"\xff" * 40,
        b"RIFF\xff\xff\xff\xffAVI " + b"LIST\xff\xff\xff\xffmovi" * 2000,
        b"RIFF\0\0\0\0AVI RIFF\0\0\0\0AVI ",
        b"\x47" * 100_000,
        box(b"ftyp", b"isom") + box(b"free") * 120_000,
        box(b"ftyp") + box(b"moov", *[box(b"trak")] * (TRACKS_MAX * 4)) + box(b"mdat"),
        box(b"moov", box(b"trak", box(b"mdia", box(b"minf", box(b"stbl", box(b"stsz", b"\xff" * 12)))))),
        struct.pack(">I4sQ", 1, b"mdat", 2**63) + b"x" * 40,
        struct.pack(">I4sQ", 1, b"mdat", 8) + b"x" * 40,
        box(b"ftyp") + struct.pack(">I4s", 7, b"moov") + b"x" * 40,
        box(b"ftyp") + box(b"moov", *[box(b"mdia") * 50] * 50, box(b"udta", box(b"meta", b"\0" * 20))),
    ],
    ids=range(14),
)
def test_no_bytes_break_the_walk(notes: Notes, data: bytes) -> None:
    canonical_json([item.as_json() for item in notes(data)])


def nested(levels: int) -> bytes:
    data = b""
    for _ in range(levels):
        data = box(b"mdia", data)
    return data


def test_depth_is_bounded(notes: Notes) -> None:
    notes(box(b"ftyp") + box(b"moov", box(b"trak", nested(5000))))


def test_a_notebook_is_bounded_and_strict() -> None:
    book = Notebook()
    for number in range(500):
        book.note("container.malformed", Place(first_byte=number))
    assert (len(list(book)), book.counts["container.malformed"]) == (KEPT_PER_CODE_MAX, 500)
    with pytest.raises(ValueError):
        book.note("container.tampered")
    shown = Observation("container.software", measured={"program": "a\x1b[2J\udc80" + "b" * 999, "n": 2**70}).as_json()
    canonical_json(shown)
    assert shown["measured"] == {"program": "a\ufffd[2J\ufffd" + "b" * 194, "n": INTEGER_MAX}


def test_every_code_speaks_two_languages_and_accuses_nobody() -> None:
    for code, meaning in CODES.items():
        words = (meaning.en, meaning.zh, meaning.causes_en, meaning.causes_zh)
        assert all(words), code
        assert not any(word in " ".join(words).lower() for word in ("tamper", "forge", "fake", "篡改", "伪造")), code
