"""The published log in S3-compatible storage: `LogStorage` over conditional writes, readable straight from the bucket.

Below `s3://bucket/prefix` lie the same names with the same bytes as in a `LogFolder`, with the headers that tlog-tiles
asks for, so a public bucket (or a cache before it) is a log. What a folder's file system promises, the storage does:

    write-once name    PUT with `If-None-Match: *`; when the name is taken, its bytes are compared
    checkpoint         GET, judged by `check_forward`, PUT with `If-Match` and the ETag that was judged
    durable            an answered PUT is; the storage checks the SHA-256 of what it received before it answers

Nobody holds a lock: the compare-and-set on the checkpoint is what keeps it from going back, however many leaders,
processes and hosts write. A storage that ignores the conditions would silently take that away, so before its first
write each process makes sure that they are honoured, and refuses the storage if not.

Crash story of a PUT, whoever died, we, the way or the storage:

    before it took effect      the old object, or none             the same call again does it
    after it, unreported       the new object                      the same call again finds the condition broken (412),
                                                                   compares, and finds its own bytes: done

The client's own retries are such calls too. There are no unfinished files: an object is there whole or not at all.

Trust: none in the storage. Whoever reads checks against signed roots; here only the transport is checked (lengths,
checksums where the storage keeps them). Limits: `FILE_BYTES_MAX` for what is read, `S3Settings` for time and tries.

Rights that the writer needs below the prefix: GetObject, PutObject, ListBucket (without it a missing name is answered
like a forbidden one) and, to have partial files of full tiles removed, DeleteObject. Without the last they stay, which
harms nobody.

Sources: C2SP tlog-tiles; Amazon S3 API reference, "conditional requests".
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import aiohttp
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import BotoCoreError, ClientError

from ledger.errors import StorageBusy, StorageConflict, StorageUnreachable, StorageUnreadable, StorageUnsuitable
from ledger.publish import (
    CHECKPOINT_PATH,
    CHECKPOINT_TYPE,
    STORED_CHECKPOINT_CACHE,
    TILE_CACHE,
    TILE_TYPE,
    check_forward,
    stored_checkpoint,
)
from ledger.s3_place import S3Place, S3Settings
from ledger.tiles import TILE_WIDTH

FILE_BYTES_MAX = TILE_WIDTH * (2 + 65_535)
"""Longest file of a log: an entry bundle with the longest entries (tlog-tiles)."""

_PROBE_PATH = ".conditions"
_CAS_TRIES = 8
_READ_TRIES = 3
_PAUSE_SECONDS = 0.05
_NOT_FOUND, _CONFLICT, _PRECONDITION_FAILED = 404, 409, 412

_log = logging.getLogger(__name__)


@asynccontextmanager
async def open_s3_log(
    place: S3Place, settings: S3Settings | None = None, *, session: Any = None
) -> AsyncIterator[S3Log]:
    """Yield the log at a place; nothing is asked of the storage yet.

    Args:
        place: See `S3Place`.
        settings: See `S3Settings`.
        session: An aiobotocore session to share; None for one of this log's own.
    """
    settings = settings or S3Settings()
    config = AioConfig(
        connect_timeout=settings.connect_seconds,
        read_timeout=settings.read_seconds,
        retries={"mode": "standard", "total_max_attempts": settings.tries},
        max_pool_connections=settings.concurrency,
        # The body's SHA-256 is signed, so that every storage checks it, also one that keeps no checksums.
        s3={"payload_signing_enabled": True, "addressing_style": "path" if place.endpoint else "auto"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_supported",
    )
    client = (session or get_session()).create_client(
        "s3", region_name=place.region, endpoint_url=place.endpoint, config=config
    )
    async with client as opened:
        yield S3Log(opened, place, settings)


class _Stored(NamedTuple):
    data: bytes
    etag: str


class S3Log:
    """A log in a bucket. Any number of processes may read it, and the conditions keep any number of writers in order.

    Args:
        client: An open aiobotocore client for S3; see `open_s3_log`.
        place: Where the log is.
        settings: See `S3Settings`.
    """

    def __init__(self, client: Any, place: S3Place, settings: S3Settings) -> None:
        self._client = client
        self._place = place
        self._settings = settings
        self._slots = asyncio.Semaphore(settings.concurrency)
        self._is_suitable = False
        self._shown: _Stored | None = None

    async def put_immutable(self, files: Mapping[str, bytes]) -> None:
        """See `LogStorage.put_immutable`.

        Raises:
            StorageUnreachable: The storage fails or refuses; some of the files may be there.
            StorageUnsuitable: It ignores conditions.
        """
        if not files:
            return
        await self._require_conditions()
        puts = [self._put_once(path, data) for path, data in files.items()]
        # All are awaited: what goes on after an error would write behind the back of the next term.
        outcomes = await asyncio.gather(*puts, return_exceptions=True)
        errors = [outcome for outcome in outcomes if outcome is not None]
        if errors:
            raise next((error for error in errors if isinstance(error, StorageConflict)), errors[0])

    async def put_checkpoint(self, note: bytes) -> None:
        """See `LogStorage.put_checkpoint`.

        Raises:
            StorageBusy: Others replaced it each time between our look and our write.
            StorageUnreachable, StorageUnsuitable: See `put_immutable`.
        """
        following = stored_checkpoint(note)
        await self._require_conditions()
        for attempt in range(_CAS_TRIES):
            # What this process wrote last is judged without a look: the condition says whether it still stands.
            current, self._shown = self._shown or await self._read(CHECKPOINT_PATH), None
            if current is None:
                condition = {"IfNoneMatch": "*"}
            else:
                check_forward(stored_checkpoint(current.data), following)
                condition = {"IfMatch": current.etag}
            if etag := await self._put(CHECKPOINT_PATH, note, **condition):
                self._shown = _Stored(note, etag)
                return
            # What stands there is somebody else's, or ours from a try whose answer was lost: the next round judges it.
            await asyncio.sleep(random.random() * _PAUSE_SECONDS * attempt)  # noqa: S311 - spreads writers, no secret
        raise StorageBusy("others keep replacing the checkpoint")

    async def get(self, path: str) -> bytes | None:
        """See `LogStorage.get`.

        Raises:
            StorageUnreachable: The storage fails or refuses.
            StorageUnreadable: The object is longer than any file of a log.
        """
        stored = await self._read(path)
        return None if stored is None else stored.data

    async def drop_partials(self, paths: Iterable[str]) -> None:
        """See `LogStorage.drop_partials`; what cannot be removed stays, a bucket may keep everything for ever."""
        for path in paths:
            try:
                keys = [key async for key in self._keys(self._place.key(f"{path}.p/"))]
                if keys:
                    await self._delete(keys)
            except StorageUnreachable as error:
                _log.info("partial files of %s stay: %s", path, error.message)
                return

    async def paths(self) -> AsyncIterator[str]:
        """See `LogStorage.paths`.

        Raises:
            StorageUnreachable: The storage fails or refuses.
        """
        start = self._place.key("")
        async for key in self._keys(start):
            path = key.removeprefix(start)
            if path != _PROBE_PATH:
                yield path

    async def remove_unfinished(self) -> None:
        """See `LogStorage.remove_unfinished`: there is nothing. A term begins here, and looks at the place anew."""
        self._is_suitable, self._shown = False, None

    async def _put_once(self, path: str, data: bytes) -> None:
        for attempt in range(_CAS_TRIES):
            if await self._put(path, data, IfNoneMatch="*"):
                return
            stored = await self._read(path)
            if stored is not None:
                if stored.data != data:
                    raise StorageConflict(f"{path} is published with other bytes", path=path)
                return
            # Answered "conflict" because another writer is at this name, or removed as a partial file by another.
            await asyncio.sleep(random.random() * _PAUSE_SECONDS * (attempt + 1))  # noqa: S311 - as above
        raise StorageBusy(f"{path} is neither there nor can it be written", path=path)

    async def _put(self, path: str, data: bytes, **condition: str) -> str | None:
        """Store an object; return its ETag, None when the condition does not hold."""
        is_checkpoint = path == CHECKPOINT_PATH
        async with self._slots, self._calling(path):
            try:
                answer = await self._client.put_object(
                    Bucket=self._place.bucket,
                    Key=self._place.key(path),
                    Body=data,
                    ContentType=CHECKPOINT_TYPE if is_checkpoint else TILE_TYPE,
                    CacheControl=STORED_CHECKPOINT_CACHE if is_checkpoint else TILE_CACHE,
                    ChecksumAlgorithm="SHA256",
                    **condition,
                )
            except ClientError as error:
                status = _status(error)
                # To If-Match a name that is gone is answered with 404; two writers at the same time may get a 409.
                if status in (_PRECONDITION_FAILED, _CONFLICT) or (status == _NOT_FOUND and not _is_no_bucket(error)):
                    return None
                raise
        etag: str = answer["ETag"]
        return etag

    async def _read(self, path: str) -> _Stored | None:
        for attempt in range(1, _READ_TRIES + 1):
            try:
                async with self._slots, self._calling(path):
                    return await self._read_once(path)
            except StorageUnreachable as error:
                # An answer that breaks off in its body is not tried again by the client; a refusal stays one.
                if attempt == _READ_TRIES or isinstance(error.__cause__, ClientError):
                    raise
                await asyncio.sleep(random.random() * _PAUSE_SECONDS * attempt)  # noqa: S311 - as above
        return None

    async def _read_once(self, path: str) -> _Stored | None:
        try:
            answer = await self._client.get_object(Bucket=self._place.bucket, Key=self._place.key(path))
        except ClientError as error:
            if _status(error) == _NOT_FOUND and not _is_no_bucket(error):
                return None
            raise
        async with answer["Body"] as body:
            if int(answer.get("ContentLength", 0)) > FILE_BYTES_MAX:
                raise StorageUnreadable(f"{path} is longer than any file of a log", path=path)
            return _Stored(await body.read(), answer["ETag"])

    async def _keys(self, prefix: str) -> AsyncIterator[str]:
        more: dict[str, str] = {}
        while True:
            async with self._slots, self._calling(prefix):
                page = await self._client.list_objects_v2(
                    Bucket=self._place.bucket, Prefix=prefix, MaxKeys=self._settings.page_keys, **more
                )
            for item in page.get("Contents", ()):
                yield item["Key"]
            if not page.get("IsTruncated"):
                return
            more = {"ContinuationToken": page["NextContinuationToken"]}

    async def _delete(self, keys: list[str]) -> None:
        async with self._slots, self._calling(keys[0]):
            for start in range(0, len(keys), 1000):
                named = [{"Key": key} for key in keys[start : start + 1000]]
                answer = await self._client.delete_objects(
                    Bucket=self._place.bucket, Delete={"Objects": named, "Quiet": True}
                )
        if refused := answer.get("Errors"):
            raise StorageUnreachable(f"{refused[0].get('Key')} is not removed: {refused[0].get('Code')}")

    async def _require_conditions(self) -> None:
        """Make sure, once a term, that the storage refuses what the conditions forbid.

        Raises:
            StorageUnsuitable: It does not.
        """
        if self._is_suitable:
            return
        await self._put(_PROBE_PATH, b"", IfNoneMatch="*")
        if await self._put(_PROBE_PATH, b"", IfNoneMatch="*") or await self._put(_PROBE_PATH, b"", IfMatch='"0"'):
            raise StorageUnsuitable(
                "the log's storage ignores If-None-Match or If-Match, so a checkpoint could go back"
            )
        self._is_suitable = True

    @asynccontextmanager
    async def _calling(self, path: str) -> AsyncIterator[None]:
        """Give a call its time, and turn every way in which it fails into one error."""
        try:
            async with asyncio.timeout(self._settings.call_seconds):
                yield
        except (BotoCoreError, ClientError, aiohttp.ClientError, OSError) as error:
            # The third is how a body that breaks off shows itself: the client does not translate it.
            raise StorageUnreachable(f"the log's storage does not do its part for {path}: {_reason(error)}") from error


def _reason(error: Any) -> str:
    """Say what is wrong without the address, as the sentence may reach strangers; the cause has it."""
    code = error.response.get("Error", {}).get("Code") if isinstance(error, ClientError) else None
    return str(code or type(error).__name__)


def _status(error: Any) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _is_no_bucket(error: Any) -> bool:
    return bool(error.response.get("Error", {}).get("Code") == "NoSuchBucket")
