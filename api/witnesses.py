"""The log's witnesses as this service knows them: the policy it is given, the way to them, and files from them.

The policy file (C2SP tlog-policy; UTF-8, as it is handed on in JSON) names the witnesses, their addresses for asking,
and the quorum. It may name this log with its key, or no log at all; it may not name others only. What is handed out to
docks and with evidence is the same policy with this log's key and without addresses, which concern nobody else.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp

from api.errors import ConfigInvalid
from ledger.cosigning import REPLY_BYTES_MAX, WitnessReply
from ledger.errors import PolicyMalformed
from ledger.key_history import KeyHistory
from ledger.note import Verifier
from ledger.policy import POLICY_BYTES_MAX, Log, Policy


def read_policy(path: Path | None, keys: KeyHistory) -> Policy:
    """Read the witness policy for this log; without a file nobody has to cosign.

    Args:
        keys: The log's keys; the file may name any of them.

    Raises:
        ConfigInvalid: The file cannot be read, is no policy, or is one for other logs.
    """
    if path is None:
        return Policy((Log(keys.newest),), (), (), None)
    try:
        with path.open("rb") as file:
            policy = Policy.parse(file.read(POLICY_BYTES_MAX + 1).decode())
    except (OSError, UnicodeDecodeError, PolicyMalformed) as error:
        raise ConfigInvalid(f"the witness policy {path} is not usable: {error}", setting="witness_policy") from error
    if policy.logs and not set(policy.log_verifiers) & set(keys.verifiers):
        message = f"the witness policy {path} is not for the log {keys.newest.vkey}"
        raise ConfigInvalid(message, setting="witness_policy")
    return replace(policy, logs=(Log(keys.newest),))


def handed_out(policy: Policy, newest: Verifier) -> Policy:
    """Return the policy that verifiers get: the log's newest key, and no addresses of witnesses."""
    return replace(
        policy, logs=(Log(newest),), witnesses=tuple(replace(witness, url=None) for witness in policy.witnesses)
    )


class HttpWitnessTransport:
    """Brings requests to witnesses over HTTP, with connections kept open; see `ledger.cosigning.WitnessTransport`.

    Time limits are the caller's. Redirects are not followed: a witness has one address, which the policy names.
    """

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def add_checkpoint(self, url: str, body: bytes) -> WitnessReply:
        """Post a request; see the protocol.

        Raises:
            OSError: There was no answer that can be read.
        """
        address = f"{url.rstrip('/')}/add-checkpoint"
        try:
            async with self._session.post(
                address, data=body, headers={"Content-Type": "text/plain; charset=utf-8"}, allow_redirects=False
            ) as answer:
                return WitnessReply(answer.status, answer.content_type, await _read(answer.content))
        except (aiohttp.ClientError, ValueError) as error:
            raise ConnectionError(f"{type(error).__name__}: {error}") from error


@asynccontextmanager
async def open_transport() -> AsyncIterator[HttpWitnessTransport]:
    """Give the way to witnesses for the length of the block."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None)) as session:
        yield HttpWitnessTransport(session)
        # Connections of rounds that were cut short close in the background; this lets them.
        await asyncio.sleep(0)


async def _read(content: aiohttp.StreamReader) -> bytes:
    body = bytearray()
    async for piece in content.iter_any():
        body += piece
        if len(body) > REPLY_BYTES_MAX:
            raise ConnectionError(f"the answer has more than {REPLY_BYTES_MAX} bytes")
    return bytes(body)
