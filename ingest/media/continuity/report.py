"""The report of a file's continuity, as it is kept: one JSON object, canonical (RFC 8785), of media type `MEDIA_TYPE`.

    {"format": "shilu/continuity@v1", "size": <bytes of the original>, "walk": "mp4" | "matroska" | ...,
     "packets": <number read>, "whole": <whether the packets could be read to the end>,
     "tracks": [{"track": 0, "codec": "h264", "pictures": 250, "entries": 5}, ...],
     "counts": {"<code>": <how often>, ...},
     "observations": [{"code", "severity", "track"?, "bytes"?: [first, end], "ms"?: [from, to], "measured": {}}, ...]}

`observations` holds the first of each code (`observation.KEPT_PER_CODE_MAX`), `counts` all of them. Milliseconds
are the container's own. A code that this version does not know is kept by a reader: the list may grow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ingest.media.continuity.observation import Notebook, Observation
from ingest.media.errors import ContinuityMalformed
from ledger.canonical import JsonValue, canonical_json, parse_canonical
from ledger.errors import CodedError

FORMAT: Final = "shilu/continuity@v1"
MEDIA_TYPE: Final = "application/json"
BYTES_MAX: Final = 1024 * 1024
OBSERVATIONS_MAX: Final = 1000
NOT_WALKED: Final = "none"
"""What a report calls the walk through a container that is not known here."""


@dataclass(frozen=True, slots=True)
class TrackRead:
    """A track whose packets were followed; `pictures` and `entries` only where its headers are understood."""

    track: int
    codec: str
    pictures: int | None = None
    entries: int | None = None

    def as_json(self) -> dict[str, JsonValue]:
        """Return it for the report."""
        counts = {"pictures": self.pictures, "entries": self.entries}
        return {
            "track": self.track,
            "codec": self.codec,
            **{name: count for name, count in counts.items() if count is not None},
        }


@dataclass(frozen=True, slots=True)
class Report:
    """What was looked at, and what was observed."""

    size: int
    walk: str
    packets: int
    whole: bool
    tracks: tuple[TrackRead, ...]
    notebook: Notebook

    @property
    def observations(self) -> tuple[Observation, ...]:
        """The observations that were kept, the heaviest first, else in the order in which they were made."""
        weights = ("high", "notice", "info")
        return tuple(sorted(self.notebook, key=lambda item: weights.index(item.severity.value)))


def format_report(report: Report) -> bytes:
    """Write a report."""
    observations: list[JsonValue] = [item.as_json() for item in report.observations[:OBSERVATIONS_MAX]]
    tracks: list[JsonValue] = [track.as_json() for track in report.tracks]
    return canonical_json(
        {
            "format": FORMAT,
            "size": report.size,
            "walk": report.walk,
            "packets": report.packets,
            "whole": report.whole,
            "tracks": tracks,
            "counts": dict(report.notebook.counts),
            "observations": observations,
        }
    )


def parse_report(raw: bytes) -> Mapping[str, JsonValue]:
    """Read what `format_report` writes, of this version.

    Raises:
        ContinuityMalformed: Anything else.
    """
    try:
        body = parse_canonical(raw, bytes_max=BYTES_MAX)
    except CodedError as error:
        raise ContinuityMalformed("the report of continuity is not canonical JSON") from error
    if not isinstance(body, Mapping):
        raise ContinuityMalformed("the report of continuity is no object")
    match body:
        case {
            "format": "shilu/continuity@v1",
            "size": int(),
            "walk": str(),
            "packets": int(),
            "whole": bool(),
            "tracks": list(tracks),
            "counts": dict(counts),
            "observations": list(observations),
            **rest,
        } if not rest and len(observations) <= OBSERVATIONS_MAX:
            fine = all(isinstance(count, int) for count in counts.values())
            if fine and all(map(_is_track, tracks)) and all(map(_is_observation, observations)):
                return body
    raise ContinuityMalformed("the report of continuity is not of a form that is known here")


def _is_track(value: JsonValue) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("track"), int) and isinstance(value.get("codec"), str)


def _is_observation(value: JsonValue) -> bool:
    match value:
        case {"code": str(), "severity": "info" | "notice" | "high", "measured": dict(), **rest}:
            spans = [rest[name] for name in ("bytes", "ms") if name in rest]
            return set(rest) <= {"track", "bytes", "ms"} and all(_is_span(span) for span in spans)
        case _:
            return False


def _is_span(value: object) -> bool:
    match value:
        case [int(), int()]:
            return True
        case _:
            return False
