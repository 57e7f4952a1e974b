"""The link to the service: one HTTP session, and one place where failures get their meaning.

| what happened | error | what the agent does |
|---|---|---|
| no connection, connection broke, no answer in time | `LinkLost` | pause, ask where it stands, go on |
| 429, 5xx (507: no space), a problem saying `retry: later` | `ServiceBusy` | the same, no sooner than `Retry-After` |
| 401, 403 | `DockNotAccepted` | the station stops asking so eagerly; somebody must look |
| another 4xx whose problem says `retry: never` | `ServiceRefused` | this file stays on the recorder, with the reason |
| any other 4xx | `ServiceObjects` | this file waits until somebody has mended it |

Answers are bounded in size, redirects are not followed (a token is for one service), bodies are never compressed.
"""

from __future__ import annotations

import asyncio
import io
import json
import random
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from types import TracebackType
from typing import Self

import aiohttp
from yarl import URL

from dockstation.backoff import LONGEST_SECONDS
from dockstation.errors import (
    DockError,
    DockNotAccepted,
    LinkLost,
    ServiceBusy,
    ServiceMalformed,
    ServiceObjects,
    ServiceRefused,
)
from dockstation.identity import TokenMaker

ANSWER_BYTES_MAX = 1024 * 1024
"""Longest answer that is read, but for receipts."""

CONNECT_SECONDS = 15.0
"""How long a connection may take to come about."""

PROBE_SECONDS = 1.0
"""Pause between two looks whether a line that is gone is back, and how long one may take."""

QUIET_SECONDS = 60.0
"""How long the service may be silent, or take no more bytes, before the connection is given up."""

Body = bytes | AsyncIterator[bytes | memoryview] | None
Payload = io.BytesIO | AsyncIterator[bytes | memoryview] | None


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer of the service that was not a failure."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def retry_after_seconds(self) -> float:
        """Return what the service asks to wait, 0 without a wish."""
        return _retry_after(self.headers)

    def json_object(self) -> dict[str, object]:
        """Return the JSON object of the body.

        Raises:
            ServiceMalformed: It is none.
        """
        try:
            value = json.loads(self.body)
        except ValueError as error:
            raise ServiceMalformed("the answer is not JSON") from error
        if not isinstance(value, dict):
            raise ServiceMalformed("the answer is not a JSON object")
        return value


class Link:
    """An open HTTP session with one service; use as an async context manager.

    Args:
        url: Root of the service.
        tokens: Source of bearer tokens; None before enrolment.
        trust: Certificate authorities; None for the system's.
        connections: Most connections at a time.
        quiet_seconds: See `QUIET_SECONDS`.
    """

    def __init__(
        self,
        url: str,
        *,
        tokens: TokenMaker | None,
        trust: ssl.SSLContext | None = None,
        connections: int = 16,
        quiet_seconds: float = QUIET_SECONDS,
    ) -> None:
        self._root = URL(url.rstrip("/") + "/")
        self._tokens = tokens
        self._quiet_seconds = quiet_seconds
        self._probe: asyncio.Task[None] | None = None
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=connections, ssl=True if trust is None else trust, socket_factory=_open_socket
            ),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=quiet_seconds),
            headers={"Accept-Encoding": "identity", "User-Agent": "shilu-dock/1"},
            auto_decompress=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._probe is not None:
            self._probe.cancel()
        await self._session.close()

    async def ask(
        self,
        method: str,
        path: str,
        *,
        body: Body = None,
        headers: Mapping[str, str] | None = None,
        bytes_max: int = ANSWER_BYTES_MAX,
    ) -> Answer:
        """Send a request and return the answer, if it is one of success.

        Args:
            path: Below the service's root, without a slash in front.
            bytes_max: Longest answer in bytes.

        Raises:
            DockError: One of the module's table; `details` has `status` and the service's own `code`.
        """
        offset = self._tokens and self._tokens.offset
        answer = await self._exchange(method, path, body=body, headers=headers or {}, bytes_max=bytes_max)
        if answer.status == HTTPStatus.UNAUTHORIZED and self._tokens and self._tokens.offset != offset:
            # The token was made by a clock that is off; the answer's date has just put that right.
            if body is not None and not isinstance(body, bytes):
                raise LinkLost(f"{method} {path}: the station's clock was put right")
            answer = await self._exchange(method, path, body=body, headers=headers or {}, bytes_max=bytes_max)
        if not 200 <= answer.status < 300:
            raise explain(answer)
        return answer

    async def rest(self, seconds: float) -> None:
        """Wait after a lost connection: so long, or until the line that was gone is back.

        Once a second a bare connection is tried, one for all who wait. Only one that comes about after another failed
        ends the wait: a service that takes connections and breaks them is given the whole pause.
        """
        if self._probe is None or self._probe.done():
            self._probe = asyncio.create_task(self._line_is_back())
        await asyncio.wait({self._probe}, timeout=seconds)

    async def _line_is_back(self) -> None:
        failed = False
        while True:
            try:
                async with asyncio.timeout(PROBE_SECONDS):
                    _, writer = await asyncio.open_connection(self._root.host, self._root.port)
                writer.close()
                if failed:
                    return
                await asyncio.sleep(LONGEST_SECONDS)
            except (OSError, TimeoutError):
                failed = True
                await asyncio.sleep(PROBE_SECONDS * (0.5 + random.random() / 2))  # noqa: S311 - jitter

    async def _exchange(
        self, method: str, path: str, *, body: Body, headers: Mapping[str, str], bytes_max: int
    ) -> Answer:
        sent = {**headers, "Authorization": f"Bearer {self._tokens.token()}"} if self._tokens else dict(headers)
        try:
            async with self._guard(body) as (data, awake):
                request = self._session.request(
                    method, self._root.join(URL(path)), data=data, headers=sent, allow_redirects=False
                )
                async with request as response:
                    awake()
                    raw = await _read(response, bytes_max)
                    self._note_time(response.headers.get("Date"))
                    return Answer(response.status, response.headers, raw)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise LinkLost(f"{method} {path}: {str(error) or type(error).__name__}") from error

    @asynccontextmanager
    async def _guard(self, body: Body) -> AsyncIterator[tuple[Payload, Callable[[], None]]]:
        """Bound the time in which no byte moves: aiohttp's own timer does not run while a body is being sent.

        Yields what aiohttp is to send, and the call that says that something moved.
        """
        loop = asyncio.get_running_loop()
        live = True
        async with asyncio.timeout(self._quiet_seconds) as limit:

            def awake() -> None:
                # The body is taken by a task of aiohttp's, which may outlive the request by a moment.
                if live and not limit.expired():
                    limit.reschedule(loop.time() + self._quiet_seconds)

            async def counted(pieces: AsyncIterator[bytes | memoryview]) -> AsyncIterator[bytes | memoryview]:
                async for piece in pieces:
                    awake()
                    yield piece
                awake()

            try:
                # A file object lets aiohttp send a statement of megabytes without stalling the loop.
                yield (io.BytesIO(body) if isinstance(body, bytes) else body and counted(body)), awake
            finally:
                live = False

    def _note_time(self, date: str | None) -> None:
        if self._tokens is None or date is None:
            return
        try:
            instant = parsedate_to_datetime(date)
        except ValueError:
            return
        # A date without a zone is UTC in HTTP (RFC 9110, section 5.6.7).
        self._tokens.set_service_time(instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant)


