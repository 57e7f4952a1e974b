"""The outbox's way out: HTTP to addresses that the operator listed, and to nothing they lead to.

No redirect is followed, no proxy of the environment is used, no cookie kept, at most a little of an answer is read. A
name that is listed may lead to any address but those that only this very host or network segment means (loopback,
link-local, multicast, unspecified): such a one has to be listed as itself. So whoever controls a listed name's DNS does
not reach the services beside ours.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from evidence.core.clock import Clock, Entropy
from evidence.db.pool import Pool
from evidence.outbox.delivery import Outbox, Told

SECONDS_MAX = 15.0
"""How long in seconds an attempt may take; less than the lease."""

ANSWER_BYTES_MAX = 4096


class GuardedResolver(AbstractResolver):
    """Resolves names, and leaves out addresses that no other host means."""

    def __init__(self) -> None:
        self._resolver = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Resolve a name.

        Raises:
            OSError: It leads nowhere that may be told anything.
        """
        found = await self._resolver.resolve(host, port, family)
        allowed = [one for one in found if host == "localhost" or not _is_inward(one["host"])]
        if not allowed:
            raise OSError(f"{host} leads to no address outside of this host")
        return allowed

    async def close(self) -> None:
        """Nothing is held."""
        await self._resolver.close()


class HttpSender:
    """Sends messages over one client session."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def send(self, url: str, body: bytes, headers: dict[str, str]) -> Told:
        """Send one message."""
        try:
            async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
                await answer.content.read(ANSWER_BYTES_MAX)
                return Told(answer.status)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            return Told(None, f"{type(error).__name__}: {error}"[:400])


@asynccontextmanager
async def open_sender() -> AsyncIterator[HttpSender]:
    """Open what sends messages for the length of the block."""
    connector = aiohttp.TCPConnector(resolver=GuardedResolver(), use_dns_cache=False)
    async with aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=SECONDS_MAX),
        trust_env=False,
        max_line_size=8190,
    ) as session:
        yield HttpSender(session)


def targets_of(setting: str) -> tuple[str, ...]:
    """Read the setting OUTBOX_TARGETS: origins, separated by commas."""
    return tuple(target.strip() for target in setting.split(",") if target.strip())


def _is_inward(address: str) -> bool:
    ip = ip_address(address.partition("%")[0])
    return ip.is_loopback or ip.is_link_local or ip.is_multicast or ip.is_unspecified


async def run_outbox(stop: asyncio.Event, *, pool: Pool, targets: str, clock: Clock, entropy: Entropy) -> None:
    """Tell all subscriptions what they are to be told, until `stop`."""
    async with open_sender() as sender:
        await Outbox(pool, sender, targets=targets_of(targets), clock=clock, entropy=entropy).run(stop)
