from __future__ import annotations

import struct
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.media.whereabouts import Place, Positions, device_of, place_of


def record(key: bytes, kind: bytes, width: int, body: bytes) -> bytes:
    count = len(body) // width if width else 0
    return key + kind + bytes([width]) + struct.pack(">H", count) + body + bytes(-len(body) % 4)


def nested(key: bytes, *records: bytes) -> bytes:
    return record(key, b"\0", 1, b"".join(records))


SCALES = record(b"SCAL", b"l", 4, struct.pack(">5i", 10_000_000, 10_000_000, 1000, 1000, 100))
BEIJING = struct.pack(">5i", 399_042_000, 1_164_074_000, 43_500, 0, 0)
DRONE_SCALES = struct.pack(">10i", 1_000_000, 10_000_000, 10_000_000, 1000, 100, 100, 100, 100, 1, 1)


def packet(*, fix: int = 3, scales: bytes = SCALES, positions: bytes = BEIJING) -> bytes:
    return nested(
        b"DEVC",
        record(b"DVNM", b"c", 1, b"Camera"),
        nested(b"STRM", record(b"ACCL", b"s", 6, bytes(60))),
        nested(b"STRM", record(b"GPSF", b"L", 4, struct.pack(">I", fix)), scales, record(b"GPS5", b"l", 20, positions)),
    )


def read(*packets: bytes) -> dict[str, object] | None:
    positions = Positions()
    for number, raw in enumerate(packets):
        positions.note(raw, seconds=Fraction(number))
    found = positions.as_json()
    return None if found is None else dict(found)


def test_positions_are_read_in_whole_numbers() -> None:
    assert read(packet(positions=BEIJING * 18)) == {
        "source": "gpmf",
        "positions": 18,
        "without_fix": 0,
        "track": [{"at_ms": 0, "latitude_e6": 39_904_200, "longitude_e6": 116_407_400, "height_mm": 43_500}],
    }


def test_a_drone_s_record_is_read_by_its_type() -> None:
    body = struct.pack(">QlllHHHHBB", 1, 399_042_000, 1_164_074_000, 43_500, 0, 0, 0, 0, 3, 20)
    records = (
        record(b"TYPE", b"c", 1, b"JlllSSSSBB"),
        record(b"SCAL", b"l", 4, DRONE_SCALES),
        record(b"GPRI", b"?", 30, body),
    )
    found = read(nested(b"DEVC", nested(b"STRM", *records)))
    assert found is not None
    assert found["positions"] == 1
    other = (record(b"TYPE", b"c", 1, b"JlllSSSSBL"), *records[1:])
    assert read(nested(b"DEVC", nested(b"STRM", *other))) is None


GPS9_SCALES = record(b"SCAL", b"l", 4, struct.pack(">9i", 10_000_000, 10_000_000, 1000, 1000, 100, 1, 1000, 100, 1))


def gps9(*fixes: int, kind: bytes = b"lllllllSS", scales: bytes = GPS9_SCALES) -> bytes:
    """Return a stream as newer cameras write it, one position for each fix; github.com/gopro/gpmf-parser, README."""
    body = b"".join(struct.pack(">7iHH", 399_042_000, 1_164_074_000, 43_500, 0, 0, 8_000, 1, 500, fix) for fix in fixes)
    return nested(b"STRM", record(b"TYPE", b"c", 1, kind), scales, record(b"GPS9", b"?", 32, body))


def test_the_record_of_newer_cameras_says_of_each_position_whether_there_was_a_fix() -> None:
    found = read(nested(b"DEVC", gps9(3, 0, 2)))
    assert found == {
        "source": "gpmf",
        "positions": 2,
        "without_fix": 1,
        "track": [{"at_ms": 0, "latitude_e6": 39_904_200, "longitude_e6": 116_407_400, "height_mm": 43_500}],
    }
    assert read(nested(b"DEVC", gps9(3, kind=b"lllllllSL"))) is None
    assert read(nested(b"DEVC", gps9(3, scales=b""))) is None
    assert read(nested(b"DEVC", gps9(3, scales=record(b"SCAL", b"l", 4, bytes(36))))) is None


def test_a_camera_that_writes_both_records_is_not_counted_twice() -> None:
    both = packet(positions=BEIJING * 18)
    streams = both[8:]
    found = read(nested(b"DEVC", streams, gps9(*[3] * 10)))
    assert found is not None
    assert found["positions"] == 10
    lost = read(nested(b"DEVC", streams, gps9(0)))
    assert lost is not None
    assert (lost["positions"], lost["without_fix"]) == (0, 1)


def test_a_receiver_without_a_fix_states_no_place() -> None:
    found = read(packet(fix=0, positions=BEIJING * 3))
    assert found == {"source": "gpmf", "positions": 0, "without_fix": 3, "track": []}


def test_one_place_a_second_is_kept() -> None:
    found = read(*[packet()] * 30)
    assert found is not None
    assert found["positions"] == 30
    assert len(found["track"]) == 30  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        bytes(100),
        b"DEVC",
        packet()[:-4],
        packet(scales=record(b"SCAL", b"l", 4, struct.pack(">5i", 0, 1, 1, 1, 1))),
        packet(scales=record(b"SCAL", b"l", 4, struct.pack(">4i", 1, 1, 1, 1))),
        packet(scales=record(b"SCAL", b"f", 4, bytes(20))),
        packet(scales=record(b"SCAL", b"s", 2, b"\0\1\0")),
        packet(scales=b""),
        packet(positions=struct.pack(">5i", 2**31 - 1, 0, 0, 0, 0)),
        packet(positions=BEIJING[:-1]),
        nested(b"DEVC", nested(b"DEVC", nested(b"DEVC", nested(b"DEVC", nested(b"DEVC", packet()))))),
    ],
    ids=range(12),
)
def test_what_makes_no_sense_states_no_place(raw: bytes) -> None:
    assert read(raw) is None


@settings(deadline=None)
@given(st.binary(max_size=300), st.integers(min_value=0, max_value=200))
def test_noise_never_breaks_the_reading(noise: bytes, place: int) -> None:
    raw = packet()
    read(raw[:place] + noise + raw[place + len(noise) :])


@pytest.mark.parametrize(
    ("tag", "place"),
    [
        ("+39.9042+116.4074/", Place(39_904_200, 116_407_400)),
        ("+39.9042+116.4074+043.500/", Place(39_904_200, 116_407_400, 43_500)),
        ("-33.8688+151.2093+010.000CRSWGS_84/", Place(-33_868_800, 151_209_300, 10_000)),
        ("+39.9042-116.4074", Place(39_904_200, -116_407_400)),
        ("+99.0000+116.4074/", None),
        ("+39.9042+216.4074/", None),
        ("+3954.25+11624.44/", None),
        ("+39.9042", None),
        ("somewhere", None),
        ("+00.0000+000.0000/\udcfe\udcff", None),
        ("", None),
    ],
)
def test_a_tag_states_a_place_or_none(tag: str, place: Place | None) -> None:
    assert place_of({"location": tag}) == place
    assert place_of({"com.apple.quicktime.location.ISO6709": tag, "location": "+01.0+001.0/"}) in (
        place,
        Place(1_000_000, 1_000_000),
    )


def test_a_device_is_what_its_tags_say() -> None:
    assert device_of({"com.apple.quicktime.make": "Apple", "make": "x", "firmware": "HD5"}) == {
        "make": "Apple",
        "model": None,
        "software": "HD5",
        "recorded_at": None,
    }
