"""Client of the tus 1.0.0 resumable upload protocol: core and creation, as the service speaks them.

An upload is named by the *path* of its `Location`: a service behind a proxy may write another host there, and a token
must not follow it. The client keeps no state; how far an upload is, the service says.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from uuid import UUID

from yarl import URL

from dockstation.errors import DockError, OffsetConflict, ServiceMalformed, UploadGone
from dockstation.link import Link

VERSION = "1.0.0"

_GONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})


class TusClient:
    """Speaks tus over a link.

    Args:
        link: The session with the service.
        collection: Where uploads are created, below the service's root.
    """

    def __init__(self, link: Link, *, collection: str = "uploads") -> None:
        self._link = link
        self._collection = collection

    async def create(self, *, size: int, metadata: Mapping[str, str]) -> str:
        """Open an upload of `size` bytes and return its path below the service's root.

        Raises:
            DockError: See `dockstation.link`.
        """
        headers = {"Upload-Length": str(size), "Upload-Metadata": format_metadata(metadata)}
        answer = await self._link.ask("POST", self._collection, headers=self._with_version(headers))
        location = answer.headers.get("Location", "")
        last = URL(location).path.rstrip("/").rpartition("/")[2] if location else ""
        upload_id(last)
        return f"{self._collection}/{last}"

    async def offset(self, upload: str, *, size: int) -> int:
        """Return how many bytes of an upload the service holds.

        Raises:
            UploadGone: It does not know the upload (any more), or knows it with another length.
            DockError: See `dockstation.link`.
        """
        try:
            answer = await self._link.ask("HEAD", upload, headers=self._with_version())
        except DockError as error:
            raise _meaning(error) from error
        offset = _count(answer.headers, "Upload-Offset")
        if _count(answer.headers, "Upload-Length") != size or offset > size:
            raise UploadGone(f"{upload} is an upload of another length")
        return offset

    async def append(self, upload: str, *, offset: int, count: int, pieces: AsyncIterator[bytes | memoryview]) -> int:
        """Send `count` bytes that begin at `offset`; return how many bytes the service holds after that.

        Raises:
            OffsetConflict: The service is at another offset.
            UploadGone: It does not know the upload (any more).
            DockError: See `dockstation.link`.
        """
        headers = {
            "Content-Type": "application/offset+octet-stream",
            "Content-Length": str(count),
            "Upload-Offset": str(offset),
        }
        try:
            answer = await self._link.ask("PATCH", upload, body=pieces, headers=self._with_version(headers))
        except DockError as error:
            raise _meaning(error) from error
        reached = _count(answer.headers, "Upload-Offset")
        if not offset <= reached <= offset + count:
            raise ServiceMalformed(f"the service claims offset {reached} after {offset} + {count}")
        return reached

    async def terminate(self, upload: str) -> None:
        """Tell the service that an upload is given up.

        Raises:
            DockError: See `dockstation.link`.
        """
        try:
            await self._link.ask("DELETE", upload, headers=self._with_version())
        except DockError as error:
            raise _meaning(error) from error

    async def rest(self, seconds: float) -> None:
        """Wait after a lost connection; see `Link.rest`."""
        await self._link.rest(seconds)

    def _with_version(self, headers: Mapping[str, str] | None = None) -> dict[str, str]:
        return {"Tus-Resumable": VERSION, **(headers or {})}


def upload_id(upload: str) -> UUID:
    """Return the id in an upload's path.

    Raises:
        ServiceMalformed: There is none.
    """
    try:
        return UUID(upload.rpartition("/")[2])
    except ValueError as error:
        raise ServiceMalformed(f"not an upload of this service: {upload[:80]!r}") from error


def format_metadata(metadata: Mapping[str, str]) -> str:
    """Write `Upload-Metadata`: pairs of a key and the base64 of its value; an empty value is left out."""
    pairs = ((key, base64.b64encode(value.encode("utf-8")).decode("ascii")) for key, value in metadata.items())
    return ",".join(f"{key} {value}".rstrip() for key, value in pairs)


def _count(headers: Mapping[str, str], name: str) -> int:
    text = headers.get(name, "")
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise ServiceMalformed(f"the answer has no sound {name}")
    return int(text)


def _meaning(error: DockError) -> DockError:
    """Return what a failure means to an upload that was begun."""
    status = error.details.get("status")
    if status in _GONE or error.details.get("service_code") == "upload.finished":
        return UploadGone(error.message, **error.details)
    if status == HTTPStatus.CONFLICT:
        return OffsetConflict(error.message, **error.details)
    return error
