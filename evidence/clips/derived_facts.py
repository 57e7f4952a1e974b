"""What the index takes from a derivation: kind of media, length, places, what was noticed. Pure.

A derivation's `probe` is what a child process said about a stranger's file (`ingest.media`), on record as it was said.
Old programs said less, and fields are looked at one by one: whatever has another shape counts as not said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

KINDS: Mapping[str, str] = {"reviewable": "video", "audio": "audio", "still": "photo"}
"""Kind of media by outcome; what was not derived, or could not be, is `unknown`."""

KIND_UNKNOWN = "unknown"

SEARCHED_DATUMS = frozenset(("wgs84", "cgcs2000"))
"""Datums that a radius is drawn in: the two differ by decimetres. GCJ-02 is off by hundreds of metres, and its way back
is not public; a position in it is shown and not searched."""

_LOSSES = ("read_errors", "corrupt_packets", "picture_errors", "sound_errors", "corrupt_pictures")


def media_kind(outcome: str | None) -> str:
    """Return the kind of media that a derivation found: `video`, `audio`, `photo` or `unknown`."""
    return KINDS.get(outcome or "", KIND_UNKNOWN)


def duration_ms(probe: Mapping[str, Any]) -> int | None:
    """Return how long a clip is: what was decoded of it, else what its container states; None if neither says."""
    for part in (_object(probe, "decoded"), _object(probe, "container"), probe):
        if (found := _whole(part.get("duration_ms"))) is not None:
            return found
    return None


def positions(probe: Mapping[str, Any], content: Mapping[str, Any]) -> list[tuple[int, int]]:
    """Return where a clip was recorded, by its tags, its track of positions and its annotation, once each, sorted.

    Each is (latitude, longitude) in millionths of a degree.
    """
    stated = [_object(probe, "place"), *_track(_object(probe, "positions"))]
    by_people = _object(content, "position")
    if by_people.get("datum", "wgs84") in SEARCHED_DATUMS:
        stated.append(by_people)
    return sorted({place for one in stated if (place := _position(one)) is not None})


def findings(outcome: str | None, probe: Mapping[str, Any]) -> Iterator[str]:
    """Tell what a derivation noticed: `damaged`; `continuity`, then its weights and codes.

    Observations that only describe a file (`info`) are none; derivations of older programs state weights without codes.
    """
    damage, container = _object(probe, "damage"), _object(probe, "container")
    if outcome == "undecodable" or container.get("missing_bytes") or any(damage.get(name) for name in _LOSSES):
        yield "damaged"
    observed = _object(probe, "continuity")
    weights = [weight for weight in ("high", "notice") if observed.get(weight)]
    if weights:
        yield from ("continuity", *weights)
    codes = observed.get("codes")
    if isinstance(codes, list):
        yield from (code for code in codes if isinstance(code, str))


def _track(told: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    track = told.get("track")
    return [one for one in track if isinstance(one, dict)] if isinstance(track, list) else []


def _position(one: Mapping[str, Any]) -> tuple[int, int] | None:
    latitude, longitude = one.get("latitude_e6"), one.get("longitude_e6")
    if not (isinstance(latitude, int) and isinstance(longitude, int)):
        return None
    if abs(latitude) > 90_000_000 or abs(longitude) > 180_000_000:
        return None
    return latitude, longitude


def _object(parent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    child = parent.get(name)
    return child if isinstance(child, dict) else {}


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 62 else None
