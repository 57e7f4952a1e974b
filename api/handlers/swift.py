"""Controllers of body worn systems, in the words of OpenStack Swift; what they mean is `ingest.swift`'s to say.

Source: the Object Storage API v1 of OpenStack as far as the Axis body worn content destination API uses it. Names are
read from the address as it was sent: what the router has decoded would no longer tell `%2F` from a slash.

An account is one controller's and nobody else's, and gives back only what `System` holds and what is said about
objects: footage leaves the house by the ways that put a view on record.
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from email.utils import format_datetime
from typing import TypeAlias
from urllib.parse import unquote_to_bytes
from uuid import UUID

from aiohttp import ClientPayloadError, web

from api.auth import ControllerCaller
from api.bodies import check_encoding
from api.call import Call
from api.errors import AuthUnknownToken, BodyCutShort, HeaderInvalid
from api.metrics import METRICS
from api.models.swift import SwiftQuery
from api.route import NoQuery
from evidence.parties.controllers import SESSION, open_session
from ingest.swift.connection import CAPABILITIES
from ingest.swift.delivery import Body, Deliveries
from ingest.swift.errors import (
    SwiftForeign,
    SwiftKept,
    SwiftNameInvalid,
    SwiftUnsupported,
)
from ingest.swift.metadata import CONTAINER, OBJECT, format_metadata, parse_metadata
from ingest.swift.rules import CAPABILITIES as CAPABILITY_NAMES
from ingest.swift.rules import check_container, check_object
from ingest.swift.store import Held

SwiftCall: TypeAlias = Call[None, SwiftQuery]

_OCTETS = "application/octet-stream"
_NOT_TAKEN = ("X-Object-Manifest", "X-Copy-From", "X-Symlink-Target", "X-Delete-At", "X-Delete-After")
_MD5 = re.compile(r"[0-9a-f]{32}")
_CAPABILITIES_MD5 = hashlib.md5(CAPABILITIES, usedforsecurity=False).hexdigest()
"""What a controller compares; it says `object corrupt` when this is not right."""


def account_of(controller: UUID) -> str:
    """Return how a controller's account is called in addresses."""
    return f"AUTH_{controller.hex}"


async def authenticate(call: Call[None, NoQuery]) -> web.Response:
    """Open a session for a controller that shows its user name and key."""
    request, services = call.request, call.services
    user, key = (_one(request, name) for name in ("X-Auth-User", "X-Auth-Key"))
    async with services.pool.acquire() as conn, conn.transaction():
        opened = await open_session(conn, user=user, key=key, clock=services.clock, entropy=services.entropy)
    if opened is None:
        raise AuthUnknownToken("user name and key are not those of a controller in force")
    token, controller = opened
    headers = {
        "X-Auth-Token": token.text,
        "X-Storage-Token": token.text,
        "X-Auth-Token-Expires": str(int(SESSION.total_seconds())),
        "X-Storage-Url": f"{_address(call)}/v1/{account_of(controller.controller)}",
    }
    return web.Response(status=200, headers=headers)


async def head_account(call: SwiftCall) -> web.Response:
    """Say that the account is there."""
    _account(call)
    return web.Response(status=204)


async def put_container(call: SwiftCall) -> web.Response:
    """Create a container, or say more about it."""
    controller, container, _ = _place(call)
    metadata = parse_metadata(call.request.headers.items(), CONTAINER)
    is_new = await _deliveries(call).create_container(controller, container, metadata)
    return web.Response(status=201 if is_new else 202)


async def post_container(call: SwiftCall) -> web.Response:
    """Say more about a container; `Status: Complete` seals it."""
    controller, container, _ = _place(call)
    metadata = parse_metadata(call.request.headers.items(), CONTAINER)
    await _deliveries(call).describe_container(controller, container, metadata)
    return web.Response(status=204)


async def head_container(call: SwiftCall) -> web.Response:
    """Say what is said about a container, and how much is in it."""
    controller, container, _ = _place(call)
    found, count, size = await _deliveries(call).container(controller, container)
    headers = {"X-Container-Object-Count": str(count), "X-Container-Bytes-Used": str(size)}
    return web.Response(status=204, headers=headers | format_metadata(found.metadata, CONTAINER))


