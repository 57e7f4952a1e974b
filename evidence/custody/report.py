"""Custody reports: who looked at what, when, why, from which session, and what was served. One line is one entry.

Two questions are answered, both from the record alone, a page at a time: the length of a history costs no memory.

    of a clip      everything on record about it, looking or not, in the order it happened
    of a person    every time they looked, searched among restricted clips, or handed something out

A line names its entry and its place in the published log, so that whoever reads the report can ask for the receipt of
any line. What an entry does not say is None: entries made before sessions were put on record name none, and nothing is
guessed. Reading one shows no footage and is not put on record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from evidence.access.policy import OFFICES, Action, Person
from evidence.access.sight import known_cases, known_clips
from evidence.clips.store import clip_row
from evidence.custody.recorded import RecordedEvent
from evidence.custody.report_store import (
    clips_of_packages,
    events_of_clip,
    events_of_person,
    names_of_people,
    recipients_of,
)
from evidence.custody.seen import case_of
from evidence.db.pool import Connection
from evidence.errors import ClipUnknown
from ledger.canonical import JsonObject, JsonValue
from ledger.store import published_indices

PAGE_LINES: Final = 500
"""Lines that are read and written at a time."""

_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportLine:
    """One entry of a report.

    Attributes:
        index: Its place in the published log; None until it is published.
        staff, name: Who did it, and what they are called; None when no person of this house did.
        purpose: Key of `evidence.parties.purposes.PURPOSES`; None when the entry is not about looking.
        session: Public id of the session or token they showed; None where the entry does not say.
        served: What they were given, by the names the entry uses; empty when it gave nothing out.
        clips: The clips it is about, as far as the reader may know of them.
    """

    entry_id: UUID
    index: int | None
    at: datetime
    type: str
    actor: str
    staff: UUID | None
    name: str | None
    purpose: str | None
    session: UUID | None
    served: JsonObject
    clips: tuple[UUID, ...]

    @property
    def looks(self) -> bool:
        """Whether by this entry somebody looked at footage, or was handed some."""
        return self.type in LOOKS


@dataclass(frozen=True, slots=True)
class ReportPage:
    """A stretch of a report; `following` is where the next begins, None on the last."""

    lines: tuple[ReportLine, ...]
    following: UUID | None


def _viewed(said: Mapping[str, Any]) -> JsonObject:
    return {name: said.get(name) for name in ("rendition", "sha256", "ticket")}


def _excerpted(said: Mapping[str, Any]) -> JsonObject:
    cut = said["cut"]
    return {
        "from_ms": said["from_ms"],
        "to_ms": said["to_ms"],
        "chunks": sum(run["chunks"] for run in said["runs"]),
        "cut_sha256": None if cut is None else cut["sha256"],
    }


def _exported(said: Mapping[str, Any]) -> JsonObject:
    served: JsonObject = {"files": len(said["files"]), "bytes": sum(file["size"] for file in said["files"])}
    still = said.get("still")
    return served if still is None else {**served, **{name: still[name] for name in ("frame", "at_ms")}}


def _packed(said: Mapping[str, Any]) -> JsonObject:
    return {name: said[name] for name in ("export", "manifest", "bytes")}


def _shared(said: Mapping[str, Any]) -> JsonObject:
    return {name: said[name] for name in ("export", "link", "recipient", "expires_at", "uses_max")}


def _fetched(said: Mapping[str, Any]) -> JsonObject:
    return {name: said[name] for name in ("export", "link")}


def _clip_shared(said: Mapping[str, Any]) -> JsonObject:
    names = ("link", "recipient", "expires_at", "uses_max", "rendition", "from_ms", "to_ms")
    return {name: said.get(name) for name in names}


def _watched(said: Mapping[str, Any]) -> JsonObject:
    return {name: said[name] for name in ("link", "sha256", "ticket")}


def _looked(said: Mapping[str, Any]) -> JsonObject:
    return {name: said[name] for name in ("renditions", "pictures", "ticket")}


def _searched(said: Mapping[str, Any]) -> JsonObject:
    return {name: said[name] for name in ("question", "classes")}


LOOKS: Final[Mapping[str, Callable[[Mapping[str, Any]], JsonObject]]] = MappingProxyType(
    {
        "clip.viewed": _viewed,
        "clip.excerpted": _excerpted,
        "clip.exported": _exported,
        "case.exported": _packed,
        "clips.exported": _packed,
        "export.shared": _shared,
        "export.fetched": _fetched,
        "clip.shared": _clip_shared,
        "clip.watched": _watched,
        "clips.viewed": _looked,
        "clips.searched": _searched,
    }
)
"""Types of entries by which footage is seen or leaves -> what of their payload says what was served."""


async def report_of_clip(
    conn: Connection, clip: UUID, *, reader: Person, until: datetime, after: UUID | None, limit: int
) -> ReportPage:
    """Return what is on record about a clip, oldest first, behind the entry `after`.

    Args:
        reader: Who asks; lines about cases that they may not know of are left out.
        until: The report ends with what was recorded at this instant: pages of one report belong together.

    Raises:
        ClipUnknown: There is no such clip.
    """
    if await clip_row(conn, clip) is None:
        raise ClipUnknown(f"there is no clip {clip}", clip=str(clip))
    events = await events_of_clip(conn, clip, until=until, after=after, limit=limit + 1)
    cases = {event.entry_id: case for event in events if (case := case_of(event)) is not None}
    known = await known_cases(conn, reader, set(cases.values()))
    shown = [event for event in events[:limit] if cases.get(event.entry_id) in {None, *known}]
    about = {event.entry_id: (clip,) for event in shown}
    return ReportPage(await _lines(conn, shown, about), _following(events, limit))


async def report_of_person(
    conn: Connection,
    staff: UUID,
    *,
    reader: Person,
    since: datetime | None,
    until: datetime,
    after: UUID | None,
    limit: int,
) -> ReportPage:
    """Return every time a person looked or handed something out, oldest first, behind the entry `after`.

    Args:
        reader: Who asks; a line of which they may know of no clip is left out, whatever else it says.
        since, until: Recorded at the first instant or later, and before the second.
    """
    events = await events_of_person(
        conn, staff, types=LOOKS, since=since or _BEGINNING, until=until, after=after, limit=limit + 1
    )
    about = await _clips_of(conn, events[:limit])
    may = await known_clips(conn, reader, {clip for clips in about.values() for clip in clips}, action=Action.CUSTODY)
    seen = {entry: tuple(clip for clip in clips if clip in may) for entry, clips in about.items()}
    shown = [event for event in events[:limit] if seen[event.entry_id] or _sees_all(reader)]
    return ReportPage(await _lines(conn, shown, seen), _following(events, limit))


def _served(event: RecordedEvent, clips: Sequence[UUID]) -> JsonObject:
    """Return what was served; of a package, also the seconds of these clips that were handed over as excerpts."""
    if event.type not in LOOKS:
        return {}
    parts: Any = event.payload.get("excerpts")
    known = [one for one in parts if UUID(one["clip"]) in clips] if isinstance(parts, list) else []
    spans: list[JsonValue] = [{"clip": one["clip"], **span} for one in known for span in one["spans"]]
    return {**LOOKS[event.type](event.payload), **({"excerpts": spans} if spans else {})}


def _sees_all(reader: Person) -> bool:
    office = any(Action.CUSTODY in OFFICES.get(role, ()) for role in reader.roles)
    return office or (reader.all_units and reader.all_classes)


async def _clips_of(conn: Connection, events: Sequence[RecordedEvent]) -> dict[UUID, tuple[UUID, ...]]:
    exports = {event.entry_id: UUID(str(known)) for event in events if (known := event.payload.get("export"))}
    packed = await clips_of_packages(conn, set(exports.values()))
    about: dict[UUID, tuple[UUID, ...]] = {}
    for event in events:
        one, several = event.payload.get("clip"), event.payload.get("clips")
        if one is not None:
            about[event.entry_id] = (UUID(str(one)),)
        elif isinstance(several, list):
            about[event.entry_id] = tuple(UUID(str(clip)) for clip in several)
        else:
            about[event.entry_id] = tuple(packed.get(exports[event.entry_id], ()))
    return about


async def _lines(
    conn: Connection, events: Sequence[RecordedEvent], about: Mapping[UUID, tuple[UUID, ...]]
) -> tuple[ReportLine, ...]:
    indices = await published_indices(conn, [event.entry_id for event in events])
    people = {event.entry_id: staff for event in events if (staff := _staff_of(event.actor)) is not None}
    names = await names_of_people(conn, set(people.values()))
    links = {UUID(str(link)) for event in events if (link := event.payload.get("link"))}
    recipients = await recipients_of(conn, links)
    lines = []
    for event in events:
        staff = people.get(event.entry_id)
        line = ReportLine(
            entry_id=event.entry_id,
            index=indices.get(event.entry_id),
            at=event.at,
            type=event.type,
            actor=event.actor,
            staff=staff,
            name=None if staff is None else names.get(staff),
            purpose=_text(event.payload.get("purpose")) if event.type in LOOKS else None,
            session=_uuid(event.payload.get("session")),
            served=_served(event, about[event.entry_id]),
            clips=about[event.entry_id],
        )
        # By a link nobody of this house is handed anything: it is the recipient, by the name they were given.
        recipient = recipients.get(UUID(str(event.payload.get("link")))) if event.payload.get("link") else None
        handed = event.type in {"export.fetched", "clip.watched"} and recipient is not None
        lines.append(replace(line, served={**line.served, "recipient": recipient}) if handed else line)
    return tuple(lines)


def _following(events: Sequence[RecordedEvent], limit: int) -> UUID | None:
    return events[limit - 1].entry_id if len(events) > limit else None


def _staff_of(actor: str) -> UUID | None:
    kind, _, id_ = actor.partition(":")
    return UUID(id_) if kind == "staff" else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _uuid(value: object) -> UUID | None:
    return UUID(value) if isinstance(value, str) else None
