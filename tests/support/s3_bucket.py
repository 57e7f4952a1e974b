"""Buckets on the S3 server of the tests, and what somebody can do in them past our stores."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.session import get_session
from moto.s3.models import s3_backends

from evidence.objects.s3 import S3Objects
from evidence.objects.s3_client import MEBIBYTE, S3ObjectSettings
from ledger.s3_place import S3Place
from tests.support.s3_server import S3Server

_ACCOUNT = "123456789012"
"""The one account of the server of the tests."""

PART_BYTES = 5 * MEBIBYTE
"""Shortest part that S3 takes."""

SMALL = S3ObjectSettings(tries=2, page_keys=50, part_bytes=PART_BYTES, parallel=2, read_seconds=5.0)


def use_test_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let clients sign with credentials that only the server of the tests knows."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


@dataclass(frozen=True)
class Bucket:
    """A bucket of one test's own, with a client of nobody's rules."""

    server: S3Server
    place: S3Place
    session: Any
    past: Any

    def objects(self, fetched: Path, settings: S3ObjectSettings = SMALL) -> S3Objects:
        """Open the store in it."""
        return S3Objects(self.place, fetched=fetched, settings=settings, session=self.session)

    def key(self, sha256: str) -> str:
        """Return the key of an object."""
        return self.place.key(f"sha256/{sha256}")

    def write(self, sha256: str, data: bytes) -> None:
        """Write past the store, as somebody who may."""
        self.past.put_object(Bucket=self.place.bucket, Key=self.key(sha256), Body=data, ChecksumAlgorithm="SHA256")

    def delete(self, sha256: str) -> None:
        """Delete past the store; with versions it is only hidden."""
        self.past.delete_object(Bucket=self.place.bucket, Key=self.key(sha256))

    def forget(self, sha256: str) -> None:
        """Remove an object with its versions, as a storage would that does not honour its locks."""
        # Past moto's own way of removing, which closes the bytes too, so that nobody could put them back.
        dict.pop(s3_backends[_ACCOUNT]["aws"].buckets[self.place.bucket].keys, self.key(sha256))

    def shorten(self, sha256: str, until: datetime) -> None:
        """Let a lock end at another time, as such a storage would."""
        key: Any = s3_backends[_ACCOUNT]["aws"].buckets[self.place.bucket].keys[self.key(sha256)]
        key.lock_until = until.strftime("%Y-%m-%dT%H:%M:%SZ")

    def head(self, sha256: str) -> Mapping[str, Any]:
        """Return what the server says of an object."""
        answer: Mapping[str, Any] = self.past.head_object(
            Bucket=self.place.bucket, Key=self.key(sha256), ChecksumMode="ENABLED"
        )
        return answer


class BucketMemory:
    """What is in a bucket, every version with its lock, and the way back to it."""

    def __init__(self, bucket: Bucket) -> None:
        self._keys = s3_backends[_ACCOUNT]["aws"].buckets[bucket.place.bucket].keys
        self._kept = self._present()

    def restore(self) -> int:
        """Go back; return how many objects were not as they had been."""
        present = self._present()
        differing = {name for name in present.keys() | self._kept.keys() if present.get(name) != self._kept.get(name)}
        for name in differing:
            dict.pop(self._keys, name, None)
            for version, lock in self._kept.get(name, ()):
                version.lock_until = lock
            if name in self._kept:
                dict.__setitem__(self._keys, name, [version for version, _ in self._kept[name]])
        return len(differing)

    def _present(self) -> dict[str, list[tuple[Any, Any]]]:
        return {
            name: [(version, getattr(version, "lock_until", None)) for version in self._keys.getlist(name)]
            for name in list(self._keys)
        }


def make_session() -> Any:
    """Return a session with credentials of its own, for whoever runs outside of pytest."""
    session = get_session()
    session.set_credentials("test", "test")
    return session


def make_bucket(server: S3Server, session: Any, *, locks: bool = True) -> Bucket:
    """Make a bucket, with Object Lock or without."""
    place = S3Place(
        bucket=f"b-{secrets.token_hex(6)}", prefix="office/originals", endpoint=server.url, region="us-east-1"
    )
    past = session.create_client("s3", endpoint_url=server.url, region_name="us-east-1")
    past.create_bucket(Bucket=place.bucket, ObjectLockEnabledForBucket=locks)
    return Bucket(server, place, session, past)
