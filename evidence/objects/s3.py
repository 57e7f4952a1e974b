"""Objects in S3-compatible storage: `<prefix>/sha256/<64 hex digits>`, created once, checked by the storage, locked.

What a folder's file system promises, the storage does:

    write-once name    PUT, or the completion of a multipart upload, with `If-None-Match: *`
    whole or not       an object appears with its last byte; parts that were never completed are no object
    right bytes        SHA-256 of the object (in parts: of every part) travels along and is checked over there; the
                       digest of the whole file is computed on the way and compared before the object appears
    kept               Object Lock in compliance mode until a time that is only ever moved on

A checksum is what S3 states: base64 of the SHA-256, or for an object in parts base64 of the SHA-256 over the parts'
SHA-256, `-` and their number. Whoever has the bytes and the size of the parts can compute it.

Crash story of `copy_in`:

    before the object appears       parts without an object; the next sweep (`drop_unfinished`) removes them
    after it, before the lock       an object without a lock; the same call again finds it, compares it and locks it
    after the lock, unreported      the same call again changes nothing

Another object under the name, or one with another checksum, is `ObjectDamaged` and left as it is. Reading trusts
nobody: what is fetched whole is hashed before it gets its name. Memory: `parallel + 1` parts, however long the object.

Rights needed below the prefix: GetObject, PutObject, ListBucket, AbortMultipartUpload, ListBucketMultipartUploads, and
with a lock PutObjectRetention, GetObjectRetention, GetBucketObjectLockConfiguration. Only disposal needs more, see
`s3_removal`.

Source: Amazon S3 API reference ("conditional requests", "checking object integrity", "Object Lock").
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from evidence.errors import ObjectDamaged, ObjectMissing, ObjectStoreUnsuitable
from evidence.objects.s3_client import (
    CONFLICT,
    NOT_FOUND,
    PRECONDITION_FAILED,
    S3ObjectSettings,
    calling,
    code_of,
    open_client,
    status_of,
)
from evidence.objects.s3_removal import destroy, locked_until
from evidence.objects.s3_upload import MultipartUpload, checksum_of, file_checksum
from evidence.objects.store import StoredObject, is_name, require_name
from ledger.durable import TEMPORARY_PREFIX, make_folders, publish_file
from ledger.s3_place import S3Place

_FOLDER = "sha256/"
_PROBE = ".conditions"
_READ_BYTES = 1_048_576
_LOCK_MODE = "COMPLIANCE"
_NO_VERSION = "null"
"""What storages call the only version in a bucket that keeps none."""

_UNLESS_TAKEN = {"IfNoneMatch": "*"}
_LOCK_SLACK = timedelta(seconds=1)
"""Storages keep the time of a lock in whole seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCopy:
    """An object as the storage describes it.

    Attributes:
        size: Bytes.
        checksum: As the storage states it, see the module; None when it keeps none.
        version: The storage's name for these bytes; None in a bucket without versions.
        retained_until: End of its lock in compliance mode; None without one.
    """

    size: int
    checksum: str | None
    version: str | None
    retained_until: datetime | None


