"""The whole trail of a clip: from the exhibit back to the recorder's serial and the first digest, as one JSON object.

Made from the custody history alone, plus what docks signed about the recorder: each step names the entry that says so
and its place in the log, so that a reader can ask for the receipt of any of them. `as of` a checkpoint it is the same
whenever it is asked for.

    recorder -> inventory (dock's signature) -> manifest (first digest) -> original, sealed -> derivatives
    -> annotations -> cases -> what became of those (`uses`) -> packages that left the house

What is not known is null and never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from evidence.core.clock import format_time
from evidence.custody.history import CustodyLine, clip_history
from evidence.db.pool import Connection
from evidence.export.trail_store import NoticeRow, OriginRow, notices_of, origins_of
from evidence.export.uses import act_as_json, acts_of
from evidence.recorders.meanings import MEANINGS
from ledger.canonical import JsonObject, JsonValue
from ledger.store import published_indices

_PAGE: Final = 500
NOTICES_MAX: Final = 200
"""Most things noticed about a recorder that a trail lists."""

_ELSEWHERE: Final = ("case.exported",)
"""Acts of a case that are told of a clip only where they have it in them."""

LOOK: Final = "clips.viewed"
"""Looks at pictures of many clips: the trail tells of them, and their receipts, which name the others, stay here."""

_HANDING: Final = ("clip.exported", "clip.excerpted", "case.exported", "clips.exported")
_SEALING: Final = ("clip.sealed", "clip.repeated")


@dataclass(frozen=True, slots=True)
class History:
    """What is on record about a clip as of a state of the log, oldest first, and where it came from."""

    clip: UUID
    lines: tuple[CustodyLine, ...]
    origins: Mapping[UUID, OriginRow]
    notices: tuple[NoticeRow, ...]
    places: Mapping[UUID, int]
    acts: tuple[CustodyLine, ...] = ()

    def of(self, *types: str) -> list[CustodyLine]:
        """Return the lines of some types."""
        return [line for line in self.lines if line.event.type in types]


async def read_history(conn: Connection, clip: UUID, *, log_size: int | None = None) -> History:
    """Read all that a trail is made of.

    Args:
        log_size: Only what stands among the log's first so many entries; None for all that there is, published or not.

    Raises:
        ClipUnknown: There is no such clip.
    """
    lines: list[CustodyLine] = []
    page = await clip_history(conn, clip, limit=_PAGE)
    while page:
        lines += page
        page = await clip_history(conn, clip, after=page[-1].event.entry_id, limit=_PAGE)
    kept = tuple(line for line in lines if _stands(line.index, log_size))
    named = {UUID(str(known)) for line in kept if (known := line.event.payload.get("inventory")) is not None}
    origins = await origins_of(conn, sorted(named))
    notices = await notices_of(conn, sorted(named), limit=NOTICES_MAX)
    around = [entry for row in origins.values() for entry in (row.inventory_entry, row.dock_entry)]
    places = await published_indices(conn, [*around, *(row.entry_id for row in notices)])
    cases = {str(line.event.payload["case"]) for line in kept if line.event.type == "case.clip_linked"}
    return History(
        clip=clip,
        lines=kept,
        origins={one: row for one, row in origins.items() if _stands(places.get(row.inventory_entry), log_size)},
        notices=tuple(row for row in notices if _stands(places.get(row.entry_id), log_size)),
        places=places,
        acts=tuple(await acts_of(conn, [UUID(case) for case in sorted(cases)], log_size=log_size)),
    )


def trail_of(history: History) -> JsonObject:
    """Write the trail down."""
    sealed = history.of("clip.sealed")[0].event.payload
    return {
        "clip": str(history.clip),
        "original": {
            name: sealed.get(name) for name in ("name", "size", "sha256", "sm3", "root", "chunk_size", "chunks")
        },
        "sources": [_source(line, history) for line in history.of(*_SEALING)],
        "copies": _steps(history.of("clip.copied"), "store", "objects"),
        "derivatives": _steps(
            history.of("clip.derived"), "outcome", "reason", "tools", "parameters", "objects", "probe"
        ),
        "transcripts": _steps(history.of("clip.transcribed"), "models", "tools", "objects"),
        "redactions": _steps(history.of("clip.redacted"), "redaction", "sha256", "size", "media_type"),
        "annotations": _steps(history.of("clip.annotated"), "version"),
        "cases": _steps(history.of("case.clip_linked"), "case", "exhibit"),
        "acts": [act_as_json(line) for line in history.acts if line.event.type not in _ELSEWHERE],
        "views": _steps(history.of("clip.viewed"), "rendition", "purpose"),
        "looks": _steps(history.of(LOOK), "renditions", "purpose"),
        "handed_over": [_handed_over(line, history.clip) for line in history.of(*_HANDING)],
        "fetched": _steps(history.of("export.fetched"), "export", "link", "purpose"),
        "noticed": [_notice(row, history) for row in history.notices],
    }


def _handed_over(line: CustodyLine, clip: UUID) -> JsonObject:
    """Tell a hand-over; `excerpt` of a package in which this clip is one, with its seconds and what was left out."""
    told = {**_entry(line), **_picked(line.event.payload, ("purpose", "export"))}
    parts: Any = line.event.payload.get("excerpts") or []
    mine = [{name: one[name] for name in one if name != "clip"} for one in parts if one["clip"] == str(clip)]
    return {**told, **({"excerpt": mine[0]} if mine else {})}


def _stands(index: int | None, log_size: int | None) -> bool:
    return log_size is None or (index is not None and index < log_size)


def _source(line: CustodyLine, history: History) -> JsonObject:
    said = line.event.payload
    known = said.get("inventory")
    origin = None if known is None else history.origins.get(UUID(str(known)))
    return {
        **_entry(line),
        "repeated": line.event.type == "clip.repeated",
        "recorder": said.get("recorder"),
        "officer": said.get("officer"),
        "path": said.get("path"),
        "recorded_at": said.get("recorded_at"),
        "received_at": said.get("received_at"),
        "first_digest": {
            "by": "dock" if said.get("manifest") is not None else "service",
            "sha256": said.get("sha256"),
            "root": said.get("root"),
            "signed": said.get("manifest"),
        },
        "inventory": None if origin is None else _origin(origin, history),
    }


def _origin(origin: OriginRow, history: History) -> JsonObject:
    docking: Any = None if origin.docking is None else dict(origin.docking)
    return {
        "inventory": str(origin.inventory),
        "entry": str(origin.inventory_entry),
        "index": history.places.get(origin.inventory_entry),
        "recorder": origin.recorder,
        "seen_at": format_time(origin.seen_at),
        "docking": docking,
        "dock": {
            "dock": str(origin.dock),
            "name": origin.dock_name,
            "entry": str(origin.dock_entry),
            "index": history.places.get(origin.dock_entry),
        },
    }


def _notice(row: NoticeRow, history: History) -> JsonObject:
    meaning = MEANINGS.get(row.code)
    facts: Any = dict(row.facts)
    return {
        "entry": str(row.entry_id),
        "index": history.places.get(row.entry_id),
        "code": row.code,
        "weight": row.weight,
        "zh": meaning.zh if meaning else "",
        "en": meaning.en if meaning else "",
        "causes_zh": meaning.causes_zh if meaning else "",
        "causes_en": meaning.causes_en if meaning else "",
        "facts": facts,
    }


def _entry(line: CustodyLine) -> JsonObject:
    event = line.event
    return {
        "entry": str(event.entry_id),
        "index": line.index,
        "type": event.type,
        "at": format_time(event.at),
        "actor": event.actor,
    }


def _steps(lines: Sequence[CustodyLine], *names: str) -> list[JsonValue]:
    return [{**_entry(line), **_picked(line.event.payload, names)} for line in lines]


def _picked(payload: Mapping[str, Any], names: Iterable[str]) -> JsonObject:
    return {name: payload[name] for name in names if name in payload}
