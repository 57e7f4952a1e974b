"""S3 over real HTTP for tests: moto's implementation behind a server of our own, which can break what is on the way.

moto looks at a condition and writes in two steps, so two requests at the same moment could both pass. S3 promises that
they cannot; here one request is answered at a time, which keeps that promise for moto. Everything else is moto's.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class Strike(Enum):
    """How a request fails."""

    CUT_BEFORE = "the connection is cut, nothing was done"
    CUT_AFTER = "done, and the connection is cut before the answer"
    ERROR_BEFORE = "500, nothing was done"
    ERROR_AFTER = "done, and answered with 500"
    SLOW_DOWN = "503 SlowDown"
    DENIED = "403 AccessDenied"
    SILENT = "no answer until told to speak, then done"
    SHORT = "the answer breaks off in its body"
    FLIPPED = "a byte of the answer's body is another one"
    CONFLICT = "409 ConditionalRequestConflict"


DONE = frozenset({Strike.CUT_AFTER, Strike.ERROR_AFTER, Strike.SILENT, Strike.SHORT, Strike.FLIPPED})
"""Those that take effect."""

_SILENCE_SECONDS_MAX = 30.0

_ANSWERS = {
    Strike.ERROR_BEFORE: (500, "InternalError"),
    Strike.ERROR_AFTER: (500, "InternalError"),
    Strike.SLOW_DOWN: (503, "SlowDown"),
    Strike.DENIED: (403, "AccessDenied"),
    Strike.CONFLICT: (409, "ConditionalRequestConflict"),
}


@dataclass(slots=True)
class S3Server:
    """A running server.

    Attributes:
        url: Its address.
        seen: Method and path of each request.
        strikes: What befalls the next requests whose "METHOD path" contains the text; taken from the front.
        ignores_conditions: Whether it is one that knows no conditional writes.
        spared: How many requests pass before the first strike.
        silent: How many requests are being kept waiting.
    """

    url: str = ""
    seen: list[str] = field(default_factory=list)
    strikes: list[tuple[str, Strike]] = field(default_factory=list)
    ignores_conditions: bool = False
    spared: int = 0
    silent: int = 0
    _speak: threading.Event = field(default_factory=threading.Event)

    def strike(self, text: str, strike: Strike, *, times: int = 1) -> None:
        """Let the next requests like this fail."""
        self.strikes += [(text, strike)] * times

    def strike_at(self, number: int, strike: Strike) -> None:
        """Let the request of this number fail, from 0, counted from when `seen` was cleared."""
        self.strikes[:] = [("", strike)]
        self.spared = number

    def speak(self) -> None:
        """Answer those that are kept waiting, and be done with it."""
        self._speak.set()
        deadline = time.monotonic() + _SILENCE_SECONDS_MAX
        while self.silent and time.monotonic() < deadline:
            time.sleep(0.005)

    def keep_silent(self) -> None:
        """Wait as a request until `speak`."""
        self._speak.wait(_SILENCE_SECONDS_MAX)

    def reset(self) -> None:
        """Be a good server again."""
        self.strikes.clear()
        self.seen.clear()
        self.spared = 0
        self.ignores_conditions = False
        self._speak.clear()


@contextmanager
def s3_server() -> Iterator[S3Server]:
    """Run a server on a free port of 127.0.0.1."""
    state = S3Server()
    server = make_server("127.0.0.1", 0, _Broken(state), threaded=True, request_handler=_Quiet)
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing."""


class _Broken:
    """moto with what befalls requests before and after it."""

    def __init__(self, state: S3Server) -> None:
        self._state = state
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._one = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        # Read whole first: what is left unread would be taken for the next request of a kept connection.
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        strike = self._next(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}?{environ['QUERY_STRING']}")
        if strike is Strike.SILENT:
            return self._silent(environ, body)(environ, start_response)
        answer = None if strike not in DONE and strike else self._answer(environ, body)
        if strike in (Strike.CUT_BEFORE, Strike.CUT_AFTER):
            return _cut(environ)
        if strike in _ANSWERS:
            status, code = _ANSWERS[strike]
            text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>struck</Message></Error>"
            return Response(text, status, content_type="application/xml")(environ, start_response)
        assert answer is not None
        if strike is Strike.FLIPPED:
            answer.data = bytes([answer.data[0] ^ 1]) + answer.data[1:]
        if strike is Strike.SHORT:
            return _short(answer, environ, start_response)
        return answer(environ, start_response)

    def _silent(self, environ: WSGIEnvironment, body: bytes) -> Response:
        with self._one:
            self._state.silent += 1
        try:
            self._state.keep_silent()
            return self._answer(environ, body)
        finally:
            with self._one:
                self._state.silent -= 1

    def _answer(self, environ: WSGIEnvironment, body: bytes) -> Response:
        if self._state.ignores_conditions:
            environ.pop("HTTP_IF_MATCH", None)
            environ.pop("HTTP_IF_NONE_MATCH", None)
        with self._one:
            request = {**environ, "wsgi.input": _Input(body)}
            answer = Response.from_app(self._moto, request, buffered=True)
            # One request for each connection: werkzeug throws away what comes on it after its answer.
            answer.headers.pop("Connection", None)
            return answer

    def _next(self, name: str) -> Strike | None:
        self._state.seen.append(name)
        if self._state.spared:
            self._state.spared -= 1
            return None
        for number, (text, strike) in enumerate(self._state.strikes):
            if text in name:
                del self._state.strikes[number]
                return strike
        return None


class _Input:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def read(self, count: int = -1) -> bytes:
        """Read on."""
        count = len(self._body) if count < 0 else count
        piece, self._body = self._body[:count], self._body[count:]
        return piece

    def readline(self, _count: int = -1) -> bytes:
        """Read a line."""
        end = self._body.find(b"\n") + 1 or len(self._body)
        return self.read(end)


def _cut(environ: WSGIEnvironment) -> Iterable[bytes]:
    environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError


def _short(answer: Response, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Promise all of the body, send half of it and hang up."""
    data = answer.data
    write = start_response(answer.status, list(answer.headers))
    write(data[: len(data) // 2])
    return _cut(environ)
