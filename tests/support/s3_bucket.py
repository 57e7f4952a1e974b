"""Buckets on the S3 server of the tests, and what somebody can do in them past our stores."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from evidence.objects.s3 import S3Objects
from evidence.objects.s3_client import MEBIBYTE, S3ObjectSettings
from ledger.s3_place import S3Place
from tests.support.s3_server import S3Server

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

    def head(self, sha256: str) -> Mapping[str, Any]:
        """Return what the server says of an object."""
        answer: Mapping[str, Any] = self.past.head_object(
            Bucket=self.place.bucket, Key=self.key(sha256), ChecksumMode="ENABLED"
        )
        return answer


def make_bucket(server: S3Server, session: Any, *, locks: bool = True) -> Bucket:
    """Make a bucket, with Object Lock or without."""
    place = S3Place(
        bucket=f"b-{secrets.token_hex(6)}", prefix="office/originals", endpoint=server.url, region="us-east-1"
    )
    past = session.create_client("s3", endpoint_url=server.url, region_name="us-east-1")
    past.create_bucket(Bucket=place.bucket, ObjectLockEnabledForBucket=locks)
    return Bucket(server, place, session, past)
