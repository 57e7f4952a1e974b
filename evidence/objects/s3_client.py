"""The client of S3-compatible storage that objects use: blocking calls with patience and one error for every failure.

The blocking half of the client library that the published log uses: objects are read and hashed in threads anyway, so
nothing is gained by an event loop in between. The client is shared by threads, as its library allows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import get_session

from evidence.errors import ObjectStoreUnreachable
from ledger.s3_place import S3Place

MEBIBYTE = 1_048_576
PARTS_MAX = 10_000
"""Most parts of one object (Amazon S3 API reference, "multipart upload limits")."""

NOT_FOUND, CONFLICT, PRECONDITION_FAILED = 404, 409, 412


@dataclass(frozen=True, slots=True, kw_only=True)
class S3ObjectSettings:
    """Patience, haste and memory.

    Attributes:
        connect_seconds: Longest wait for a connection.
        read_seconds: Longest silence while a request is sent or an answer comes.
        tries: How often one request is sent; errors of the way and "slow down" are tried again, later each time.
        part_bytes: Up to this size an object is sent at once, a longer one in parts of it; at least 5 MiB for S3.
        parallel: Parts on the way at the same time; so many and one more are in memory.
        page_keys: Names in one page of a listing.
    """

    connect_seconds: float = 5.0
    read_seconds: float = 30.0
    tries: int = 4
    part_bytes: int = 16 * MEBIBYTE
    parallel: int = 4
    page_keys: int = 1000

    def part_bytes_of(self, size: int) -> int:
        """Return the size of the parts of an object: longer ones where there would be too many."""
        return max(self.part_bytes, -(-size // (PARTS_MAX * MEBIBYTE)) * MEBIBYTE)


def open_client(place: S3Place, settings: S3ObjectSettings, *, session: Any = None) -> Any:
    """Return a client for the storage of a place; nothing is asked of it yet.

    Args:
        place: See `S3Place`.
        settings: See `S3ObjectSettings`.
        session: A botocore session to share; None for one of this client's own.
    """
    config = Config(
        connect_timeout=settings.connect_seconds,
        read_timeout=settings.read_seconds,
        retries={"mode": "standard", "total_max_attempts": settings.tries},
        max_pool_connections=2 * settings.parallel + 8,
        # The body's SHA-256 is signed, so that every storage checks it, also one that keeps no checksums.
        s3={"payload_signing_enabled": True, "addressing_style": "path" if place.endpoint else "auto"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return (session or get_session()).create_client(
        "s3", region_name=place.region, endpoint_url=place.endpoint, config=config
    )


@contextmanager
def calling(what: str) -> Iterator[None]:
    """Turn every way in which a call fails into one error, without the address, as its text may reach strangers.

    Raises:
        ObjectStoreUnreachable: See above; the cause has the details.
    """
    try:
        yield
    except (BotoCoreError, ClientError, OSError) as error:
        reason = code_of(error) or type(error).__name__
        raise ObjectStoreUnreachable(f"the object store does not do its part for {what}: {reason}") from error


def status_of(error: Any) -> int:
    """Return the HTTP status of a refusal."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def code_of(error: Any) -> str | None:
    """Return the code of a refusal; None when it is none."""
    return str(error.response.get("Error", {}).get("Code")) if isinstance(error, ClientError) else None
