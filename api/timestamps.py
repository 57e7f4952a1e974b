"""Time stamp authorities as this service knows them: the file that names them, and the way to them over HTTP.

The file is TOML (UTF-8, at most 64 KiB), one table for each authority, at most 16:

    [[authority]]
    name   = "ntsc"                      lower-case word, at most 32 characters; it becomes part of file names
    url    = "https://tsa.example/tsr"   where RFC 3161 requests are posted
    roots  = "ntsc-roots.pem"            PEM file of the roots that are believed, beside this file or absolute
    policy = "1.2.3.4"                   optional: the policy its stamps have to be given under
"""

from __future__ import annotations

import asyncio
import re
import tomllib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path

import aiohttp

from api.errors import ConfigInvalid
from ledger.timestamp.certificate import ROOTS_BYTES_MAX, parse_roots
from ledger.timestamp.errors import TimestampRootsMalformed
from ledger.timestamp.response import RESPONSE_BYTES_MAX
from ledger.timestamp.stamp import Authority

AUTHORITIES_MAX = 16
"""Most authorities in a file."""

_FILE_BYTES_MAX = 64 * 1024
_SETTING = "timestamp_authorities"
_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
_URL = re.compile(r"https?://[^\s/?#]+(?:[/?][^\s#]*)?")
_OID = re.compile(r"[0-2](?:\.(?:0|[1-9][0-9]{0,38})){1,30}")
_FIELDS = frozenset({"name", "url", "roots", "policy"})


def read_authorities(path: Path | None) -> tuple[Authority, ...]:
    """Read the file of authorities; without one there are none.

    Raises:
        ConfigInvalid: It cannot be read, or an authority is not usable; the message says which and why.
    """
    if path is None:
        return ()
    try:
        with path.open("rb") as file:
            listed = tomllib.loads(file.read(_FILE_BYTES_MAX).decode())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigInvalid(f"{path} cannot be read as TOML: {error}", setting=_SETTING) from error
    tables = listed.get("authority")
    if set(listed) != {"authority"} or not isinstance(tables, list) or not 0 < len(tables) <= AUTHORITIES_MAX:
        raise ConfigInvalid(f"{path} has to hold 1 to {AUTHORITIES_MAX} tables [[authority]]", setting=_SETTING)
    authorities = tuple(_authority(table, path.parent) for table in tables)
    if len({authority.name for authority in authorities}) < len(authorities):
        raise ConfigInvalid(f"two authorities in {path} have one name", setting=_SETTING)
    return authorities


class HttpStampTransport:
    """Brings requests to authorities over HTTP (RFC 3161, 3.4); see `ledger.stamping.StampTransport`.

    Time limits are the caller's. Redirects are not followed: an authority has one address, which the file names.
    """

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def ask(self, url: str, request: bytes) -> bytes:
        """Post a request; see the protocol.

        Raises:
            OSError: There was no answer that can be read.
        """
        headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
        try:
            async with self._session.post(url, data=request, headers=headers, allow_redirects=False) as answer:
                if answer.status != HTTPStatus.OK:
                    raise ConnectionError(f"status {answer.status}")
                body = bytearray()
                async for piece in answer.content.iter_any():
                    body += piece
                    if len(body) > RESPONSE_BYTES_MAX:
                        raise ConnectionError(f"the answer has more than {RESPONSE_BYTES_MAX} bytes")
                return bytes(body)
        except (aiohttp.ClientError, ValueError) as error:
            raise ConnectionError(f"{type(error).__name__}: {error}") from error


@asynccontextmanager
async def open_stamp_transport() -> AsyncIterator[HttpStampTransport]:
    """Give the way to authorities for the length of the block."""
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as session:
        yield HttpStampTransport(session)
        # A connection of a request that was cut short closes in the background; this lets it.
        await asyncio.sleep(0)


def _authority(table: object, folder: Path) -> Authority:
    if not isinstance(table, dict) or not all(isinstance(value, str) for value in table.values()):
        raise ConfigInvalid("an [[authority]] has text in every field", setting=_SETTING)
    name = table.get("name", "")
    if not _NAME.fullmatch(name):
        raise ConfigInvalid(f"{name!r} is no name of a time stamp authority", setting=_SETTING)
    if set(table) - _FIELDS or not {"url", "roots"} <= set(table):
        raise ConfigInvalid(f"authority {name} has to state name, url, roots, maybe policy", setting=_SETTING)
    if not _URL.fullmatch(table["url"]):
        raise ConfigInvalid(f"the url of authority {name} is not one of HTTP", setting=_SETTING)
    if "policy" in table and not _OID.fullmatch(table["policy"]):
        raise ConfigInvalid(f"the policy of authority {name} is no object identifier", setting=_SETTING)
    return _with_roots(name, table, folder / table["roots"])


def _with_roots(name: str, table: Mapping[str, str], path: Path) -> Authority:
    try:
        with path.open("rb") as file:
            roots = parse_roots(file.read(ROOTS_BYTES_MAX + 1))
    except (OSError, TimestampRootsMalformed) as error:
        message = f"the roots {path} of authority {name} are not usable: {error}"
        raise ConfigInvalid(message, setting=_SETTING) from error
    return Authority(name=name, url=table["url"], roots=roots, policy=table.get("policy"))
