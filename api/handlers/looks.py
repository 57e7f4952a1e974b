"""Looking at the pictures of many clips: on record once, and only then it is said where they are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby

from aiohttp import web

from api.answers import json_answer
from api.call import Call
from api.handlers.clips import by_cookie, checked_purpose
from api.models.looks import NothingToSee, OpenedLook, OpenLook, SeenClip
from api.route import NoQuery
from evidence.access.policy import Action
from evidence.access.sight import known_clips
from evidence.db.locks import share_subject
from evidence.parties.look_store import Picture
from evidence.parties.looks import open_look
from evidence.retention.tombstones import RETENTION_SUBJECT


async def look(call: Call[OpenLook, NoQuery]) -> web.Response:
    """Put on record that somebody looks at many clips, those of them that they may look at."""
    services, body = call.services, call.body
    purpose = checked_purpose(body.purpose)
    async with services.pool.acquire() as conn, conn.transaction():
        # What is disposed of meanwhile would be named in the entry and not be there.
        await share_subject(conn, RETENTION_SUBJECT)
        opened = await open_look(
            conn,
            clips=await known_clips(conn, call.person, body.clips, action=Action.VIEW),
            purpose=purpose,
            staff=call.staff.staff,
            session=call.staff.token,
            by_cookie=by_cookie(call),
            lifetime=timedelta(seconds=services.config.view_ticket_seconds),
            clock=services.clock,
            entropy=services.entropy,
        )
    if opened is None:
        return json_answer(NothingToSee(clips=[]))
    url = f"{services.config.public_url or ''}/media/{opened.view.text}"
    answer = OpenedLook(
        url=url, expires_at=opened.view.expires_at, entry=opened.view.entry_id, clips=_seen(opened.pictures)
    )
    return json_answer(answer, status=201)


def _seen(pictures: Sequence[Picture]) -> list[SeenClip]:
    clips = groupby(pictures, key=lambda one: one.clip)
    return [SeenClip(clip=clip, kinds=[one.kind for one in kinds]) for clip, kinds in clips]
