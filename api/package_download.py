"""A package fetched over a network that breaks: it goes on where it stopped, and is there whole or not at all.

1. the way is asked for (`export.fetched` goes on record) and    killed: a hand-out on record that nobody used, or
   kept in `<name>.part.json`, which only its owner reads          a way that the next call goes on with
2. bytes are put behind those in `<name>.part`; each new         broken: asked again from there on
   request names the ETag that the first ones came with          killed: the next call does
3. size, the list's digest, and every file's digest are compared different: nothing is kept
4. the part is synced and renamed, the way forgotten             only now the package has its name

An address works for a day. Behind that another hand-out goes on record, and the bytes that are there still count. Two
that fetch to the same place at once cannot: the part is locked.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, ClassVar, Final
from uuid import UUID

import aiohttp

from api.client import RequestRefused, ServiceClient, ServiceUnreachable
from evidence.core.durable import sync_folder, write_file
from evidence.core.wire.bag import LIST_BYTES_MAX, MANIFEST_NAME, TAG_MANIFEST_NAME, parse_manifest
from evidence.errors import ExportTargetTaken, WireError
from evidence.export.folder import blaming_target, require_free
from ledger.errors import Blame, CodedError

PATIENCE_SECONDS: Final = 120.0
"""How long a service that sends nothing is asked again."""

_SILENCE_SECONDS = 30.0
_PAUSE_SECONDS = 0.5
_PIECE_BYTES = 512 * 1024
_STATE_BYTES_MAX = 64 * 1024

Advance = Callable[[str, int, int], None]


class DownloadDamaged(CodedError):
    """What came is not the package that is on record. Nothing of it was kept; fetch it again."""

    code = "client.damaged"
    blame: ClassVar[Blame] = Blame.WAY


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """Where a package is to be had, as the service said; `etag` is that of the bytes in the part, empty before any."""

    export: str
    url: str
    entry: str
    size: int
    manifest: str
    etag: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Downloaded:
    """A package that is here: its hand-out's entry, its bytes, and how many of them were here before this call."""

    export: UUID
    file: Path
    entry: UUID
    size: int
    resumed_from: int


async def download_package(
    client: ServiceClient,
    export: UUID,
    *,
    purpose: str,
    to: Path,
    advance: Advance = lambda _name, _done, _total: None,
    patience_seconds: float = PATIENCE_SECONDS,
) -> Downloaded:
    """Fetch a package to a file that must not exist, going on with what an earlier call left.

    Args:
        purpose: A key of `evidence.parties.purposes.PURPOSES`, told when a hand-out goes on record.
        advance: Told the file's name, bytes here and bytes in all.
        patience_seconds: How long to go on asking while not a byte comes.

    Raises:
        RequestRefused: The service does not hand it out.
        ServiceUnreachable: It does not answer any more; what came is kept.
        DownloadDamaged: It is not the package on record.
        ExportTargetTaken, ExportTargetUnusable, ExportNoSpace: The place is taken, in use, or cannot be written.
    """
    require_free(to)
    part, memory = Path(f"{to}.part"), Path(f"{to}.part.json")
    with blaming_target(to), _locked(part) as file:
        fetching = _Fetching(client, export, purpose, file, memory, advance, to.name, patience_seconds)
        came = await fetching.run()
        await asyncio.to_thread(_finish, file, part, to, memory, came)
    return Downloaded(
        export=export, file=to, entry=UUID(came.entry), size=came.size, resumed_from=fetching.resumed_from
    )


