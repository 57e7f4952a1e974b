"""The continuity of a clip: the report that was made when it was decoded, and its place among its neighbours now.

A report holds measures of the file, no picture and no sound, like the facts of its container; so nobody has to open a
view for it. The neighbours are compared when somebody asks: more of them may have come since.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from aiohttp import web

from api.answers import json_answer
from api.call import Call
from api.errors import RenditionMissing
from api.models.continuity import ContinuityItem, ObservationItem
from api.route import NoQuery
from evidence.clips.clips import get_clip
from evidence.clips.neighbour_store import NeighbourRow, clip_neighbours
from ingest.media.continuity.codes import CODES
from ingest.media.continuity.observation import Notebook
from ingest.media.continuity.report import BYTES_MAX, parse_report
from ingest.media.continuity.sequence import ClipFacts, note_sequence

KIND = "continuity"
NEIGHBOURS = 8


async def continuity(call: Call[None, NoQuery]) -> web.Response:
    """Tell what the continuity of a clip gives occasion to note."""
    async with call.services.pool.acquire() as conn:
        clip = await get_clip(conn, call.id("clip"))
        rows = await clip_neighbours(conn, clip.id, limit=NEIGHBOURS)
    made = clip.made(KIND)
    if made is None:
        raise RenditionMissing(f"the clip has no {KIND}", clip=str(clip.id), state=clip.state.value)
    raw = await asyncio.to_thread(lambda: _head(call.services.objects.open_path(made.sha256.hex())))
    report = cast("Mapping[str, Any]", parse_report(raw))
    notebook = Notebook()
    own = next((row for row in rows if row.clip == clip.id), None)
    if own is not None:
        note_sequence(facts_of(own), [facts_of(row) for row in rows if row is not own], notebook)
    item = ContinuityItem(
        clip=clip.id,
        walk=report["walk"],
        packets=report["packets"],
        whole=report["whole"],
        tracks=report["tracks"],
        counts=report["counts"],
        observations=_items(report["observations"]),
        sequence=_items([noted.as_json() for noted in notebook]),
    )
    return json_answer(item)


def facts_of(row: NeighbourRow) -> ClipFacts:
    """Return what the rules of sequence need; what an older or foreign probe does not state is left open."""
    probe: Mapping[str, Any] = row.probe or {}
    container = probe.get("container")
    container = container if isinstance(container, dict) else {}
    duration = container.get("duration_ms")
    tracks = [track for kind in ("pictures", "sounds") for track in probe.get(kind) or () if isinstance(track, dict)]
    words = [str(container.get("names", "")), *(str(track.get("codec")) for track in tracks)]
    return ClipFacts(
        name=row.name,
        recorded_at=row.recorded_at,
        duration_ms=duration if isinstance(duration, int) else None,
        size=row.size,
        make=" ".join(words).strip(),
    )


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(BYTES_MAX + 1)


def _items(observations: Sequence[Mapping[str, Any]]) -> list[ObservationItem]:
    return [_item(noted) for noted in observations]


def _item(noted: Mapping[str, Any]) -> ObservationItem:
    meaning = CODES.get(noted["code"])
    return ObservationItem(
        code=noted["code"],
        severity=noted["severity"],
        en=meaning.en if meaning else "",
        zh=meaning.zh if meaning else "",
        causes_en=meaning.causes_en if meaning else "",
        causes_zh=meaning.causes_zh if meaning else "",
        track=noted.get("track"),
        bytes=noted.get("bytes"),
        ms=noted.get("ms"),
        measured=dict(noted["measured"]),
    )