class S3Objects:
    """An object store in a bucket. Any number of processes may share it.

    Args:
        place: The bucket, which must exist, and the prefix.
        fetched: Local folder for objects that are read whole; made if it is missing.
        settings: See `S3ObjectSettings`.
        session: A botocore session to share; None for one of this store's own.
    """

    def __init__(
        self, place: S3Place, *, fetched: Path, settings: S3ObjectSettings | None = None, session: Any = None
    ) -> None:
        self.place = place
        self._settings = settings or S3ObjectSettings()
        self._fetched = fetched
        self._client = open_client(place, self._settings, session=session)
        make_folders(fetched)

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def require_suitable(self, *, locks: bool) -> None:
        """See that the bucket keeps the promises of the module's front page.

        Args:
            locks: Whether Object Lock is asked for.

        Raises:
            ObjectStoreUnsuitable: It does not.
            ObjectStoreUnreachable: Nobody can tell now.
        """
        key = self.place.key(_PROBE)
        self._create(key, b"")
        if self._create(key, b""):
            raise ObjectStoreUnsuitable("the object store ignores If-None-Match, so an object could be replaced")
        if locks and not self._has_object_lock():
            raise ObjectStoreUnsuitable("the bucket has no Object Lock, so copies could be deleted before their time")

    # The interface of every store

    def adopt(self, source: Path, sha256: str) -> None:
        """See `ObjectStore.adopt`."""
        require_name(sha256)
        try:
            self.copy_in(source, sha256)
        except FileNotFoundError:
            # A call that was cut off after its last step is made again: the object is there, the source is gone.
            if source.exists() or not self.exists(sha256):
                raise
            return
        source.unlink(missing_ok=True)

    def put(self, data: bytes) -> str:
        """See `ObjectStore.put`."""
        digest = hashlib.sha256(data)
        key = self._key(digest.hexdigest())
        if not self._create(key, data):
            self._require_same(digest.hexdigest(), size=len(data), checksum=checksum_of(digest.digest()))
        return digest.hexdigest()

    def open_path(self, sha256: str) -> Path:
        """See `ObjectStore.open_path`."""
        path = self._fetched / require_name(sha256)
        if not path.is_file():
            self.fetch(sha256, path)
        os.utime(path)
        return path

    def exists(self, sha256: str) -> bool:
        """See `ObjectStore.exists`."""
        return self.look(sha256) is not None

    def size(self, sha256: str) -> int:
        """See `ObjectStore.size`."""
        found = self.look(sha256)
        if found is None:
            raise _missing(sha256)
        return found.size

    def list(self) -> Iterator[StoredObject]:
        """See `ObjectStore.list`."""
        start = self.place.key(_FOLDER)
        more: dict[str, str] = {}
        while True:
            with calling("its list"):
                page = self._client.list_objects_v2(
                    Bucket=self.place.bucket, Prefix=start, MaxKeys=self._settings.page_keys, **more
                )
            for item in page.get("Contents", ()):
                name = item["Key"].removeprefix(start)
                if is_name(name):
                    yield StoredObject(sha256=name, size=item["Size"])
            if not page.get("IsTruncated"):
                return
            more = {"ContinuationToken": page["NextContinuationToken"]}

    # Copies

    def copy_in(self, source: Path, sha256: str, *, retain_until: datetime | None = None) -> StoredCopy:
        """Keep a copy of a file under its digest; the same again changes nothing but a lock that ends too early.

        Args:
            source: The file; it is only read.
            sha256: Its digest, which is computed again on the way.
            retain_until: The lock must not end before; None for no lock.

        Raises:
            ObjectDamaged: The file has another digest, or there are other bytes under the name; nothing is touched.
            ObjectStoreUnreachable: The same call again goes on.
            ObjectStoreUnsuitable: The storage did not keep the lock.
            OSError: The file cannot be read.
        """
        stored = self.look(sha256)
        if stored is None:
            self._send(source, sha256, retain_until, condition=_UNLESS_TAKEN)
            # What the storage says of it counts, also when somebody else was faster.
            stored = self.look(sha256)
        size = source.stat().st_size
        part_bytes = self._settings.part_bytes_of(size)
        checksum = stored.checksum if stored else None
        self._require_same(sha256, size=size, checksum=file_checksum(source, like=checksum, part_bytes=part_bytes))
        return self.retain(sha256, retain_until) if retain_until else self._look_again(sha256)

    def copy_anew(self, source: Path, sha256: str, *, over: str, retain_until: datetime | None = None) -> StoredCopy:
        """Keep a copy of a file as the newest version over a damaged one, which the storage keeps behind it.

        Args:
            source, retain_until: See `copy_in`.
            over: The version that is damaged; when it is not the present one, nothing is written over.

        Raises:
            ObjectDamaged: The file has another digest; or the present version is another one, and damaged too.
            ObjectStoreUnsuitable: The bucket keeps no versions, so that the damaged bytes would be lost.
            ObjectStoreUnreachable, OSError: See `copy_in`.
        """
        with calling(f"object {sha256}"):
            answer = self._client.head_object(Bucket=self.place.bucket, Key=self._key(sha256))
        version = answer.get("VersionId")
        if version in (None, _NO_VERSION):
            raise ObjectStoreUnsuitable("the bucket keeps no versions: writing anew would destroy what is there")
        if version == over:
            self._send(source, sha256, retain_until, condition={"IfMatch": answer["ETag"]})
        return self.copy_in(source, sha256, retain_until=retain_until)

    def retain(self, sha256: str, until: datetime) -> StoredCopy:
        """See that an object's lock does not end before a time; a later end is left as it is.

        Raises:
            ObjectMissing, ObjectStoreUnreachable: See `size`.
            ObjectStoreUnsuitable: It still ends before.
        """
        stored = self._look_again(sha256)
        if not _ends_before(stored.retained_until, until):
            return stored
        with calling(f"object {sha256}"):
            self._client.put_object_retention(
                Bucket=self.place.bucket,
                Key=self._key(sha256),
                Retention={"Mode": _LOCK_MODE, "RetainUntilDate": until},
                ChecksumAlgorithm="SHA256",
                **({"VersionId": stored.version} if stored.version else {}),
            )
        stored = self._look_again(sha256)
        if _ends_before(stored.retained_until, until):
            raise ObjectStoreUnsuitable(f"the object store did not lock {sha256} until {until}", sha256=sha256)
        return stored

    def look(self, sha256: str, *, version: str | None = None) -> StoredCopy | None:
        """Return what the storage says of an object, of its present version by default; None when there is none.

        Raises:
            ObjectStoreUnreachable: Nobody can tell now.
        """
        named = {"VersionId": version} if version else {}
        with calling(f"object {sha256}"):
            try:
                answer = self._client.head_object(
                    Bucket=self.place.bucket, Key=self._key(sha256), ChecksumMode="ENABLED", **named
                )
            except ClientError as error:
                # Of a version that is a deletion S3 says 405.
                if status_of(error) in (NOT_FOUND, 405) and code_of(error) != "NoSuchBucket":
                    return None
                raise
        is_kept = answer.get("ObjectLockMode") == _LOCK_MODE
        return StoredCopy(
            size=answer["ContentLength"],
            checksum=answer.get("ChecksumSHA256"),
            version=answer.get("VersionId"),
            retained_until=answer.get("ObjectLockRetainUntilDate") if is_kept else None,
        )

    def read(self, sha256: str, *, start: int, end: int) -> bytes:
        """Return the bytes from `start` up to `end` as they lie there; nothing says yet that they are the right ones.

        Raises:
            ObjectMissing: There is no such object.
            ObjectDamaged: It ends before `end`.
            ObjectStoreUnreachable: It cannot be read now.
        """
        if start >= end:
            return b""
        with calling(f"object {sha256}"):
            data: bytes = self._get(sha256, Range=f"bytes={start}-{end - 1}").read()
        if len(data) != end - start:
            raise ObjectDamaged(f"object {sha256} ends before byte {end}", sha256=sha256)
        return data

    def digest(self, sha256: str) -> str:
        """Read an object whole and return the SHA-256 of what came, in hex; it is kept nowhere.

        Raises:
            ObjectMissing, ObjectStoreUnreachable: See `read`.
        """
        whole = hashlib.sha256()
        for piece in self._pieces(sha256):
            whole.update(piece)
        return whole.hexdigest()

    def fetch(self, sha256: str, target: Path, *, version: str | None = None) -> None:
        """Bring an object to a local file, which appears when it is whole and its digest was compared.

        Args:
            version: Which of its versions; None for the present one.

        Raises:
            ObjectMissing, ObjectStoreUnreachable: See `read`.
            ObjectDamaged: It has another digest; nothing appears.
            OSError: The disk refused.
        """
        temporary = target.parent / f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}"
        whole = hashlib.sha256()
        try:
            with temporary.open("xb") as file:
                for piece in self._pieces(sha256, version=version):
                    whole.update(piece)
                    file.write(piece)
            if whole.hexdigest() != sha256:
                raise ObjectDamaged(f"the copy of {sha256} holds {whole.hexdigest()}", sha256=sha256)
            with suppress(FileExistsError):
                publish_file(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)

    def locked_until(self, sha256: str) -> datetime | None:
        """Return the end of the last lock on any version of an object; None when it may go. See `s3_removal`."""
        return locked_until(self._client, self.place.bucket, self._key(sha256))

    def destroy(self, sha256: str, *, now: datetime) -> bool:
        """Remove every version of an object, and what was fetched of it; see `s3_removal.destroy`."""
        removed = destroy(self._client, self.place.bucket, self._key(sha256), now=now)
        (self._fetched / sha256).unlink(missing_ok=True)
        return removed

    def drop_unfinished(self, *, before: datetime) -> int:
        """Abort multipart uploads that were begun before a time and never ended; return how many those were.

        Raises:
            ObjectStoreUnreachable: Some may be left.
        """
        dropped, more = 0, dict[str, str]()
        while True:
            with calling("its unfinished uploads"):
                page = self._client.list_multipart_uploads(
                    Bucket=self.place.bucket, Prefix=self.place.key(_FOLDER), **more
                )
                for upload in page.get("Uploads", ()):
                    if upload["Initiated"] < before:
                        self._client.abort_multipart_upload(
                            Bucket=self.place.bucket, Key=upload["Key"], UploadId=upload["UploadId"]
                        )
                        dropped += 1
            if not page.get("IsTruncated"):
                return dropped
            more = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}

    def drop_fetched(self, *, before: datetime) -> int:
        """Remove local files of objects that nobody has opened since a time; return how many those were."""
        dropped = 0
        for path in self._fetched.iterdir():
            # Another process may tidy at the same moment.
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < before.timestamp():
                    path.unlink()
                    dropped += 1
        return dropped

    def _send(self, source: Path, sha256: str, retain_until: datetime | None, *, condition: dict[str, str]) -> None:
        """Send a file, at once or in parts; without effect when the condition does not hold any more."""
        key, size = self._key(sha256), source.stat().st_size
        part_bytes = self._settings.part_bytes_of(size)
        if size <= part_bytes:
            data = source.read_bytes()
            if hashlib.sha256(data).hexdigest() != sha256:
                raise ObjectDamaged(f"the bytes of {sha256} that are here are others", sha256=sha256)
            self._create(key, data, retain_until, condition=condition)
            return
        upload = MultipartUpload(
            self._client, bucket=self.place.bucket, key=key, part_bytes=part_bytes, settings=self._settings
        )
        upload.send(source, sha256=sha256, lock=_lock(retain_until), condition=condition)

    def _key(self, sha256: str) -> str:
        return self.place.key(_FOLDER + require_name(sha256))

    def _create(
        self,
        key: str,
        data: bytes,
        retain_until: datetime | None = None,
        *,
        condition: dict[str, str] = _UNLESS_TAKEN,
    ) -> bool:
        """Create an object; False when the condition does not hold, by default when the name is taken."""
        with calling(key.rpartition("/")[2]):
            try:
                self._client.put_object(
                    Bucket=self.place.bucket,
                    Key=key,
                    Body=data,
                    ContentType="application/octet-stream",
                    ChecksumSHA256=checksum_of(hashlib.sha256(data).digest()),
                    ChecksumAlgorithm="SHA256",
                    **condition,
                    **_lock(retain_until),
                )
            except ClientError as error:
                # Of two at the same moment one may hear of the other instead of of the object.
                if status_of(error) == PRECONDITION_FAILED or (status_of(error) == CONFLICT and self._is_there(key)):
                    return False
                raise
        return True

    def _is_there(self, key: str) -> bool:
        page = self._client.list_objects_v2(Bucket=self.place.bucket, Prefix=key, MaxKeys=1)
        return bool(page.get("Contents"))

    def _look_again(self, sha256: str) -> StoredCopy:
        stored = self.look(sha256)
        if stored is None:
            raise _missing(sha256)
        return stored

    def _require_same(self, sha256: str, *, size: int, checksum: str | None) -> None:
        """See that what lies under a name is what is to lie there; read it whole where its checksum does not say so.

        A storage may keep none, and somebody else may have sent it in parts of another size.
        """
        stored = self._look_again(sha256)
        if stored.size != size:
            message = f"object {sha256} has {stored.size} bytes where {size} belong"
            raise ObjectDamaged(message, sha256=sha256, size=stored.size)
        if (checksum is None or stored.checksum != checksum) and self.digest(sha256) != sha256:
            raise ObjectDamaged(f"object {sha256} holds other bytes", sha256=sha256)

    def _get(self, sha256: str, **arguments: str) -> Any:
        try:
            answer = self._client.get_object(Bucket=self.place.bucket, Key=self._key(sha256), **arguments)
        except ClientError as error:
            if status_of(error) == NOT_FOUND and code_of(error) != "NoSuchBucket":
                raise _missing(sha256) from error
            raise
        return answer["Body"]

    def _pieces(self, sha256: str, *, version: str | None = None) -> Iterator[bytes]:
        named = {"VersionId": version} if version else {}
        with calling(f"object {sha256}"):
            body = self._get(sha256, **named)
        try:
            while True:
                with calling(f"object {sha256}"):
                    piece: bytes = body.read(_READ_BYTES)
                if not piece:
                    return
                yield piece
        finally:
            body.close()

    def _has_object_lock(self) -> bool:
        with calling("its lock"):
            try:
                answer = self._client.get_object_lock_configuration(Bucket=self.place.bucket)
            except ClientError as error:
                if status_of(error) == NOT_FOUND and code_of(error) != "NoSuchBucket":
                    return False
                raise
        return bool(answer.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") == "Enabled")


def _lock(until: datetime | None) -> dict[str, object]:
    return {} if until is None else {"ObjectLockMode": _LOCK_MODE, "ObjectLockRetainUntilDate": until}


def _ends_before(end: datetime | None, until: datetime) -> bool:
    return end is None or end < until - _LOCK_SLACK


def _missing(sha256: str) -> ObjectMissing:
    return ObjectMissing(f"there is no object {sha256}", sha256=sha256)
