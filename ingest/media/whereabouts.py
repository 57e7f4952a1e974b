"""Where, when and with what a camera says it recorded: its tags and its track of positions, as whole numbers.

A camera's word: receivers drift, clocks are wrong, tags survive editing. Positions are in millionths of a degree
(about 0.1 m), heights in millimetres.

Two sources are read. Tags: ISO 6709 in `©xyz` and Apple's `location.ISO6709`, makers and models. And GPMF, the
telemetry track of action cameras and drones: nested records of four letters, type, size and count
(github.com/gopro/gpmf-parser, README), of which `GPS5` (latitude, longitude, height, speeds) with its `SCAL` divisors
and `GPSF` (0: no fix) are read, and `GPS9` (newer cameras: the same, time, precision and fix of each position) and
`GPRI`, if their `TYPE` is the known one. Cameras that write both say the same twice: then `GPS9` is taken alone.
Nothing is trusted: a record that claims more than what encloses it ends the reading of that packet.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from ingest.media.board import Slots
from ingest.media.facts import milliseconds
from ledger.canonical import JsonObject, JsonValue

DEPTH_MAX = 4
RECORDS_MAX = 2000
GPMF_MAGIC = b"DEVC"
GPMF_PACKET_BYTES_MAX = 4 * 1024 * 1024
_MICRO = 1_000_000
# Time, latitude, longitude, height, four kinds of error and course, kind of fix (0: none), satellites.
_GPRI, _GPRI_TYPE = struct.Struct(">QlllHHHHBB"), b"JlllSSSSBB"
# Latitude, longitude, height, two speeds, days since 2000, seconds, precision, kind of fix (0: none).
_GPS9, _GPS9_TYPE, _GPS9_FIX = struct.Struct(">lllllllHH"), b"lllllllSS", 8
_ISO_6709 = re.compile(r"([+-]\d{2}(?:\.\d{1,9})?)([+-]\d{3}(?:\.\d{1,9})?)([+-]\d{1,5}(?:\.\d{1,6})?)?(?:CRS\w*)?/?")
_LOCATION_TAGS = ("com.apple.quicktime.location.ISO6709", "location", "location-eng", "©xyz")
_DEVICE_TAGS: Mapping[str, tuple[str, ...]] = {
    "make": ("com.apple.quicktime.make", "make", "com.android.manufacturer", "©mak"),
    "model": ("com.apple.quicktime.model", "model", "com.android.model", "©mod"),
    "software": ("com.apple.quicktime.software", "firmware", "software", "com.android.version", "©swr"),
    "recorded_at": ("com.apple.quicktime.creationdate", "date", "creation_time"),
}


@dataclass(frozen=True, slots=True)
class Place:
    """A position: millionths of a degree, north and east positive; height in millimetres if known."""

    latitude: int
    longitude: int
    height: int | None = None

    def as_json(self) -> dict[str, JsonValue]:
        """Return it under stable names."""
        return {"latitude_e6": self.latitude, "longitude_e6": self.longitude, "height_mm": self.height}


def place_of(tags: Mapping[str, str]) -> Place | None:
    """Return the position that a file's tags state (ISO 6709, decimal degrees), None if none that can be."""
    for name in _LOCATION_TAGS:
        if (found := _ISO_6709.fullmatch(tags.get(name, "").strip())) is not None:
            latitude, longitude, height = found.groups()
            return _place(Fraction(latitude), Fraction(longitude), None if height is None else Fraction(height))
    return None


def device_of(tags: Mapping[str, str]) -> JsonObject:
    """Return what a file's tags say of maker, model, software and time of recording, as they stand, else null."""
    return {word: next((tags[name] for name in names if tags.get(name)), None) for word, names in _DEVICE_TAGS.items()}


@dataclass(slots=True)
class Positions:
    """Collects positions of one telemetry track, evenly thinned to a few hundred."""

    read: int = 0
    without_fix: int = 0
    kept: Slots[Place] = field(default_factory=Slots)

    def note(self, packet: bytes, *, seconds: Fraction) -> None:
        """Read one packet of GPMF (at most `GPMF_PACKET_BYTES_MAX` bytes) shown at `seconds` of the players' clock."""
        places, without_fix = _positions(packet)
        self.without_fix += without_fix
        self.read += len(places)
        if places and self.kept.wants(seconds):
            self.kept.keep(seconds, places[0])

    def as_json(self) -> JsonObject | None:
        """Return the track under stable names, None if there was nothing in it."""
        if not self.read and not self.without_fix:
            return None
        return {
            "source": "gpmf",
            "positions": self.read,
            "without_fix": self.without_fix,
            "track": [
                {"at_ms": milliseconds(round(seconds * 1000), Fraction(1, 1000)), **place.as_json()}
                for seconds, place in self.kept.kept
            ],
        }