async def put_object(call: SwiftCall) -> web.Response:
    """Take an object whole."""
    controller, container, name = _place(call)
    request = call.request
    metadata = parse_metadata(request.headers.items(), OBJECT)
    if container == "System" and name in CAPABILITY_NAMES:
        raise SwiftKept("what is supported is said here, not there")
    check_encoding(request)
    body = Body(stream=request.content.iter_any(), announced_bytes=request.content_length, etag=_etag(request))
    try:
        held = await _deliveries(call).put(controller, container, name, metadata=metadata, body=body)
    except (ClientPayloadError, ConnectionError) as error:
        # Nobody reads this answer; it is for the log. The object is not there, and is sent again.
        raise BodyCutShort("the connection ended before the body did") from error
    request.app[METRICS].upload_bytes.inc(held.size)
    return web.Response(status=201, headers=_described(held))


async def post_object(call: SwiftCall) -> web.Response:
    """Replace what is said about an object."""
    controller, container, name = _place(call)
    metadata = parse_metadata(call.request.headers.items(), OBJECT)
    await _deliveries(call).describe_object(controller, container, name, metadata)
    return web.Response(status=202)


async def get_object(call: SwiftCall) -> web.Response:
    """Say what is said about an object; its bytes only if `System` holds it."""
    controller, container, name = _place(call)
    if container == "System" and name in CAPABILITY_NAMES:
        headers = {"ETag": _CAPABILITIES_MD5, "Content-Type": "application/json"}
        return web.Response(status=200, body=CAPABILITIES, headers=headers)
    if call.request.method != "HEAD" and container != "System":
        raise SwiftForeign("what was delivered is not given out over this interface")
    held = await _deliveries(call).object(controller, container, name)
    headers = _described(held) | format_metadata(held.metadata, OBJECT) | {"Content-Type": _OCTETS}
    if call.request.method == "HEAD":
        return web.Response(status=200, headers=headers | {"Content-Length": str(held.size)})
    return web.Response(status=200, body=held.body or b"", headers=headers)


def _deliveries(call: SwiftCall) -> Deliveries:
    return call.services.deliveries


def _account(call: SwiftCall) -> UUID:
    caller = call.caller
    if not isinstance(caller, ControllerCaller):
        raise TypeError("a route for controllers was reached by somebody else")
    if call.request.match_info["account"] != account_of(caller.controller):
        raise SwiftForeign("the account is another controller's")
    return caller.controller


def _place(call: SwiftCall) -> tuple[UUID, str, str]:
    """Return account, container and object that the address names; the last is empty where it names none."""
    controller = _account(call)
    if call.query.multipart_manifest == "put" or any(name in call.request.headers for name in _NOT_TAKEN):
        raise SwiftUnsupported("segments, manifests, copies and expiry are not taken; send each object whole")
    # /v1/{account}/{container}[/{object}]
    parts = call.request.rel_url.raw_path.split("/", 4)[3:]
    names = [unquote_to_bytes(part) for part in parts]
    if not names:
        raise SwiftNameInvalid("the address names no container")
    return controller, check_container(names[0]), check_object(names[1]) if len(names) > 1 else ""


def _described(held: Held) -> dict[str, str]:
    at: datetime = held.updated_at
    return {
        "ETag": held.md5,
        "Last-Modified": format_datetime(at.replace(microsecond=0), usegmt=True),
        "X-Timestamp": f"{at.timestamp():.5f}",
    }


def _etag(request: web.Request) -> str | None:
    text = request.headers.get("ETag")
    if text is None:
        return None
    etag = text.strip('"').lower()
    if not _MD5.fullmatch(etag):
        raise HeaderInvalid("ETag is an MD5 in 32 hex digits", header="ETag")
    return etag


def _one(request: web.Request, name: str) -> str:
    values = request.headers.getall(name, [])
    if len(values) != 1:
        raise HeaderInvalid(f"the header {name} has to be there once", header=name)
    return values[0]


def _address(call: Call[None, NoQuery]) -> str:
    if call.services.config.public_url:
        return call.services.config.public_url
    try:
        return str(call.request.url.origin())
    except ValueError as error:
        raise HeaderInvalid("the header Host names no host", header="Host") from error
