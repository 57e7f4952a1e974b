"""Marks of a clip by where they come from: what people annotated, and what a recorder or a controller brought. Pure.

What devices say comes in by itself, in the entry of a delivery or a derivation, and is never written into anybody's
annotation; what people say never changes it. This is the one place where both are seen together, each with its source
and the entry that states it:

    person      markers of the annotation's version that counts
    recorder    the key mark of a source (`_IMP` and its like), and the positions that the camera wrote into the file
    controller  bookmarks of body worn systems, with the time within the clip where both state one; trails of places
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from evidence.clips.parts import CLIP_MS_MAX
from evidence.clips.store import AnnotationRow, ClipSource, Derivation

MILLISECOND = timedelta(milliseconds=1)


class MarkSource(StrEnum):
    """Who says so."""

    PERSON = "person"
    RECORDER = "recorder"
    CONTROLLER = "controller"


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """A bookmark or trail that came beside a clip; times by the controller's clock, None where it states none."""

    kind: str
    name: str
    text: str | None
    starts: datetime | None
    ends: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One mark.

    Attributes:
        kind: A person's marker kind; `key_mark`, `position`, `bookmark` or `trail` of a device.
        at_ms, until_ms: Milliseconds from the first frame; None for what is about the whole clip.
        by: Actor of the entry.
        position: Millionths of a degree, of kind `position`.
    """

    source: MarkSource
    kind: str
    at_ms: int | None
    until_ms: int | None = None
    note: str | None = None
    by: str
    entry: UUID
    position: Mapping[str, int] | None = None


def people_marks(annotation: AnnotationRow | None) -> Iterator[Mark]:
    """Yield what people marked, by the version that counts."""
    if annotation is None:
        return
    content: Mapping[str, Any] = annotation.content
    for marker in content.get("markers", ()):
        yield Mark(
            source=MarkSource.PERSON,
            kind=marker["kind"],
            at_ms=marker["at_ms"],
            until_ms=marker.get("until_ms"),
            note=marker.get("note"),
            by=annotation.annotated_by,
            entry=annotation.entry_id,
        )


def key_marks(sources: Sequence[ClipSource]) -> Iterator[Mark]:
    """Yield the marks that officers set on the recorder, one for each source that has it."""
    for source in sources:
        if source.key_mark:
            yield Mark(
                source=MarkSource.RECORDER,
                kind="key_mark",
                at_ms=None,
                note=source.name,
                by=source.actor,
                entry=source.entry_id,
            )


def position_marks(derivation: Derivation | None) -> Iterator[Mark]:
    """Yield where the camera says it was: its tags for the whole clip, its track by the moment."""
    if derivation is None:
        return
    probe: Mapping[str, Any] = derivation.probe
    place = probe.get("place")
    positions = probe.get("positions")
    track = positions.get("track", ()) if isinstance(positions, dict) else ()
    for stated in ([place] if isinstance(place, dict) else []) + list(track):
        yield Mark(
            source=MarkSource.RECORDER,
            kind="position",
            at_ms=stated.get("at_ms"),
            by="service",
            entry=derivation.entry_id,
            position={name: value for name, value in stated.items() if name != "at_ms" and value is not None},
        )


def controller_marks(
    beside: Sequence[Beside], *, starts: datetime | None, controller: str, entry: UUID
) -> Iterator[Mark]:
    """Yield what a controller delivered beside a clip.

    Args:
        starts: When the clip begins by the controller's clock.
    """
    for one in beside:
        at_ms = _moment(one.starts, starts)
        until_ms = _moment(one.ends, starts)
        yield Mark(
            source=MarkSource.CONTROLLER,
            kind=one.kind,
            at_ms=at_ms,
            until_ms=until_ms if at_ms is not None and until_ms is not None and until_ms > at_ms else None,
            note=one.text or one.name,
            by=controller,
            entry=entry,
        )


def in_order(marks: Iterator[Mark]) -> list[Mark]:
    """Return marks by their moment, those of the whole clip first."""
    return sorted(marks, key=lambda mark: -1 if mark.at_ms is None else mark.at_ms)


def _moment(at: datetime | None, starts: datetime | None) -> int | None:
    if at is None or starts is None:
        return None
    moment = (at - starts) // MILLISECOND
    return moment if 0 <= moment <= CLIP_MS_MAX else None