def _positions(packet: bytes) -> tuple[list[Place], int]:
    """Return the positions of a packet, and how many there were while the receiver had no fix."""
    found = {b"GPS5": _Found(), b"GPS9": _Found(), b"GPRI": _Found()}
    scales: tuple[int, ...] = ()
    shape, fix = b"", 0
    for key, kind, body, width in _records(packet, DEPTH_MAX):
        if key == b"STRM":
            scales, shape, fix = (), b"", 0
        elif key == b"SCAL":
            scales = _whole_numbers(kind, body)
        elif key == b"TYPE":
            shape = body.rstrip(b"\0")
        elif key == b"GPRI" and shape == _GPRI_TYPE and width == _GPRI.size and len(scales) == 10 and all(scales):
            for values in _GPRI.iter_unpack(body):
                found[key].add(values[1:4], scales[1:4], has_fix=bool(values[8]))
        elif key == b"GPS9" and shape == _GPS9_TYPE and width == _GPS9.size and len(scales) == 9 and all(scales):
            for values in _GPS9.iter_unpack(body):
                found[key].add(values[:3], scales[:3], has_fix=bool(values[_GPS9_FIX]))
        elif key == b"GPSF" and len(body) >= 4:
            fix = int.from_bytes(body[:4], "big")
        elif key == b"GPS5" and kind == b"l" and width == 20 and len(scales) == 5 and all(scales):
            for values in struct.iter_unpack(">5i", body):
                found[key].add(values[:3], scales[:3], has_fix=bool(fix))
    if found[b"GPS9"].any:
        del found[b"GPS5"]
    places = [place for one in found.values() for place in one.places]
    return places, sum(one.without_fix for one in found.values())


@dataclass(slots=True)
class _Found:
    """Positions of one kind of record in a packet."""

    places: list[Place] = field(default_factory=list)
    without_fix: int = 0

    @property
    def any(self) -> bool:
        """Whether there was a position, with a fix or without."""
        return bool(self.places) or bool(self.without_fix)

    def add(self, values: tuple[int, ...], scales: tuple[int, ...], *, has_fix: bool) -> None:
        """Take one position with its divisors."""
        if not has_fix:
            self.without_fix += 1
        elif (place := _scaled(values, scales)) is not None:
            self.places.append(place)


def _records(packet: bytes, depth: int) -> Iterator[tuple[bytes, bytes, bytes, int]]:
    """Yield key, type, contents and size of one element of each record; nested ones after what encloses them."""
    offset = 0
    for _ in range(RECORDS_MAX):
        if offset + 8 > len(packet):
            return
        key, kind, width = packet[offset : offset + 4], packet[offset + 4 : offset + 5], packet[offset + 5]
        length = width * int.from_bytes(packet[offset + 6 : offset + 8], "big")
        body = packet[offset + 8 : offset + 8 + length]
        if len(body) < length or not key.strip(b"\0"):
            return
        yield key, kind, body, width
        if kind == b"\0" and depth:
            yield from _records(body, depth - 1)
        offset += 8 + -(-length // 4) * 4


def _whole_numbers(kind: bytes, body: bytes) -> tuple[int, ...]:
    form = {b"l": ">i", b"L": ">I", b"s": ">h", b"S": ">H"}.get(kind)
    if form is None or len(body) % struct.calcsize(form):
        return ()
    return tuple(value for (value,) in struct.iter_unpack(form, body))


def _scaled(values: tuple[int, ...], scales: tuple[int, ...]) -> Place | None:
    latitude, longitude, height = (Fraction(value, scale) for value, scale in zip(values[:3], scales[:3], strict=True))
    return _place(latitude, longitude, height)


def _place(latitude: Fraction, longitude: Fraction, height: Fraction | None) -> Place | None:
    if abs(latitude) > 90 or abs(longitude) > 180:
        return None
    return Place(round(latitude * _MICRO), round(longitude * _MICRO), None if height is None else round(height * 1000))
