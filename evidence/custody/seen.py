"""What of a clip's history a person is shown: nothing about cases, and no other clips, that they may not know of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from evidence.access.policy import Person
from evidence.access.sight import known_cases, known_clips
from evidence.custody.history import CustodyLine
from evidence.custody.recorded import RecordedEvent
from evidence.db.pool import Connection


async def seen_lines(conn: Connection, person: Person, lines: Sequence[CustodyLine]) -> list[CustodyLine]:
    """Return the lines of a history that a person may see; lists of clips in them name those they may know of."""
    links = {line.event.entry_id: case for line in lines if (case := case_of(line.event)) is not None}
    cases = await known_cases(conn, person, set(links.values()))
    clips = await known_clips(conn, person, {clip for line in lines for clip in _clips_of(line)})
    return [_masked(line, clips) for line in lines if links.get(line.event.entry_id) in {None, *cases}]


def _masked(line: CustodyLine, known: set[UUID]) -> CustodyLine:
    named = _clips_of(line)
    if known.issuperset(named):
        return line
    payload = {**line.event.payload, "clips": [str(clip) for clip in named if clip in known]}
    parts: Any = payload.get("excerpts")
    if isinstance(parts, list):
        payload["excerpts"] = [one for one in parts if UUID(one["clip"]) in known]
    return replace(line, event=replace(line.event, payload=payload))


def _clips_of(line: CustodyLine) -> list[UUID]:
    named: Any = line.event.payload.get("clips")
    return [UUID(clip) for clip in named] if isinstance(named, list) else []


def case_of(event: RecordedEvent) -> UUID | None:
    """Return the case that an event is about or names; None for most."""
    kind, _, id_ = event.subject.partition(":")
    if kind == "case":
        return UUID(id_)
    named = event.payload.get("case")
    return UUID(named) if isinstance(named, str) else None
