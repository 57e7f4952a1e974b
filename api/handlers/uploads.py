"""tus 1.0.0 at /uploads: headers in, headers out; what an upload may be and become is the intake's business.

The bytes of a PATCH go from the socket into the intake's buffers (`api.socket_body`). When the connection ends early,
everything that came is on disk and recorded before anybody is told, and a HEAD states the offset to go on at. Where the
setting allows it, a request without `Tus-Resumable` speaks the IETF's draft instead (`api.handlers.resumable`).
"""

from __future__ import annotations

from aiohttp import web

from api import tus
from api.bodies import check_encoding
from api.errors import HeaderInvalid, MediaTypeRefused
from api.handlers import resumable
from api.handlers.upload_bytes import UploadCall, address, take_bytes


async def options(call: UploadCall) -> web.Response:
    """Say what is spoken here; exempt from the version check."""
    limit = call.services.uploads.settings.length_max_of(call.actor)
    headers = {"Tus-Version": tus.VERSION, "Tus-Extension": tus.EXTENSIONS, "Tus-Max-Size": str(limit)}
    headers["Tus-Checksum-Algorithm"] = tus.CHECKSUM_ALGORITHMS
    return web.Response(status=204, headers={**headers, **resumable.offered(call)})


async def create(call: UploadCall) -> web.Response:
    """Announce a file, with its first bytes if they come along."""
    if resumable.is_spoken(call):
        return await resumable.create(call)
    request = call.request
    tus.check_version(request.headers)
    concat = tus.parse_concat(request.headers)
    length = None if concat and concat.parts else tus.parse_upload_length(request.headers)
    metadata = tus.parse_metadata(request.headers.get("Upload-Metadata", ""))
    carries = request.can_read_body
    if carries and concat and concat.parts:
        raise HeaderInvalid("a final upload takes its bytes from its parts alone", header="Upload-Concat")
    if carries:
        _check_body(request)
        tus.parse_checksum(request.headers)  # refused before an upload exists that nobody would know of
    upload = await call.services.uploads.create(
        actor=call.actor,
        length=length,
        metadata=metadata,
        partial=concat is not None and concat.parts is None,
        parts=concat.parts if concat else None,
    )
    headers = {"Location": f"{address(call)}/uploads/{upload.id}"}
    if carries:
        headers["Upload-Offset"] = str(await take_bytes(call, upload.id, offset=0))
        upload = await call.services.uploads.status(actor=call.actor, upload=upload.id)
    headers |= tus.expiry_headers(upload.expires_at)
    return web.Response(status=201, headers=headers)


async def head(call: UploadCall) -> web.Response:
    """State how far an upload is."""
    if resumable.is_spoken(call):
        return await resumable.head(call)
    tus.check_version(call.request.headers)
    upload = await call.services.uploads.status(actor=call.actor, upload=call.id("upload"))
    headers = tus.expiry_headers(upload.expires_at)
    if upload.partial or upload.parts:
        headers["Upload-Concat"] = tus.format_concat(tus.Concat(upload.parts), base=address(call))
    if not upload.parts or upload.offset == upload.length:
        # While a file is put together its offset is nobody's business but ours.
        headers["Upload-Offset"] = str(upload.offset)
    if upload.length is None:
        headers["Upload-Defer-Length"] = "1"
    else:
        headers["Upload-Length"] = str(upload.length)
    if upload.metadata:
        headers["Upload-Metadata"] = tus.format_metadata(upload.metadata)
    return web.Response(status=200, headers=headers)


async def patch(call: UploadCall) -> web.Response:
    """Take the bytes that follow an offset."""
    if resumable.is_spoken(call):
        return await resumable.patch(call)
    request = call.request
    tus.check_version(request.headers)
    _check_body(request)
    offset = tus.parse_integer(request.headers, "Upload-Offset")
    if "Upload-Length" in request.headers:
        length = tus.parse_integer(request.headers, "Upload-Length")
        await call.services.uploads.declare_length(actor=call.actor, upload=call.id("upload"), length=length)
    acknowledged = await take_bytes(call, call.id("upload"), offset=offset)
    upload = await call.services.uploads.status(actor=call.actor, upload=call.id("upload"))
    headers = {"Upload-Offset": str(acknowledged), **tus.expiry_headers(upload.expires_at)}
    return web.Response(status=204, headers=headers)


async def delete(call: UploadCall) -> web.Response:
    """Give an upload up."""
    if resumable.is_spoken(call):
        return await resumable.delete(call)
    tus.check_version(call.request.headers)
    await call.services.uploads.terminate(actor=call.actor, upload=call.id("upload"))
    return web.Response(status=204)


async def override(call: UploadCall) -> web.Response:
    """Do what `X-HTTP-Method-Override` says, for clients whose way lets no PATCH or DELETE through (tus 1.0.0)."""
    methods = {"PATCH": patch, "DELETE": delete}
    method = call.request.headers.get("X-HTTP-Method-Override", "")
    if method not in methods:
        raise HeaderInvalid("X-HTTP-Method-Override has to be PATCH or DELETE", header="X-HTTP-Method-Override")
    return await methods[method](call)


def _check_body(request: web.Request) -> None:
    check_encoding(request)
    if request.content_type != tus.OFFSET_MEDIA_TYPE:
        raise MediaTypeRefused(f"the body has to be {tus.OFFSET_MEDIA_TYPE}", given=request.content_type[:80])
