"""Removal of an object from a bucket, for disposal alone: every version of it, and none before its lock has ended.

A bucket that keeps versions hides an object behind a marker when it is deleted by name; the bytes stay. So versions
are deleted one by one, by their own names, markers too. A lock counts in either mode, and so does a legal hold of the
storage, which has no end: nobody here goes round them, whatever rights the key has. Nothing is deleted while one
version is locked.

Rights needed below the prefix besides those of `s3`: DeleteObject, DeleteObjectVersion, ListBucketVersions.
Source: Amazon S3 API reference ("deleting object versions", "Object Lock").
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from evidence.errors import ObjectLocked
from evidence.objects.s3_client import NOT_FOUND, calling, code_of, status_of

NEVER = datetime.max.replace(tzinfo=UTC, microsecond=0)
"""End of a legal hold in the storage: whoever placed it there has to lift it."""


def locked_until(client: Any, bucket: str, key: str) -> datetime | None:
    """Return the end of the last lock on any version of an object; None when it may go, or is not there.

    A lock whose end has passed by the storage's own word is no lock any more.

    Raises:
        ObjectStoreUnreachable: Nobody can tell now.
    """
    ends = [end for version in _versions(client, bucket, key) if (end := _lock_of(client, bucket, key, version))]
    return max(ends, default=None)


def destroy(client: Any, bucket: str, key: str, *, now: datetime) -> bool:
    """Remove every version of an object; True when there was any. The call can be made again.

    Raises:
        ObjectLocked: A version is locked; nothing was removed. `details["until"]` is the last end.
        ObjectStoreUnreachable: Some may be left.
    """
    versions = list(_versions(client, bucket, key, markers=True))
    until = locked_until(client, bucket, key)
    if until is not None and until > now:
        name = key.rpartition("/")[2]
        raise ObjectLocked(f"object {name} is locked until {until:%Y-%m-%d %H:%M} UTC", until=until.isoformat())
    for version in versions:
        with calling(key.rpartition("/")[2]):
            client.delete_object(Bucket=bucket, Key=key, VersionId=version)
    return bool(versions)


def _versions(client: Any, bucket: str, key: str, *, markers: bool = False) -> Iterator[str]:
    more: dict[str, str] = {}
    while True:
        with calling("its versions"):
            page = client.list_object_versions(Bucket=bucket, Prefix=key, **more)
        for item in (*page.get("Versions", ()), *(page.get("DeleteMarkers", ()) if markers else ())):
            if item["Key"] == key:
                yield item["VersionId"]
        if not page.get("IsTruncated"):
            return
        more = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}


def _lock_of(client: Any, bucket: str, key: str, version: str) -> datetime | None:
    with calling(key.rpartition("/")[2]):
        try:
            answer = client.head_object(Bucket=bucket, Key=key, VersionId=version)
        except ClientError as error:
            if status_of(error) == NOT_FOUND and code_of(error) != "NoSuchBucket":
                return None
            raise
    if answer.get("ObjectLockLegalHoldStatus") == "ON":
        return NEVER
    until: datetime | None = answer.get("ObjectLockRetainUntilDate")
    return until
