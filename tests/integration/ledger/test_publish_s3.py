"""S3 storage sits the exam of every place for a log, over real HTTP, and then the way breaks in every form.

With TEST_S3_ENDPOINT in the environment (and credentials where AWS tools look) the exam is sat before that server too.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from aiobotocore.session import get_session

from ledger.errors import CheckpointStale, StorageConflict, StorageUnreachable, StorageUnreadable, StorageUnsuitable
from ledger.publish import LogStorage
from ledger.publish_s3 import FILE_BYTES_MAX, S3Log, open_s3_log
from ledger.s3_place import S3Place, S3Settings
from tests.suites.log_storage import LogStorageSuite, Place, listed, note
from tests.support.s3_server import DONE, S3Server, Strike, s3_server

SMALL = S3Settings(tries=2, page_keys=3)
ONCE = replace(SMALL, tries=1)
FOREIGN = os.environ.get("TEST_S3_ENDPOINT")


@pytest.fixture(scope="module")
def running() -> Iterator[S3Server]:
    with s3_server() as server:
        yield server


@dataclass(frozen=True)
class Bucket:
    """A bucket of this test's own."""

    server: S3Server
    place: S3Place
    session: Any

    @asynccontextmanager
    async def opened(self, settings: S3Settings = SMALL) -> AsyncIterator[S3Log]:
        """Open the log in it."""
        async with open_s3_log(self.place, settings, session=self.session) as log:
            yield log

    async def make(self) -> None:
        """Make the bucket."""
        async with self.past_the_log() as s3:
            await s3.create_bucket(Bucket=self.place.bucket)

    async def write(self, path: str, data: bytes) -> None:
        """Write past the log, as somebody who may."""
        async with self.past_the_log() as s3:
            await s3.put_object(Bucket=self.place.bucket, Key=self.place.key(path), Body=data)

    async def delete(self, path: str) -> None:
        """Delete past the log."""
        async with self.past_the_log() as s3:
            await s3.delete_object(Bucket=self.place.bucket, Key=self.place.key(path))

    async def head(self, path: str) -> dict[str, str]:
        """Return the headers of an object."""
        async with self.past_the_log() as s3:
            key = self.place.key(path)
            answer = await s3.head_object(Bucket=self.place.bucket, Key=key, ChecksumMode="ENABLED")
            return {name: answer.get(name, "") for name in ("ContentType", "CacheControl", "ChecksumSHA256")}

    def past_the_log(self) -> Any:
        """Return a client of nobody's rules."""
        return self.session.create_client("s3", endpoint_url=self.place.endpoint, region_name="us-east-1")


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    if FOREIGN is None:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


def patience(strike: Strike, settings: S3Settings) -> S3Settings:
    """Wait long for whoever answers, also on a busy machine, and not for long when nobody will."""
    return replace(settings, call_seconds=1.5) if strike is Strike.SILENT else settings


def place_on(url: str) -> S3Place:
    return S3Place(bucket=f"b-{secrets.token_hex(6)}", prefix="office/log", endpoint=url, region="us-east-1")


@pytest.fixture(scope="module")
def session() -> Any:
    """One session for all tests: it reads a description of S3 that is megabytes long."""
    return get_session()


@pytest.fixture
async def bucket(running: S3Server, session: Any, credentials: None) -> Bucket:
    running.reset()
    made = Bucket(running, place_on(running.url), session)
    await made.make()
    return made


class TestS3Log(LogStorageSuite):
    """A bucket is a place for a log."""

    @pytest.fixture
    def place(self, bucket: Bucket) -> Place:
        """The same prefix, opened by each as his own."""
        return bucket.opened


if FOREIGN is not None:

    class TestForeignS3(LogStorageSuite):
        """The same exam before a server that somebody else wrote."""

        @pytest.fixture
        async def place(self, credentials: None, running: S3Server, session: Any) -> Place:
            """A bucket there."""
            made = Bucket(running, place_on(FOREIGN or ""), session)
            await made.make()
            return made.opened


async def test_objects_say_what_they_are(bucket: Bucket) -> None:
    async with bucket.opened() as log:
        await log.put_immutable({"tile/0/000": b"hashes"})
        await log.put_checkpoint(note(5))
    tile, checkpoint = await bucket.head("tile/0/000"), await bucket.head("checkpoint")
    assert tile["ContentType"] == "application/octet-stream"
    assert tile["CacheControl"] == "public, max-age=31536000, immutable"
    assert checkpoint["ContentType"] == "text/plain; charset=utf-8"
    assert checkpoint["CacheControl"] == "no-cache"
    assert tile["ChecksumSHA256"]
    assert checkpoint["ChecksumSHA256"]