def explain(answer: Answer) -> DockError:
    """Return the error that an answer of failure means; see the module's table."""
    problem = _problem(answer)
    code, said = problem.get("code"), problem.get("retry")
    detail = problem.get("detail") or problem.get("title") or HTTPStatus(answer.status).phrase
    facts = {"status": answer.status, "service_code": code, "retry_after_seconds": answer.retry_after_seconds}
    message = f"{answer.status} {code or ''} {detail}".replace("  ", " ")
    if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return DockNotAccepted(message, **facts)
    if answer.status >= 500 or answer.status == HTTPStatus.TOO_MANY_REQUESTS or said == "later":
        return ServiceBusy(message, **facts)
    if answer.status < 400:
        return ServiceMalformed(message, **facts)
    return ServiceRefused(message, **facts) if said == "never" else ServiceObjects(message, **facts)


def asked_seconds(error: DockError) -> float:
    """Return the pause that the service asked for with a failure, 0 without a wish."""
    value = error.details.get("retry_after_seconds", 0.0)
    return value if isinstance(value, float) else 0.0


def _open_socket(address: aiohttp.AddrInfoType) -> socket.socket:
    """Return a socket that does not take a lost packet for a full line, where the kernel knows how (BBR).

    One packet in a hundred lost on the way keeps the usual congestion control at a fiftieth of a line of 100 Mbit/s
    with 80 ms there and back.
    """
    family, kind, protocol, _, _ = address
    opened = socket.socket(family, kind, protocol)
    opened.setblocking(False)  # noqa: FBT003 - its only parameter
    with suppress(OSError):
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"bbr")
    return opened


async def _read(response: aiohttp.ClientResponse, bytes_max: int) -> bytes:
    parts = bytearray()
    async for piece in response.content.iter_chunked(64 * 1024):
        parts += piece
        if len(parts) > bytes_max:
            raise ServiceMalformed(f"the answer is longer than {bytes_max} bytes")
    return bytes(parts)


def _problem(answer: Answer) -> dict[str, object]:
    try:
        return answer.json_object()
    except ServiceMalformed:
        # Something on the way (a proxy, an old server) answered in its own words.
        return {}


def _retry_after(headers: Mapping[str, str]) -> float:
    text = headers.get("Retry-After", "")
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        instant = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    return max(0.0, (instant.replace(tzinfo=instant.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
