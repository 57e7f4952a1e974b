"""Where a published log lies in S3-compatible storage, and how patient its client is: values, without the client.

Addresses are `s3://bucket/prefix`. Bucket names are those of S3; the parts of a prefix are what needs no escaping in a
URL, and none begins with a dot, so that a prefix is also a path on any web server.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

ADDRESS_PATTERN = r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])((?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*)/?"
"""Bucket and prefix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Place:
    """Where in which storage; credentials are looked for where all AWS tools do (variables, files, instance roles).

    Attributes:
        bucket: It must exist.
        prefix: Without slash at either end; empty for the whole bucket.
        endpoint: URL of the storage; None for AWS, or what the AWS variables and files say.
        region: None for what they say.
    """

    bucket: str
    prefix: str = ""
    endpoint: str | None = None
    region: str | None = None

    @classmethod
    def parse(cls, address: str, *, endpoint: str | None = None, region: str | None = None) -> S3Place:
        """Read an address `s3://bucket/prefix`.

        Raises:
            ValueError: It is none.
        """
        match = re.fullmatch(ADDRESS_PATTERN, address)
        if match is None:
            raise ValueError(f"{address!r} is no address like s3://bucket/prefix")
        return cls(bucket=match[1], prefix=match[2].strip("/"), endpoint=endpoint, region=region)

    def key(self, path: str) -> str:
        """Return the object's key of a file."""
        return f"{self.prefix}/{path}" if self.prefix else path

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Settings:
    """Patience and haste.

    Attributes:
        connect_seconds: Longest wait for a connection.
        read_seconds: Longest silence while an answer comes.
        call_seconds: Longest time for one call with all its tries; it holds whatever the client does.
        tries: How often one request is sent; errors of the way and "slow down" are tried again, later each time.
        concurrency: Most requests at the same time.
        page_keys: Names in one page of a listing.
    """

    connect_seconds: float = 5.0
    read_seconds: float = 10.0
    call_seconds: float = 30.0
    tries: int = 4
    concurrency: int = 16
    page_keys: int = 1000
