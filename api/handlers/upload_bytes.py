"""What the two protocols of uploads have in common: the way of a request's bytes, and the address of an upload."""

from __future__ import annotations

from uuid import UUID

from aiohttp import ClientPayloadError

from api import tus
from api.call import Call
from api.errors import BodyCutShort
from api.metrics import METRICS
from api.route import NoQuery
from api.socket_body import SocketBody

UploadCall = Call[None, NoQuery]


def address(call: UploadCall) -> str:
    """Return what stands before `/uploads`, with scheme and host: some clients take no other address."""
    if call.services.config.public_url:
        return call.services.config.public_url
    try:
        return str(call.request.url.origin())
    except ValueError:
        return ""  # a Host header that is no host: a relative address is true in any case


async def take_bytes(call: UploadCall, upload: UUID, *, offset: int) -> int:
    """Append a request's body, piece by piece, and return the acknowledged offset.

    Raises:
        BodyCutShort: The connection ended; what came is on disk and recorded.
        CodedError: See `UploadService.append`.
    """
    request = call.request
    checksum = tus.parse_checksum(request.headers)
    try:
        acknowledged = await call.services.uploads.append(
            actor=call.actor,
            upload=upload,
            offset=offset,
            stream=SocketBody(request),
            announced_bytes=request.content_length,
            checksum=checksum,
        )
    except (ClientPayloadError, ConnectionError) as error:
        # Nobody reads this answer; it is for the log. What came is on disk and recorded already.
        raise BodyCutShort("the connection ended before the body did") from error
    request.app[METRICS].upload_bytes.inc(acknowledged - offset)
    return acknowledged
