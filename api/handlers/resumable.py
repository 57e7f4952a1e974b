"""The IETF's resumable uploads at /uploads, for clients that do not speak tus; see `api.resumable`.

The bytes take the same way as those of tus, with the same promises. Before the first byte is read an interim response
(104) says where the upload can be continued, so that even a request which is cut off is not lost.
"""

from __future__ import annotations

from uuid import UUID

from aiohttp import web

from api import resumable
from api.bodies import check_encoding
from api.errors import HeaderInvalid, MediaTypeRefused
from api.handlers.upload_bytes import UploadCall, address, take_bytes
from ingest.errors import UploadIncomplete, UploadNameInvalid
from ingest.store import UploadState
from ingest.upload import UploadView

_HTTP_1_1 = (1, 1)


def is_spoken(call: UploadCall) -> bool:
    """Tell whether a request is meant for here: the setting allows it, and it does not say that it is tus."""
    return call.services.config.resumable_uploads and "Tus-Resumable" not in call.request.headers


def offered(call: UploadCall) -> dict[str, str]:
    """Say what is spoken here, for OPTIONS."""
    if not call.services.config.resumable_uploads:
        return {}
    return {"Accept-Patch": resumable.MEDIA_TYPE, "Upload-Limit": _limit(call)}


async def create(call: UploadCall) -> web.Response:
    """Begin an upload, with its first bytes or all of them."""
    request = call.request
    resumable.require_version(request.headers)
    complete = resumable.parse_complete(request.headers)
    check_encoding(request)
    length = resumable.parse_length(request.headers, offset=0, content_bytes=_content_bytes(request), complete=complete)
    name = resumable.parse_filename(request.headers)
    if name is None:
        raise UploadNameInvalid("Content-Disposition does not name the file")
    metadata = {"filename": name.encode("utf-8", "surrogateescape")}
    upload = await call.services.uploads.create(actor=call.actor, length=length, metadata=metadata)
    location = f"{address(call)}/uploads/{upload.id}"
    await _announce(request, {"Location": location, "Upload-Limit": _limit(call, upload)})
    offset = await take_bytes(call, upload.id, offset=0) if request.can_read_body else 0
    upload = await _conclude(call, upload.id, offset=offset, complete=complete)
    answer = _answer(call, upload, status=201)
    answer.headers["Location"] = location
    return answer


async def head(call: UploadCall) -> web.Response:
    """State how far an upload is."""
    upload = await call.services.uploads.status(actor=call.actor, upload=call.id("upload"))
    answer = _answer(call, upload, status=204)
    if upload.length is not None:
        answer.headers["Upload-Length"] = str(upload.length)
    return answer


async def patch(call: UploadCall) -> web.Response:
    """Take the bytes that follow an offset."""
    request, number = call.request, call.id("upload")
    complete = resumable.parse_complete(request.headers)
    offset = resumable.parse_count(request.headers, "Upload-Offset")
    if offset is None:
        raise HeaderInvalid("Upload-Offset is missing or no number of bytes", header="Upload-Offset")
    check_encoding(request)
    if request.content_type != resumable.MEDIA_TYPE:
        raise MediaTypeRefused(f"the body has to be {resumable.MEDIA_TYPE}", given=request.content_type[:80])
    length = resumable.parse_length(
        request.headers, offset=offset, content_bytes=_content_bytes(request), complete=complete
    )
    upload = await call.services.uploads.status(actor=call.actor, upload=number)
    if not (complete and request.content_length == 0 and offset == upload.offset):
        if length is not None and length != upload.length:
            await call.services.uploads.declare_length(actor=call.actor, upload=number, length=length)
        offset = await take_bytes(call, number, offset=offset)
    upload = await _conclude(call, number, offset=offset, complete=complete)
    return _answer(call, upload, status=201 if _is_complete(upload) else 204)


async def delete(call: UploadCall) -> web.Response:
    """Give an upload up."""
    await call.services.uploads.terminate(actor=call.actor, upload=call.id("upload"))
    return web.Response(status=204)


async def _conclude(call: UploadCall, number: UUID, *, offset: int, complete: bool) -> UploadView:
    """Take the client at its word that these were the last bytes; return the upload as it stands."""
    uploads = call.services.uploads
    upload = await uploads.status(actor=call.actor, upload=number)
    if complete and upload.length is None:
        return await uploads.declare_length(actor=call.actor, upload=number, length=offset)
    if complete and not _is_complete(upload):
        message = f"these were called the last bytes, and {upload.offset} of {upload.length} are here"
        raise UploadIncomplete(message, offset=upload.offset, length=upload.length)
    return upload


def _answer(call: UploadCall, upload: UploadView, *, status: int) -> web.Response:
    headers = {
        "Upload-Complete": resumable.format_complete(complete=_is_complete(upload)),
        "Upload-Offset": str(upload.offset),
        "Upload-Limit": _limit(call, upload),
    }
    return web.Response(status=status, headers=headers)


def _is_complete(upload: UploadView) -> bool:
    return upload.state is not UploadState.OPEN


def _limit(call: UploadCall, upload: UploadView | None = None) -> str:
    return resumable.format_limit(
        size_max=call.services.uploads.settings.length_max_of(call.actor),
        expires_at=upload.expires_at if upload else None,
        now=call.services.clock(),
    )


def _content_bytes(request: web.Request) -> int | None:
    if request.content_length is None and not request.can_read_body:
        return 0
    return request.content_length


async def _announce(request: web.Request, headers: dict[str, str]) -> None:
    """Send the interim response; HTTP/1.0 knows none."""
    if request.version < _HTTP_1_1:
        return
    lines = [f"{name}: {value}\r\n" for name, value in {**headers, resumable.VERSION_HEADER: "8"}.items()]
    await request.writer.write(f"HTTP/1.1 104 Upload Resumption Supported\r\n{''.join(lines)}\r\n".encode("ascii"))
    # What was written is no part of the answer, whose length is counted from here.
    request.writer.output_size = 0
