"""Objects in S3-compatible storage, over real HTTP: the common exam, locks, parts, and whatever befalls a call.

With TEST_S3_ENDPOINT in the environment (and credentials where AWS tools look) the exam is sat before that server too.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from evidence.errors import (
    ObjectDamaged,
    ObjectMissing,
    ObjectStoreUnreachable,
    ObjectStoreUnsuitable,
)
from evidence.objects.local import LocalObjects
from evidence.objects.s3 import S3Objects
from evidence.objects.s3_client import MEBIBYTE, S3ObjectSettings
from evidence.objects.s3_upload import checksum_of
from evidence.objects.store import ObjectStore, StoredObject
from evidence.objects.tiered import TieredObjects
from tests.suites.objects import ObjectStoreSuite, digest, finished_file
from tests.support.s3_bucket import PART_BYTES, SMALL, Bucket, make_bucket
from tests.support.s3_server import DONE, S3Server, Strike

FOREIGN = os.environ.get("TEST_S3_ENDPOINT")
ONCE = replace(SMALL, tries=1, read_seconds=0.5)
LATER = datetime(2046, 11, 22, tzinfo=UTC)


@pytest.fixture
def objects(bucket: Bucket, tmp_path: Path) -> S3Objects:
    return bucket.objects(tmp_path / "fetched")


class TestS3Objects(ObjectStoreSuite):
    """The exam."""

    listed = 120

    @pytest.fixture
    def objects(self, bucket: Bucket, tmp_path: Path) -> ObjectStore:
        return bucket.objects(tmp_path / "fetched")


class TestTieredObjects(ObjectStoreSuite):
    """A local store with a bucket behind it sits the same exam."""

    @pytest.fixture
    def objects(self, bucket: Bucket, tmp_path: Path) -> ObjectStore:
        return TieredObjects(LocalObjects(tmp_path / "objects"), bucket.objects(tmp_path / "fetched"))


if FOREIGN is not None:

    class TestForeignS3(ObjectStoreSuite):
        """The same exam before a server that somebody else wrote."""

        @pytest.fixture
        def objects(self, session: Any, tmp_path: Path) -> ObjectStore:
            server = S3Server(url=FOREIGN or "")
            return make_bucket(server, session).objects(tmp_path / "fetched")


@pytest.fixture(scope="module")
def long_data() -> bytes:
    """Two parts and a bit."""
    return secrets.token_bytes(2 * PART_BYTES + 17)


def kept(folder: Path, data: bytes) -> tuple[Path, str]:
    return finished_file(folder, data), digest(data)


@pytest.mark.parametrize("is_long", [False, True], ids=["at once", "in parts"])
def test_a_copy_is_checked_by_the_storage_and_locked(
    bucket: Bucket, objects: S3Objects, tmp_path: Path, long_data: bytes, is_long: bool
) -> None:
    path, name = kept(tmp_path / "local", long_data if is_long else b"short")
    made = objects.copy_in(path, name, retain_until=LATER)
    head = bucket.head(name)
    assert (made.size, made.retained_until) == (path.stat().st_size, LATER)
    assert made.version == head["VersionId"]
    assert head["ObjectLockMode"] == "COMPLIANCE"
    assert head["ChecksumSHA256"] == made.checksum
    if not is_long:
        assert made.checksum == checksum_of(hashlib.sha256(b"short").digest())
    assert path.exists(), "the source of a copy is only read"
    with pytest.raises(ClientError, match="AccessDenied"):
        bucket.past.delete_object(Bucket=bucket.place.bucket, Key=bucket.key(name), VersionId=made.version)
    assert objects.open_path(name).read_bytes() == path.read_bytes()
    assert not unfinished(bucket)


def test_every_part_goes_with_its_checksum(
    bucket: Bucket, objects: S3Objects, tmp_path: Path, long_data: bytes
) -> None:
    path, name = kept(tmp_path / "local", long_data)
    objects.copy_in(path, name)
    parts = sorted(seen.partition("partNumber=")[2] for seen in bucket.server.seen if "partNumber" in seen)
    assert parts == ["1", "2", "3"]
    assert objects.read(name, start=PART_BYTES - 2, end=PART_BYTES + 2) == long_data[PART_BYTES - 2 : PART_BYTES + 2]
    assert objects.read(name, start=4, end=4) == b""
    with pytest.raises(ObjectDamaged, match="ends before"):
        objects.read(name, start=len(long_data) - 2, end=len(long_data) + 2)


def test_a_lock_is_extended_and_never_shortened(bucket: Bucket, objects: S3Objects, tmp_path: Path) -> None:
    path, name = kept(tmp_path / "local", b"locked")
    assert objects.copy_in(path, name).retained_until is None
    first = objects.copy_in(path, name, retain_until=LATER)
    assert objects.copy_in(path, name, retain_until=LATER - timedelta(days=9)) == first
    longer = objects.copy_in(path, name, retain_until=LATER + timedelta(days=9))
    assert longer == replace(first, retained_until=LATER + timedelta(days=9))
    assert objects.retain(name, LATER) == longer
    assert bucket.head(name)["ObjectLockRetainUntilDate"] == LATER + timedelta(days=9)
    with pytest.raises(ObjectMissing):
        objects.retain(digest(b"never"), LATER)


@pytest.mark.parametrize("is_long", [False, True], ids=["at once", "in parts"])
def test_a_damaged_original_is_not_copied(
    bucket: Bucket, objects: S3Objects, tmp_path: Path, long_data: bytes, is_long: bool
) -> None:
    data = long_data if is_long else b"short"
    path, _ = kept(tmp_path / "local", data)
    with pytest.raises(ObjectDamaged):
        objects.copy_in(path, digest(b"another"))
    assert list(objects.list()) == []
    assert not unfinished(bucket)


@pytest.mark.parametrize("other", [b"", b"Right", b"right and more"], ids=repr)
def test_other_bytes_under_the_name_are_refused_and_left(
    bucket: Bucket, objects: S3Objects, tmp_path: Path, other: bytes
) -> None:
    path, name = kept(tmp_path / "local", b"right")
    bucket.write(name, other)
    with pytest.raises(ObjectDamaged):
        objects.copy_in(path, name, retain_until=LATER)
    with pytest.raises(ObjectDamaged):
        objects.put(b"right")
    with pytest.raises(ObjectDamaged):
        objects.open_path(name)
    assert bucket.head(name)["ContentLength"] == len(other)
    assert bucket.head(name).get("ObjectLockRetainUntilDate") is None
    assert list((tmp_path / "fetched").iterdir()) == [], "nothing false is left to be read"


def test_a_deleted_object_is_missing_though_its_version_is_kept(
    bucket: Bucket, objects: S3Objects, tmp_path: Path
) -> None:
    path, name = kept(tmp_path / "local", b"hidden")
    made = objects.copy_in(path, name, retain_until=LATER)
    bucket.delete(name)
    assert objects.look(name) is None
    assert objects.look(name, version=made.version) == made
    with pytest.raises(ObjectMissing):
        objects.open_path(name)


def test_a_bucket_without_lock_is_refused_unless_none_is_asked_for(
    running: S3Server, session: Any, bucket: Bucket, tmp_path: Path
) -> None:
    plain = make_bucket(running, session, locks=False).objects(tmp_path / "fetched")
    with pytest.raises(ObjectStoreUnsuitable, match="no Object Lock"):
        plain.require_suitable(locks=True)
    plain.require_suitable(locks=False)
    bucket.objects(tmp_path / "fetched").require_suitable(locks=True)


def test_a_storage_that_ignores_conditions_is_refused(bucket: Bucket, objects: S3Objects) -> None:
    bucket.server.ignores_conditions = True
    with pytest.raises(ObjectStoreUnsuitable, match="If-None-Match"):
        objects.require_suitable(locks=True)


def test_a_bucket_or_server_that_is_not_there_is_said(bucket: Bucket, tmp_path: Path) -> None:
    path, name = kept(tmp_path / "local", b"nowhere")
    for place in (
        replace(bucket.place, bucket="nobody-made-this"),
        replace(bucket.place, endpoint="http://127.0.0.1:9"),
    ):
        away = replace(bucket, place=place).objects(tmp_path / "fetched", ONCE)
        calls: list[Callable[[], object]] = [
            partial(away.require_suitable, locks=True),
            partial(away.copy_in, path, name),
            partial(listed, away),
            partial(away.drop_unfinished, before=LATER),
        ]
        for call in calls:
            with pytest.raises(ObjectStoreUnreachable) as raised:
                call()
            assert str(path) not in raised.value.message
            assert "127.0.0.1" not in raised.value.message


def listed(store: S3Objects) -> list[StoredObject]:
    return list(store.list())


def unfinished(bucket: Bucket) -> list[str]:
    found = bucket.past.list_multipart_uploads(Bucket=bucket.place.bucket)
    return [upload["UploadId"] for upload in found.get("Uploads", ())]


def test_unfinished_uploads_are_swept_when_they_are_old(bucket: Bucket, objects: S3Objects) -> None:
    for name in (bucket.key(digest(b"1")), bucket.key(digest(b"2"))):
        bucket.past.create_multipart_upload(Bucket=bucket.place.bucket, Key=name)
    foreign = bucket.past.create_multipart_upload(Bucket=bucket.place.bucket, Key="another/room")["UploadId"]
    # The server of the tests says of every upload that it was begun in 2010.
    assert objects.drop_unfinished(before=datetime(2009, 1, 1, tzinfo=UTC)) == 0
    assert objects.drop_unfinished(before=datetime(2011, 1, 1, tzinfo=UTC)) == 2
    assert unfinished(bucket) == [foreign]


STRIKES = [strike for strike in Strike if strike not in (Strike.SHORT, Strike.FLIPPED)]
REQUESTS = {"put": "PUT /", "begin": "?uploads", "part": "partNumber=2", "complete": "POST ", "lock": "?retention"}


SOME = {
    (Strike.CUT_AFTER, "put"),
    (Strike.ERROR_BEFORE, "part"),
    (Strike.CUT_AFTER, "complete"),
    (Strike.DENIED, "lock"),
}
"""Those of every run; all of them take half a minute."""


@pytest.mark.parametrize(
    ("strike", "request_"),
    [
        pytest.param(strike, request, marks=() if (strike, request) in SOME else pytest.mark.slow)
        for strike in STRIKES
        for request in REQUESTS
    ],
)
def test_whatever_befalls_a_request_the_same_call_again_ends_it(
    bucket: Bucket, tmp_path: Path, long_data: bytes, strike: Strike, request_: str
) -> None:
    path, name = kept(tmp_path / "local", b"short" if request_ == "put" else long_data)
    impatient = bucket.objects(tmp_path / "fetched", ONCE)
    bucket.server.strike(REQUESTS[request_], strike)
    try:
        impatient.copy_in(path, name, retain_until=LATER)
    except ObjectStoreUnreachable:
        found = impatient.look(name)
        assert found is None or (strike in DONE or request_ == "lock"), "nothing appears that was not sent"
    bucket.server.speak()
    bucket.server.reset()
    made = bucket.objects(tmp_path / "fetched").copy_in(path, name, retain_until=LATER)
    assert (made.size, made.retained_until) == (path.stat().st_size, LATER)
    assert impatient.digest(name) == name
    assert path.exists()


@pytest.mark.parametrize("strike", [Strike.CUT_BEFORE, Strike.SHORT, Strike.FLIPPED, Strike.DENIED, Strike.SILENT])
def test_what_breaks_while_it_is_fetched_is_never_believed(bucket: Bucket, tmp_path: Path, strike: Strike) -> None:
    store = bucket.objects(tmp_path / "fetched", ONCE)
    name = store.put(b"fetched" * 1000)
    bucket.server.strike("GET", strike)
    with pytest.raises((ObjectStoreUnreachable, ObjectDamaged)):
        store.open_path(name)
    assert list((tmp_path / "fetched").iterdir()) == []
    bucket.server.speak()
    bucket.server.reset()
    assert store.open_path(name).read_bytes() == b"fetched" * 1000


def test_behind_a_local_store_it_is_read_and_nothing_else(bucket: Bucket, tmp_path: Path) -> None:
    local, second = LocalObjects(tmp_path / "objects"), bucket.objects(tmp_path / "fetched")
    both = TieredObjects(local, second)
    here, there = both.put(b"here"), second.put(b"there")
    bucket.server.seen.clear()
    assert both.open_path(here) == local.open_path(here)
    assert both.exists(here)
    assert both.size(here) == 4
    assert bucket.server.seen == [], "what is here asks nobody"
    assert both.open_path(there).read_bytes() == b"there"
    assert both.exists(there)
    assert both.size(there) == 5
    assert not local.exists(there), "that it is gone stays visible"
    assert [stored.sha256 for stored in both.list()] == [here]


def test_long_objects_have_no_more_parts_than_allowed() -> None:
    settings = S3ObjectSettings()
    for size in (1, 160 * 1000 * MEBIBYTE, 5 * 1024 * 1024 * MEBIBYTE):
        assert -(-size // settings.part_bytes_of(size)) <= 10_000
    assert settings.part_bytes_of(64 * 1024 * MEBIBYTE) == settings.part_bytes
