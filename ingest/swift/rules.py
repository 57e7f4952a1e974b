"""What a delivery's names and metadata mean; judged from values alone.

Source: the published description of the Axis body worn content destination API (containers `Users`, `Devices` and
`System`; one container per recording, named user, serial number and time of the trigger; clips, `.key`, `bookmark_`,
`_gpstrail.json`), and the limits of OpenStack Swift. A container of any other name is a recording too: its metadata
say less, and it is sealed as well.

Names are data. They follow `ingest.names` and lead to no file; times that are out of all bounds are kept as text and
count as not stated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from ingest.errors import UploadNameInvalid
from ingest.names import parse_path
from ingest.swift.errors import SwiftNameInvalid

CONTAINER_BYTES_MAX = 256
"""Longest name of a container in bytes, as in Swift."""

REGISTERS = frozenset({"Users", "Devices", "System"})
"""Containers that say who and what there is, and are never sealed."""

CAPABILITIES = frozenset({"Capabilities.json", "Capability.json"})
"""The object of `System` that says what is supported; the description spells its name in both ways."""


class ObjectKind(StrEnum):
    """What an object is; companions are called so in the ledger."""

    REGISTERED = "registered"
    ORIGINAL = "original"
    BOOKMARK = "bookmark"
    TRAIL = "trail"
    KEY = "key"
    CHECKSUM = "checksum"
    SIDECAR = "sidecar"


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when something was recorded, as stated; None where it was not."""

    started_at: datetime | None
    stopped_at: datetime | None


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose recorder a recording comes from: its serial number, and the controller's id of who wore it."""

    recorder: str | None
    wearer: str | None


_CHECKSUMS = (".md5", ".sha1", ".sha256", ".sha512", ".sig", ".p7s")
_SIDECARS = (".json", ".txt", ".xml", ".vtt", ".srt", ".gpx", ".nmea", ".csv")
_CONTAINER = re.compile(r"([^_]{1,64})_([^_]{1,64})_(.+)")
_EPOCH = re.compile(r"[0-9]{9,10}(?:\.[0-9]{1,9})?")
_EPOCH_MILLISECONDS = re.compile(r"[0-9]{12,13}")
_EARLIEST, _LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def check_container(raw: bytes) -> str:
    """Return the name of a container.

    Raises:
        SwiftNameInvalid: See `ingest.names`; it has no slash and at most `CONTAINER_BYTES_MAX` bytes.
    """
    name = check_object(raw)
    if "/" in name or len(raw) > CONTAINER_BYTES_MAX:
        raise SwiftNameInvalid(f"a container's name has no slash and at most {CONTAINER_BYTES_MAX} bytes")
    return name


def check_object(raw: bytes) -> str:
    """Return the name of an object.

    Raises:
        SwiftNameInvalid: See `ingest.names`.
    """
    try:
        return parse_path(raw)
    except UploadNameInvalid as error:
        raise SwiftNameInvalid(error.message) from error


def kind_of(container: str, name: str) -> ObjectKind:
    """Tell what an object is by its name; what is nothing else is an original."""
    if container in REGISTERS:
        return ObjectKind.REGISTERED
    last, lower = name.rpartition("/")[2], name.lower()
    if last.startswith("bookmark_"):
        return ObjectKind.BOOKMARK
    if lower.endswith(("_gpstrail.json", "_gpstrail")):
        return ObjectKind.TRAIL
    if lower.endswith(".key"):
        return ObjectKind.KEY
    if lower.endswith(_CHECKSUMS):
        return ObjectKind.CHECKSUM
    return ObjectKind.SIDECAR if lower.endswith(_SIDECARS) else ObjectKind.ORIGINAL


def origin_of(container: str, metadata: Mapping[str, str]) -> Origin:
    """Return whose recorder it was: what the metadata state, else what the container's name says."""
    match = _CONTAINER.fullmatch(container)
    wearer, recorder = (match[1], match[2]) if match else (None, None)
    return Origin(metadata.get("bwcserialnumber") or recorder, metadata.get("userid") or wearer)


def recording_span(metadata: Mapping[str, str]) -> Span:
    """Return from when to when a recording went on, by its triggers."""
    return Span(_instant(metadata, "triggerontime"), _instant(metadata, "triggerofftime"))


def object_span(metadata: Mapping[str, str]) -> Span:
    """Return from when to when a clip or bookmark goes; a bookmark calls its end otherwise."""
    stopped_at = _instant(metadata, "stoptime") or _instant(metadata, "endtime")
    return Span(_instant(metadata, "starttime"), stopped_at)


def parse_instant(text: str) -> datetime | None:
    """Read RFC 3339 with a zone, or seconds or milliseconds since 1970; None for anything else or out of bounds."""
    try:
        if _EPOCH.fullmatch(text):
            at = datetime.fromtimestamp(float(text), UTC)
        elif _EPOCH_MILLISECONDS.fullmatch(text):
            at = datetime.fromtimestamp(int(text) / 1000, UTC)
        else:
            at = datetime.fromisoformat(text)
    except ValueError:
        return None
    if at.tzinfo is None or not _EARLIEST <= at < _LATEST:
        return None
    return at.astimezone(UTC)


def owner_of(name: str, span: Span, originals: Sequence[tuple[str, Span]]) -> int:
    """Return the place of the original that a companion belongs to.

    The one whose name it begins with, without the ending; else the one that was being recorded when it says it begins;
    else the first.

    Args:
        originals: Names and times of the originals, at least one, in order.
    """
    stems = [original.rpartition(".")[0] or original for original, _ in originals]
    named = [place for place, stem in enumerate(stems) if name.startswith(stem)]
    if named:
        return max(named, key=lambda place: len(stems[place]))
    if span.started_at is not None:
        for place, (_, recorded) in enumerate(originals):
            begins, ends = recorded.started_at, recorded.stopped_at
            if begins is not None and begins <= span.started_at and (ends is None or span.started_at < ends):
                return place
    return 0


def _instant(metadata: Mapping[str, str], name: str) -> datetime | None:
    return parse_instant(metadata.get(f"{name}iso", "")) or parse_instant(metadata.get(name, ""))
