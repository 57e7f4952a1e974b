"""What people and devices marked in a clip, each with its source; and its times against those of documents."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import chain
from uuid import UUID

from aiohttp import web

from api.answers import json_answer
from api.call import Call
from api.handlers.recordings import bookmark_texts
from api.models.annotations import DocumentItem, DocumentItems, MarkItem, MarkItems, PositionItem
from api.route import NoQuery
from evidence.clips.circumstances import Document
from evidence.clips.clips import Clip, get_clip
from evidence.clips.content import AnnotationContent
from evidence.clips.document_times import compare_times
from evidence.clips.marks import (
    MILLISECOND,
    Beside,
    Mark,
    controller_marks,
    in_order,
    key_marks,
    people_marks,
    position_marks,
)
from evidence.clips.recording_store import Recording, recording_of
from evidence.registers.attribution_store import starts_of
from ingest.swift.rules import ObjectKind, object_span

_SHOWN = frozenset({ObjectKind.BOOKMARK, ObjectKind.TRAIL})


async def marks(call: Call[None, NoQuery]) -> web.Response:
    """List the marks of a clip."""
    async with call.services.pool.acquire() as conn:
        clip = await get_clip(conn, call.id("clip"))
        recording = await recording_of(conn, clip.id)
    found: Iterator[Mark] = chain(
        people_marks(clip.annotation), key_marks(clip.sources), position_marks(clip.derivation)
    )
    if recording is not None:
        texts = await asyncio.to_thread(bookmark_texts, call.services.objects, recording.companions)
        found = chain(found, _beside(recording, clip.id, texts))
    items = [_mark(mark) for mark in in_order(found)]
    return json_answer(MarkItems(clip=clip.id, version=clip.version, items=items))


async def documents(call: Call[None, NoQuery]) -> web.Response:
    """Compare the documents that an annotation names with the clip's times."""
    async with call.services.pool.acquire() as conn:
        clip = await get_clip(conn, call.id("clip"))
        began = await starts_of(conn, [clip.id])
    content = AnnotationContent.model_validate(clip.annotation.content if clip.annotation else {})
    shown = min((source.recorded_at for source in clip.sources if source.recorded_at is not None), default=None)
    starts = began.get(clip.id, shown)
    duration = duration_ms(clip)
    ends = None if starts is None or duration is None else starts + duration * MILLISECOND
    items = [_document(document, starts, ends) for document in content.documents]
    page = DocumentItems(clip=clip.id, version=clip.version, recorded_at=starts, duration_ms=duration, items=items)
    return json_answer(page)


def duration_ms(clip: Clip) -> int | None:
    """Return how long a clip is: as it was decoded, else as its container states; None where nobody knows."""
    probe: Mapping[str, object] = clip.derivation.probe if clip.derivation else {}
    for part in (probe.get("decoded"), probe.get("container"), probe):
        stated = part.get("duration_ms") if isinstance(part, dict) else None
        if isinstance(stated, int) and stated > 0:
            return stated
    return None


def _beside(recording: Recording, clip: UUID, texts: Mapping[str, str]) -> Iterator[Mark]:
    starts = next((one.started_at for one in recording.clips if one.clip == clip), None)
    beside = []
    for one in recording.companions:
        if one.clip == clip and one.kind in _SHOWN:
            span = object_span(one.metadata)
            said = texts.get(one.name) or one.metadata.get("categoryname")
            beside.append(Beside(kind=one.kind, name=one.name, text=said, starts=span.started_at, ends=span.stopped_at))
    return controller_marks(
        beside, starts=starts, controller=f"controller:{recording.controller}", entry=recording.entry_id
    )


def _mark(mark: Mark) -> MarkItem:
    return MarkItem(
        source=mark.source,
        kind=mark.kind,
        at_ms=mark.at_ms,
        until_ms=mark.until_ms,
        note=mark.note,
        by=mark.by,
        entry=mark.entry,
        position=None if mark.position is None else PositionItem(**mark.position),
    )


def _document(document: Document, starts: datetime | None, ends: datetime | None) -> DocumentItem:
    compared = compare_times(document, starts=starts, ends=ends)
    return DocumentItem(
        kind=document.kind,
        number=document.number,
        starts=document.starts,
        ends=document.ends,
        begins_ms=_milliseconds(compared.begins),
        ends_ms=_milliseconds(compared.ends),
        agrees=compared.agrees,
    )


def _milliseconds(delta: timedelta | None) -> int | None:
    return None if delta is None else delta // MILLISECOND