async def test_prefixes_are_apart(bucket: Bucket) -> None:
    other = replace(bucket, place=replace(bucket.place, prefix="office/log2"))
    whole = replace(bucket, place=replace(bucket.place, prefix=""))
    async with bucket.opened() as log, other.opened() as second, whole.opened() as all_:
        await log.put_immutable({"tile/0/000": b"one"})
        await second.put_immutable({"tile/0/000": b"two"})
        assert await listed(log) == ["tile/0/000"]
        assert await log.get("tile/0/000") == b"one"
        assert await all_.get("office/log2/tile/0/000") == b"two"


async def test_a_long_listing_comes_in_pages(bucket: Bucket) -> None:
    files = {f"tile/entries/{number:03}": b"x" for number in range(20)}
    async with bucket.opened() as log:
        await log.put_immutable(files)
        bucket.server.seen.clear()
        assert await listed(log) == sorted(files)
        assert len(bucket.server.seen) == 7, "the probe is listed as well"


WRITES = ["tile", "checkpoint"]
OF_WRITES = [strike for strike in Strike if strike not in (Strike.SHORT, Strike.FLIPPED)]


async def written(log: LogStorage, what: str) -> None:
    if what == "tile":
        await log.put_immutable({"tile/0/001": b"hashes"})
    else:
        await log.put_checkpoint(note(6))


@pytest.mark.parametrize("what", WRITES)
@pytest.mark.parametrize("strike", [one for one in OF_WRITES if one is not Strike.SILENT])
async def test_one_failure_on_the_way_is_not_noticed(bucket: Bucket, strike: Strike, what: str) -> None:
    async with bucket.opened() as log:
        await log.put_checkpoint(note(5))
        bucket.server.strike(f"PUT /{bucket.place.bucket}/office/log/{what}", strike)
        if strike is Strike.DENIED:
            with pytest.raises(StorageUnreachable, match="AccessDenied"):
                await written(log, what)
        await written(log, what)
        assert not bucket.server.strikes, "it was struck"
        assert await log.get("tile/0/001" if what == "tile" else "checkpoint") == (
            b"hashes" if what == "tile" else note(6)
        )


@pytest.mark.parametrize("same", [True, False], ids=["same again", "another"])
@pytest.mark.parametrize("what", WRITES)
@pytest.mark.parametrize("strike", OF_WRITES)
async def test_a_failure_that_lasts_leaves_old_or_new(bucket: Bucket, strike: Strike, what: str, same: bool) -> None:
    name = "tile/0/001" if what == "tile" else "checkpoint"
    async with bucket.opened(patience(strike, ONCE)) as log:
        await log.put_checkpoint(note(5))
        before = await log.get(name)
        bucket.server.strike(f"PUT /{bucket.place.bucket}/office/log/{name}", strike, times=99)
        bucket.server.strike(f"GET /{bucket.place.bucket}/office/log/{name}", Strike.CUT_BEFORE, times=99)
        with pytest.raises(StorageUnreachable):
            await written(log, what)
        await asyncio.to_thread(bucket.server.speak)
        bucket.server.reset()
    async with bucket.opened() as next_:
        after = b"hashes" if what == "tile" else note(6)
        assert await next_.get(name) == (after if strike in DONE else before)
        if same:
            await written(next_, what)
        elif what == "tile":
            if strike in DONE:
                with pytest.raises(StorageConflict):
                    await next_.put_immutable({name: b"others"})
        else:
            await next_.put_checkpoint(after := note(7))
            with pytest.raises(CheckpointStale):
                await next_.put_checkpoint(note(6))
        if same or what != "tile" or strike in DONE:
            assert await next_.get(name) == after


@pytest.mark.parametrize("strike", list(Strike))
async def test_reading_is_tried_again(bucket: Bucket, strike: Strike) -> None:
    async with bucket.opened(patience(strike, SMALL)) as log:
        await log.put_immutable({"tile/0/000": b"hashes"})
        bucket.server.strike("GET", strike)
        if strike in (Strike.DENIED, Strike.CONFLICT):
            with pytest.raises(StorageUnreachable):
                await log.get("tile/0/000")
        assert await log.get("tile/0/000") == b"hashes"
        await asyncio.to_thread(bucket.server.speak)


@pytest.mark.parametrize("strike", list(Strike))
async def test_reading_what_cannot_be_read_is_said(bucket: Bucket, strike: Strike) -> None:
    async with bucket.opened(patience(strike, ONCE)) as log:
        await log.put_immutable({"tile/0/000": b"hashes"})
        bucket.server.strike("GET", strike, times=99)
        with pytest.raises(StorageUnreachable):
            await log.get("tile/0/000")
        await asyncio.to_thread(bucket.server.speak)
        bucket.server.reset()
        assert await log.get("tile/0/000") == b"hashes"


