"""The HTTP face of a witness (C2SP tlog-witness): one address that logs post to, and one that says it is alive.

    POST /add-checkpoint    see `ledger.witness.request` and `ledger.witness.judge`
    GET  /healthz           the witness's key

There is no authentication but the log's own signature. A request is read up to its limit and no further, within
`BODY_SECONDS_MAX`; whatever is wrong with the memory is logged here and answered with 503.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

from aiohttp import web

from ledger.errors import CodedError
from ledger.witness.judge import PLAIN_TEXT, Answer, refusal
from ledger.witness.request import REQUEST_BYTES_MAX
from ledger.witness.witness import Witness

BODY_SECONDS_MAX = 10.0
"""How long a request may take to come in whole."""

_STOP_SECONDS = 5.0

_log = logging.getLogger("shilu.witness")


def make_app(witness: Witness) -> web.Application:
    """Make the application of one witness."""

    async def add_checkpoint(request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(BODY_SECONDS_MAX):
                body = await _read(request)
        except TimeoutError:
            return _response(refusal(HTTPStatus.REQUEST_TIMEOUT, "the request did not come in whole in time"))
        return _response(await asyncio.to_thread(_answer, witness, body))

    async def healthz(_: web.Request) -> web.Response:
        return _response(Answer(HTTPStatus.OK.value, f"{witness.vkey}\n".encode()))

    app = web.Application()
    app.router.add_post("/add-checkpoint", add_checkpoint)
    app.router.add_get("/healthz", healthz)
    return app


@asynccontextmanager
async def serving(witness: Witness, *, host: str, port: int) -> AsyncIterator[str]:
    """Serve for the length of the block; give the address, with the port that was taken where 0 was asked for.

    Raises:
        OSError: The address is not to be had.
    """
    runner = web.AppRunner(make_app(witness), access_log=None, shutdown_timeout=_STOP_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        taken = runner.addresses[0][1]
        yield f"http://{f'[{host}]' if ':' in host else host}:{taken}"
    finally:
        await runner.cleanup()


async def _read(request: web.Request) -> bytes:
    body = bytearray()
    async for piece in request.content.iter_any():
        body += piece
        if len(body) > REQUEST_BYTES_MAX:
            break
    return bytes(body)


def _answer(witness: Witness, body: bytes) -> Answer:
    try:
        answer = witness.add_checkpoint(body)
    except CodedError as error:
        _log.error("nothing cosigned: %s", error)
        return refusal(HTTPStatus.SERVICE_UNAVAILABLE, "the witness cannot use its memory")
    if answer.status != HTTPStatus.OK:
        _log.warning("refused with %d: %s", answer.status, answer.body.decode().strip())
    return answer


def _response(answer: Answer) -> web.Response:
    return web.Response(
        status=answer.status,
        body=answer.body,
        headers={"Content-Type": answer.content_type or PLAIN_TEXT, "Cache-Control": "no-store"},
    )
