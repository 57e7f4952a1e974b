"""Recordings: what came together with a clip."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from aiohttp import web

from api.answers import json_answer
from api.call import Call
from api.errors import RecordingMissing
from api.models.recordings import CompanionItem, RecordedClipItem, RecordingItem
from api.route import NoQuery
from evidence.access.sight import known_clips
from evidence.clips.clips import get_clip
from evidence.clips.recording_store import RecordedCompanion, Recording, recording_of
from evidence.errors import ObjectMissing
from evidence.objects.store import ObjectStore
from ingest.swift.rules import ObjectKind

_TEXT_BYTES_MAX = 65_536


def bookmark_texts(objects: ObjectStore, companions: Sequence[RecordedCompanion]) -> dict[str, str]:
    """Return what bookmarks say, by their names; one whose object is gone says nothing, and the audit names it."""
    texts = {}
    for one in companions:
        if one.kind != ObjectKind.BOOKMARK or one.size > _TEXT_BYTES_MAX:
            continue
        try:
            raw = b"" if one.sha256 is None else objects.open_path(one.sha256.hex()).read_bytes()
        except ObjectMissing:
            continue
        texts[one.name] = raw.decode("utf-8", "replace")
    return texts


async def of_clip(call: Call[None, NoQuery]) -> web.Response:
    """Return the recording that a clip belongs to."""
    async with call.services.pool.acquire() as conn:
        clip = await get_clip(conn, call.id("clip"))
        found = await recording_of(conn, clip.id)
        known = await known_clips(conn, call.person, [clip.id, *(one.clip for one in found.clips)] if found else [])
    if found is None:
        raise RecordingMissing("the clip came by itself", clip=str(clip.id))
    # What came together need not be one person's to see: a class narrows clip by clip.
    shown = replace(
        found,
        clips=tuple(one for one in found.clips if one.clip in known),
        companions=tuple(one for one in found.companions if one.clip in known),
    )
    texts = await asyncio.to_thread(bookmark_texts, call.services.objects, shown.companions)
    return json_answer(_item(shown, texts))


def _item(found: Recording, texts: dict[str, str]) -> RecordingItem:
    return RecordingItem(
        recording=found.recording,
        controller=found.controller,
        container=found.container,
        recorder=found.recorder,
        wearer=found.wearer,
        officer=found.officer,
        officer_name=found.officer_name,
        started_at=found.started_at,
        stopped_at=found.stopped_at,
        metadata=dict(found.metadata),
        clips=[
            RecordedClipItem(
                name=one.name,
                clip=one.clip,
                sha256=one.sha256,
                size=one.size,
                started_at=one.started_at,
                stopped_at=one.stopped_at,
                metadata=dict(one.metadata),
            )
            for one in found.clips
        ],
        companions=[
            CompanionItem(
                name=one.name,
                kind=one.kind,
                clip=one.clip,
                sha256=one.sha256,
                size=one.size,
                metadata=dict(one.metadata),
                text=texts.get(one.name),
            )
            for one in found.companions
        ],
        sealed_at=found.sealed_at,
        entry=found.entry_id,
    )
