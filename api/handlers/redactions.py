"""A redacted copy over HTTP: made while the caller waits, kept, and answered with its digest and its entry."""

from __future__ import annotations

from aiohttp import web

from api.answers import json_answer
from api.call import Call
from api.models.clips import RedactionMade
from api.redactions import redactor_of
from api.route import NoQuery
from evidence.clips.redaction import RedactionContent


async def redact(call: Call[RedactionContent, NoQuery]) -> web.Response:
    """Make a redacted copy of a clip."""
    made = await redactor_of(call.services).redact(clip=call.id("clip"), content=call.body, actor=call.actor)
    answer = RedactionMade(
        redaction=made.redaction,
        clip=made.clip,
        entry=made.entry_id,
        sha256=made.sha256,
        size=made.size,
        media_type=made.media_type,
    )
    return json_answer(answer, status=201)
