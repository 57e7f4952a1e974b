"""Routes of links by which somebody outside watches one clip."""

from __future__ import annotations

from api.bodies import JsonBody
from api.handlers import clip_links
from api.handlers.clip_links import FILM, HTML, PAGE_POLICY
from api.models.clip_links import ClipLinkItems, ShareClip, SharedClip
from api.models.common import PageQuery
from api.models.exports import RevokedLink, RevokeLink
from api.route import NO_STORE, Answer, Header, Route, json_of
from api.routes.access import ANYBODY, VIEWERS, WRITERS
from api.routes.clips import IDEMPOTENCY

_PAGE = {**NO_STORE, "Content-Security-Policy": PAGE_POLICY}

CLIP_LINK_ROUTES: tuple[Route, ...] = (
    Route(
        name="share_clip",
        method="POST",
        path="/v1/clips/{clip}/links",
        summary="Make a link to watch a watermarked copy by, for a named recipient; its address is shown this once",
        roles=WRITERS,
        handle=clip_links.create,
        body=JsonBody(ShareClip),
        answers=(json_of(201, SharedClip, "On record; the copy is made meanwhile"),),
        errors=("view.purpose_unknown", "view.rendition_missing", "clip.unknown", "clip.disposed", "share.invalid"),
        tag="exports",
    ),
    Route(
        name="list_clip_links",
        method="GET",
        path="/v1/clips/{clip}/links",
        summary="Links to watch a clip by, with how often each was used and how far its copy is",
        roles=VIEWERS,
        handle=clip_links.list_all,
        query=PageQuery,
        answers=(json_of(200, ClipLinkItems, "A page"),),
        errors=("clip.unknown", "request.cursor"),
        tag="exports",
    ),
    Route(
        name="revoke_clip_link",
        method="POST",
        path="/v1/clips/{clip}/links/{link}/revocation",
        summary="End a link; one that was ended before stays so, and its copy is removed",
        roles=WRITERS,
        handle=clip_links.revoke,
        body=JsonBody(RevokeLink),
        answers=(json_of(200, RevokedLink, "It shows nothing any more"),),
        errors=("share.unknown", "idempotency.conflict", "request.header"),
        headers=(IDEMPOTENCY,),
        tag="exports",
    ),
    Route(
        name="show_watch",
        method="GET",
        path="/watch/{ticket}",
        summary="What a link to watch is for, as a page without script; the link is the credential",
        roles=ANYBODY,
        handle=clip_links.show,
        always=_PAGE,
        answers=(Answer(status=200, means="The page", media_type=HTML),),
        errors=("share.unknown",),
        tag="exports",
    ),
    Route(
        name="use_watch",
        method="POST",
        path="/watch/{ticket}",
        summary="Use a link once: on record first, then where its watermarked copy is watched",
        roles=ANYBODY,
        handle=clip_links.use,
        answers=(Answer(status=303, means="There it is, for some hours"),),
        errors=("share.unknown", "share.not_ready", "clip.disposed"),
        tag="exports",
    ),
    Route(
        name="watching",
        method="GET",
        path="/watching/{ticket}",
        summary="The page that plays a watermarked copy, without script; the ticket is the credential",
        roles=ANYBODY,
        handle=clip_links.watching,
        always=_PAGE,
        answers=(Answer(status=200, means="The page", media_type=HTML),),
        errors=("ticket.unknown",),
        tag="exports",
    ),
    Route(
        name="watermarked_copy",
        method="GET",
        path="/watching/{ticket}/copy",
        summary="A watermarked copy, whole or a byte range; not the original, and not evidence",
        roles=ANYBODY,
        handle=clip_links.film,
        answers=(
            Answer(status=200, means="The whole copy", media_type=FILM),
            Answer(status=206, means="The range", media_type=FILM),
        ),
        errors=("ticket.unknown", "share.not_ready", "request.range"),
        headers=(
            Header(name="Range", means="One range of bytes"),
            Header(name="If-Range", means="ETag that the range is of"),
        ),
        tag="exports",
    ),
)