@dataclass(slots=True)
class _Fetching:
    client: ServiceClient
    export: UUID
    purpose: str
    file: IO[bytes]
    memory: Path
    advance: Advance
    name: str
    patience_seconds: float
    resumed_from: int = 0
    renewed_at: int | None = None
    way: _Way | None = None

    async def run(self) -> _Way:
        """Return how it came once every byte is in the part."""
        way = _recall(self.memory, self.export)
        if way is None:
            # Nobody knows of what these bytes are.
            self.file.truncate(0)
            way = await self._asked("")
        self.resumed_from = self._have()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.patience_seconds
        while (have := self._have()) < way.size:
            problem: object = "it stopped in the middle"
            try:
                await self._more(way, have)
            except (aiohttp.ClientError, TimeoutError) as error:
                problem = error
            # A line that breaks in the middle has told the ETag before.
            way = self.way or way
            if self._have() != have:
                deadline = loop.time() + self.patience_seconds
            elif loop.time() > deadline:
                raise ServiceUnreachable(f"package {self.export} does not come any further: {problem}")
            else:
                await asyncio.sleep(_PAUSE_SECONDS)
        return way

    async def _more(self, way: _Way, have: int) -> None:
        headers = {"Range": f"bytes={have}-", "If-Range": way.etag} if have and way.etag else {}
        async with self.client.stream(way.url, headers=headers, silence_seconds=_SILENCE_SECONDS) as answer:
            if answer.status == 404 and self.renewed_at != have:
                # The address is a day old. What came by it stays what it is: the ETag tells.
                self.renewed_at = have
                await self._asked(way.etag)
                return
            if answer.status >= 500:
                raise aiohttp.ClientConnectionError(f"the service answers {answer.status}")
            if answer.status not in {200, 206}:
                code = answer.headers.get("X-Problem-Code", "")
                raise RequestRefused(f"GET of package {self.export}: {answer.status} {code}")
            self._keep(way, answer.headers.get("ETag", ""))
            # What is not a range from here on is the whole: other bytes under the same name, or none named before.
            ranged = answer.status == 206 and _begins(answer.headers.get("Content-Range", "")) == have
            self.file.seek(have if ranged else 0)
            self.file.truncate()
            async for piece in answer.content.iter_chunked(_PIECE_BYTES):
                await asyncio.to_thread(self.file.write, piece)
                self.advance(self.name, self.file.tell(), way.size)

    async def _asked(self, etag: str) -> _Way:
        """Have the hand-out recorded, and keep the way before anything comes by it."""
        told = await self.client.post(f"/v1/exports/{self.export}/downloads", {"purpose": self.purpose})
        way = _Way(
            export=str(self.export),
            url=told["url"],
            entry=told["entry"],
            size=told["size"],
            manifest=told["manifest"],
            etag=etag,
        )
        return self._keep(way, etag)

    def _keep(self, way: _Way, etag: str) -> _Way:
        self.way = replace(way, etag=etag)
        write_file(self.memory, json.dumps(asdict(self.way)).encode(), mode=0o600)
        return self.way

    def _have(self) -> int:
        return os.fstat(self.file.fileno()).st_size


def _recall(memory: Path, export: UUID) -> _Way | None:
    """Return the way that an earlier call kept; None without one, or when it is of another package."""
    try:
        with memory.open("rb") as file:
            way = _Way(**json.loads(file.read(_STATE_BYTES_MAX)))
    except (FileNotFoundError, ValueError, TypeError):
        return None
    return way if way.export == str(export) else None


def _begins(content_range: str) -> int | None:
    """Return the first byte that a Content-Range names."""
    unit, _, rest = content_range.partition(" ")
    first = rest.partition("-")[0]
    return int(first) if unit == "bytes" and first.isascii() and first.isdecimal() else None


def _finish(file: IO[bytes], part: Path, to: Path, memory: Path, way: _Way) -> None:
    try:
        file.flush()
        _compare(part, way)
    except DownloadDamaged:
        memory.unlink(missing_ok=True)
        part.unlink()
        raise
    os.fsync(file.fileno())
    require_free(to)
    part.rename(to)
    memory.unlink(missing_ok=True)
    sync_folder(to.parent)


def _compare(part: Path, way: _Way) -> None:
    """See that an archive holds what the entry of its package commits to, byte by byte.

    Raises:
        DownloadDamaged: It does not.
    """
    try:
        if part.stat().st_size != way.size:
            raise DownloadDamaged(f"{part.stat().st_size} bytes came, not {way.size}")
        with zipfile.ZipFile(part) as archive:
            root = archive.namelist()[0].partition("/")[0]
            listed = _list_in(archive, f"{root}/{MANIFEST_NAME}")
            if hashlib.sha256(listed).hexdigest() != way.manifest:
                raise DownloadDamaged("the list of files is not the one that is on record", manifest=way.manifest)
            beside = _list_in(archive, f"{root}/{TAG_MANIFEST_NAME}")
            for path, digest in {**parse_manifest(listed), **parse_manifest(beside)}.items():
                with archive.open(f"{root}/{path}") as member:
                    if hashlib.file_digest(member, "sha256").digest() != digest:  # type: ignore[arg-type]
                        raise DownloadDamaged(f"{path} is not the file that the list states", path=path)
    except (zipfile.BadZipFile, KeyError, IndexError, WireError, EOFError) as error:
        raise DownloadDamaged(f"what came is no package: {error}") from error


def _list_in(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as member:
        return member.read(LIST_BYTES_MAX)


@contextmanager
def _locked(part: Path) -> Iterator[IO[bytes]]:
    with part.open("ab+", buffering=0) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ExportTargetTaken(f"{part} is being written by another program", target=str(part)) from error
        yield file
