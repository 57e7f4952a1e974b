"""A published log over HTTP, or in a folder, as `ledger.mirror` reads it: `https://...`, `file://...`, or a path.

A stranger's server may be slow, endless or wrong. Every file has a limit in bytes and in seconds; anything but 200 and
404 means that nothing can be said. Files are asked for as they are, and a checkpoint never from a cache.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import aiohttp

from ledger.mirror.errors import SourceUnreachable
from ledger.mirror.source import FILE_BYTES_MAX, FolderSource, LogSource

FILE_SECONDS_MAX = 120.0
"""Longest time for one file."""

SILENCE_SECONDS_MAX = 15.0
"""Longest wait for a connection, and for the next bytes."""

_HEADERS = {"Accept-Encoding": "identity", "Cache-Control": "no-cache"}


class HttpLogSource:
    """Reads a log below a prefix.

    Args:
        session: An open aiohttp session.
        url: The log's prefix; `checkpoint` and `tile/` stand below it.
    """

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url.rstrip("/")

    async def get(self, path: str) -> bytes | None:
        """See `ledger.mirror.source.LogSource.get`."""
        try:
            async with self._session.get(f"{self._url}/{path}", headers=_HEADERS) as answer:
                if answer.status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
                    return None
                if answer.status != HTTPStatus.OK:
                    raise SourceUnreachable(f"{path} was answered with {answer.status}", path=path)
                return await _read(answer, path)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            reason = str(error) or type(error).__name__
            raise SourceUnreachable(f"{path} cannot be fetched: {reason}", path=path) from error


@asynccontextmanager
async def open_source(
    place: str,
    *,
    file_seconds_max: float = FILE_SECONDS_MAX,
    silence_seconds_max: float = SILENCE_SECONDS_MAX,
) -> AsyncIterator[LogSource]:
    """Yield the log at an address or in a folder."""
    parts = urlsplit(place)
    if parts.scheme not in ("http", "https"):
        yield FolderSource(Path(url2pathname(parts.path) if parts.scheme == "file" else place))
        return
    timeout = aiohttp.ClientTimeout(
        total=file_seconds_max, sock_connect=silence_seconds_max, sock_read=silence_seconds_max
    )
    async with aiohttp.ClientSession(timeout=timeout) as session:
        yield HttpLogSource(session, place)


async def _read(answer: aiohttp.ClientResponse, path: str) -> bytes:
    raw = bytearray()
    async for piece in answer.content.iter_any():
        raw += piece
        if len(raw) > FILE_BYTES_MAX:
            raise SourceUnreachable(f"{path} is longer than any file of a log", path=path)
    return bytes(raw)
