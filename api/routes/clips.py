"""Routes about clips: find, read, prove, look; annotating them stands in `annotations.py`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from api.bodies import JsonBody
from api.call import Call
from api.handlers import (
    clips,
    continuity,
    excerpts,
    looks,
    media,
    receipts,
    recordings,
    redactions,
    stills,
    transcripts,
)
from api.handlers.excerpts import EXCERPT_TYPE
from api.handlers.receipts import LEAVES_TYPE, RECEIPT_TYPE
from api.handlers.stills import STILL_TYPE
from api.models.clips import (
    ClipDetail,
    ClipItems,
    ClipsQuery,
    HistoryItems,
    OpenedView,
    OpenView,
    OrderExcerpt,
    OrderStill,
    RedactionItem,
    SealedClip,
)
from api.models.common import PageQuery
from api.models.continuity import ContinuityItem
from api.models.looks import NothingToSee, OpenedLook, OpenLook
from api.models.recordings import RecordingItem
from api.models.transcripts import TranscriptItem
from api.route import Answer, Header, Route, json_of
from api.routes.access import ANYBODY, DOCKS, VIEWERS, WRITERS
from api.routes.codes import PROOF_ERRORS
from evidence.clips.redaction import RedactionContent

IDEMPOTENCY = Header(name="Idempotency-Key", means="A repeat with the same key gets the same answer again")
MEDIA_TYPE = "*/*"


def _media_route(
    name: str, path: str, summary: str, handle: Callable[[Call[Any, Any]], Awaitable[web.StreamResponse]]
) -> Route:
    return Route(
        name=name,
        method="GET",
        path=path,
        summary=summary,
        roles=ANYBODY,
        handle=handle,
        answers=(
            Answer(status=200, means="The whole object", media_type=MEDIA_TYPE),
            Answer(status=206, means="The range", media_type=MEDIA_TYPE),
        ),
        errors=(
            *("ticket.unknown", "ticket.expired", "ticket.foreign", "request.range"),
            *("object.missing", "object.damaged", "object.store_unreachable"),
        ),
        headers=(
            Header(name="Range", means="One range of bytes"),
            Header(name="If-Range", means="ETag that the range is of"),
        ),
        tag="clips",
    )


CLIP_ROUTES: tuple[Route, ...] = (
    Route(
        name="find_clips",
        method="GET",
        path="/v1/clips",
        summary="Find clips by words and facets, those received last first",
        roles=VIEWERS,
        handle=clips.find,
        query=ClipsQuery,
        answers=(json_of(200, ClipItems, "A page"),),
        errors=("search.invalid", "search.too_slow", "view.purpose_unknown"),
        tag="clips",
    ),
    Route(
        name="get_clip",
        method="GET",
        path="/v1/clips/{clip}",
        summary="All that is known about a clip",
        roles=VIEWERS,
        handle=clips.get,
        answers=(json_of(200, ClipDetail, "The clip"), Answer(status=304, means="As the ETag you have says")),
        errors=(
            "clip.unknown",
            "clip.disposed",
        ),
        headers=(Header(name="If-None-Match", means="ETag of what you have"),),
        tag="clips",
    ),
    Route(
        name="get_recording",
        method="GET",
        path="/v1/clips/{clip}/recording",
        summary="What a clip came together with: the other clips of its recording, bookmarks, trails, keys",
        roles=VIEWERS,
        handle=recordings.of_clip,
        answers=(json_of(200, RecordingItem, "The recording"),),
        errors=("clip.unknown", "recording.missing"),
        tag="clips",
    ),
    Route(
        name="clip_history",
        method="GET",
        path="/v1/clips/{clip}/history",
        summary="Everything on record about a clip, in the order it was recorded in",
        roles=VIEWERS,
        handle=clips.history,
        query=PageQuery,
        answers=(json_of(200, HistoryItems, "A page"),),
        errors=("clip.unknown", "request.cursor"),
        tag="clips",
    ),
    Route(
        name="clip_continuity",
        method="GET",
        path="/v1/clips/{clip}/continuity",
        summary="What the file's own bookkeeping and its neighbours give occasion to note: leads, never verdicts",
        roles=VIEWERS,
        handle=continuity.continuity,
        answers=(json_of(200, ContinuityItem, "The observations"),),
        errors=("clip.unknown", "view.rendition_missing", "object.missing", "media.continuity_malformed"),
        tag="clips",
    ),
    Route(
        name="clip_transcript",
        method="GET",
        path="/v1/clips/{clip}/transcript",
        summary="What a machine proposes that people said: how far it is, and by which models; the words by a view",
        roles=VIEWERS,
        handle=transcripts.transcript,
        answers=(json_of(200, TranscriptItem, "How far it is"),),
        errors=("clip.unknown",),
        tag="clips",
    ),
    Route(
        name="clip_receipt",
        method="GET",
        path="/v1/clips/{clip}/receipt",
        summary="The receipt: to a dock that of its own delivery, to people that of the first",
        roles=VIEWERS | DOCKS,
        handle=receipts.receipt,
        answers=(
            Answer(status=200, means="The receipt", media_type=RECEIPT_TYPE),
            json_of(202, SealedClip, "Not published yet; ask again"),
        ),
        errors=("clip.unknown", *PROOF_ERRORS),
        tag="clips",
    ),
    Route(
        name="clip_leaves",
        method="GET",
        path="/v1/clips/{clip}/leaves",
        summary="Leaf hashes of the original, 32 bytes for each MiB; proved by the receipt, they tell what differs",
        roles=VIEWERS,
        handle=receipts.leaves,
        answers=(Answer(status=200, means="The hashes, one after the other (RFC 6962)", media_type=LEAVES_TYPE),),
        errors=("clip.unknown", "clip.leaves_missing"),
        tag="clips",
    ),
    Route(
        name="view_clip",
        method="POST",
        path="/v1/clips/{clip}/views",
        summary="Put on record that you look and what for; the answer says where",
        roles=VIEWERS,
        handle=clips.view,
        body=JsonBody(OpenView),
        answers=(json_of(201, OpenedView, "On record, and the address"),),
        errors=("clip.unknown", "clip.disposed", "view.purpose_unknown", "view.rendition_missing"),
        tag="clips",
    ),
    Route(
        name="order_excerpt",
        method="POST",
        path="/v1/clips/{clip}/excerpts",
        summary="Some seconds of a clip as a provable part of its original, in one archive; on record first",
        roles=VIEWERS,
        handle=excerpts.order,
        body=JsonBody(OrderExcerpt),
        answers=(Answer(status=200, means="The excerpt's folder, see shilu-verify", media_type=EXCERPT_TYPE),),
        errors=(
            *(
                "clip.unknown",
                "clip.disposed",
                "view.purpose_unknown",
                "excerpt.impossible",
                "excerpt.cut_refused",
                "excerpt.too_long",
            ),
            *("clip.blocked", "receipt.pending", "evidence.damaged", "object.missing"),
        ),
        tag="clips",
    ),
    Route(
        name="order_still",
        method="POST",
        path="/v1/clips/{clip}/stills",
        summary="One picture of a clip in full, decoded from its sealed original; on record first",
        roles=VIEWERS,
        handle=stills.order,
        body=JsonBody(OrderStill),
        answers=(
            Answer(
                status=200,
                means="The picture; the header X-Shilu-Still states in JSON which it is and how it was decoded",
                media_type=STILL_TYPE,
            ),
        ),
        errors=(
            *("clip.unknown", "clip.disposed", "view.purpose_unknown", "still.not_derived", "still.no_index"),
            *("still.no_pictures", "still.outside", "still.undecodable", "still.unplaced"),
            *("clip.blocked", "receipt.pending", "evidence.damaged", "object.missing"),
        ),
        tag="clips",
    ),
    Route(
        name="redact_clip",
        method="POST",
        path="/v1/clips/{clip}/redactions",
        summary="A copy with parts made unseen and unheard, on record with every change and its reason",
        roles=WRITERS,
        handle=redactions.order,
        body=JsonBody(RedactionContent),
        answers=(json_of(202, RedactionItem, "Asked for; ask `get_redaction` how far it is"),),
        errors=("clip.unknown", "clip.disposed", "idempotency.conflict", "request.header"),
        headers=(IDEMPOTENCY,),
        tag="clips",
    ),
    Route(
        name="get_redaction",
        method="GET",
        path="/v1/clips/{clip}/redactions/{redaction}",
        summary="How far a redacted copy is; once done it is seen as the rendition `redacted`, the newest",
        roles=WRITERS,
        handle=redactions.get,
        answers=(json_of(200, RedactionItem, "Waiting, running, done or refused"),),
        errors=("redaction.unknown",),
        tag="clips",
    ),
    _media_route(
        "media", "/media/{ticket}", "Footage, whole or a byte range; the ticket is the credential", media.media
    ),
    _media_route(
        "media_beside",
        "/media/{ticket}/{kind}",
        "What was made together with it (playlist, storyboard, waveform), by the same ticket",
        media.media_beside,
    ),
    Route(
        name="look_at_clips",
        method="POST",
        path="/v1/looks",
        summary="Put on record, once, that you look at stills and storyboards of many clips; the answer says where",
        roles=VIEWERS,
        handle=looks.look,
        body=JsonBody(OpenLook),
        answers=(
            json_of(201, OpenedLook, "On record, and the address below which the pictures are"),
            json_of(200, NothingToSee, "None of them has pictures that you may see; nothing is on record"),
        ),
        errors=("view.purpose_unknown",),
        tag="clips",
    ),
    _media_route(
        "media_of_look",
        "/media/{ticket}/{clip}/{kind}",
        "A still, a storyboard or its sheet, of one clip of a look; the ticket is the credential",
        media.media_of_look,
    ),
)