async def test_a_name_that_cannot_be_listed_is_no_missing_one(bucket: Bucket) -> None:
    async with bucket.opened() as log:
        bucket.server.strike("GET", Strike.DENIED, times=9)
        with pytest.raises(StorageUnreachable):
            await log.get("checkpoint")
        with pytest.raises(StorageUnreachable):
            await listed(log)


async def test_a_bucket_that_is_not_there_is_said(bucket: Bucket) -> None:
    gone = replace(bucket, place=replace(bucket.place, bucket="nobody-made-this"))
    async with gone.opened() as log:
        for call in (log.get("checkpoint"), log.put_checkpoint(note(1)), log.put_immutable({"tile/0/000": b""})):
            with pytest.raises(StorageUnreachable, match="NoSuchBucket"):
                await call


async def test_a_server_that_is_not_there_is_said(bucket: Bucket) -> None:
    away = replace(bucket, place=replace(bucket.place, endpoint="http://127.0.0.1:9"))
    async with away.opened() as log:
        with pytest.raises(StorageUnreachable):
            await log.get("checkpoint")


async def test_a_storage_that_ignores_conditions_is_refused_before_anything_is_written(bucket: Bucket) -> None:
    bucket.server.ignores_conditions = True
    async with bucket.opened() as log:
        with pytest.raises(StorageUnsuitable):
            await log.put_checkpoint(note(5))
        with pytest.raises(StorageUnsuitable):
            await log.put_immutable({"tile/0/000": b"hashes"})
        assert await listed(log) == []


async def test_what_can_not_be_removed_stays(bucket: Bucket) -> None:
    async with bucket.opened() as log:
        await log.put_immutable({"tile/0/000.p/1": b"x", "tile/0/000": b"full"})
        for request in ("DELETE", "POST"):
            bucket.server.strike(request, Strike.DENIED, times=9)
        await log.drop_partials(["tile/0/000"])
        assert await listed(log) == ["tile/0/000", "tile/0/000.p/1"]
        bucket.server.reset()
        await log.drop_partials(["tile/0/000"])
        assert await listed(log) == ["tile/0/000"]


async def test_another_writer_between_look_and_write_is_seen(bucket: Bucket) -> None:
    async with bucket.opened() as log, bucket.opened() as other:
        await log.put_checkpoint(note(1))
        for size in (2, 3, 4):
            await other.put_checkpoint(note(size * 10))
            with pytest.raises(CheckpointStale):
                await log.put_checkpoint(note(size))
            await log.put_checkpoint(note(size * 10 + 1))
        assert await other.get("checkpoint") == note(41)


@pytest.mark.parametrize("foreign", [b"", b"rubbish", b"<html>\n", b"\xff" * 100])
async def test_a_checkpoint_that_is_none_is_never_replaced(bucket: Bucket, foreign: bytes) -> None:
    async with bucket.opened() as log:
        await log.put_checkpoint(note(5))
        await bucket.write("checkpoint", foreign)
        with pytest.raises(StorageConflict):
            await log.put_checkpoint(note(6))
        assert await log.get("checkpoint") == foreign


async def test_a_checkpoint_that_vanished_is_written_anew(bucket: Bucket) -> None:
    async with bucket.opened() as log:
        await log.put_checkpoint(note(5))
        await bucket.delete("checkpoint")
        await log.put_checkpoint(note(6))
        assert await log.get("checkpoint") == note(6)


async def test_an_object_longer_than_any_file_of_a_log_is_not_read(bucket: Bucket) -> None:
    await bucket.write("tile/0/000", bytes(FILE_BYTES_MAX + 1))
    async with bucket.opened() as log:
        with pytest.raises(StorageUnreadable):
            await log.get("tile/0/000")


@pytest.mark.parametrize(
    ("address", "bucket_name", "prefix"),
    [
        ("s3://logs", "logs", ""),
        ("s3://logs/", "logs", ""),
        ("s3://my.logs-1/a/B_c.d/e/", "my.logs-1", "a/B_c.d/e"),
    ],
)
def test_addresses(address: str, bucket_name: str, prefix: str) -> None:
    place = S3Place.parse(address)
    assert (place.bucket, place.prefix) == (bucket_name, prefix)
    assert S3Place.parse(str(place)) == place


@pytest.mark.parametrize(
    "address",
    [
        "",
        *("s3://", "s3://a", "S3://logs", "s3:/logs", "http://logs", "s3://Logs", "s3://user@logs/a", "folder"),
        *("s3://logs//a", "s3://logs/../a", "s3://logs/.a", "s3://logs/a b", "s3://logs/a?b", "s3://logs/a\n"),
        *("s3://logs/é", "s3://logs/%2e%2e", " s3://logs"),
    ],
)
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(ValueError, match="no address"):
        S3Place.parse(address)
