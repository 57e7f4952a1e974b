"""One long object on its way into S3-compatible storage, in parts that travel side by side.

The file is read once, in order: each part's SHA-256 goes with it, and the digest of the whole file is known before the
upload is completed. When it is another one, or anything fails, the upload is aborted, so no object appears; an abort
that fails too leaves parts that `S3Objects.drop_unfinished` removes.
"""

from __future__ import annotations

import base64
import hashlib
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from evidence.errors import ObjectDamaged, ObjectStoreUnreachable
from evidence.objects.s3_client import PRECONDITION_FAILED, S3ObjectSettings, calling, status_of


def checksum_of(digest: bytes, *, parts: int | None = None) -> str:
    """Write a SHA-256 as S3 states checksums; `parts` of an object in parts, whose parts' digests were hashed."""
    text = base64.b64encode(digest).decode("ascii")
    return text if parts is None else f"{text}-{parts}"


def file_checksum(path: Path, *, like: str | None, part_bytes: int) -> str | None:
    """Return the checksum that S3 must state of a file, in the form that it does.

    Args:
        path: The file; read once.
        like: What it states: of the whole object, or of parts; None for none, and then nothing is computed.
        part_bytes: Size of the parts.
    """
    if like is None:
        return None
    with path.open("rb") as file:
        if "-" not in like:
            return checksum_of(hashlib.file_digest(file, "sha256").digest())
        together, parts = hashlib.sha256(), 0
        while data := file.read(part_bytes):
            together.update(hashlib.sha256(data).digest())
            parts += 1
        return checksum_of(together.digest(), parts=parts)


class MultipartUpload:
    """Sends one file; see the module."""

    def __init__(self, client: Any, *, bucket: str, key: str, part_bytes: int, settings: S3ObjectSettings) -> None:
        self._client = client
        self._named = {"Bucket": bucket, "Key": key}
        self._what = f"object {key.rpartition('/')[2]}"
        self._part_bytes = part_bytes
        self._settings = settings

    def send(self, source: Path, *, sha256: str, lock: dict[str, object], condition: dict[str, str]) -> bool:
        """Send a file; False when the condition on what has the name does not hold by now.

        Raises:
            ObjectDamaged: The file has another digest; no object appears.
            ObjectStoreUnreachable: The storage fails; whether the object appeared is to be looked at.
            OSError: The file cannot be read.
        """
        with calling(self._what):
            upload: str = self._client.create_multipart_upload(
                **self._named, ContentType="application/octet-stream", ChecksumAlgorithm="SHA256", **lock
            )["UploadId"]
        with ExitStack() as undo:
            # What was completed and only not reported is not undone by this: S3 knows no such upload any more.
            undo.callback(self._abort, upload)
            complete = self._complete(upload, self._send_parts(source, upload, sha256), condition)
            undo.pop_all()
        return complete

    def _send_parts(self, source: Path, upload: str, sha256: str) -> list[dict[str, object]]:
        whole = hashlib.sha256()
        parts: list[dict[str, object]] = []
        under_way: deque[Future[dict[str, object]]] = deque()
        with source.open("rb") as file, ThreadPoolExecutor(self._settings.parallel) as threads:
            try:
                while data := file.read(self._part_bytes):
                    if len(under_way) == self._settings.parallel:
                        parts.append(under_way.popleft().result())
                    number = len(parts) + len(under_way) + 1
                    under_way.append(threads.submit(self._send_part, upload, number, data))
                    whole.update(data)
                parts += [one.result() for one in under_way]
            finally:
                for one in under_way:
                    one.cancel()
        if whole.hexdigest() != sha256:
            raise ObjectDamaged(f"the bytes of {sha256} that are here are others", sha256=sha256)
        return parts

    def _send_part(self, upload: str, number: int, data: bytes) -> dict[str, object]:
        checksum = checksum_of(hashlib.sha256(data).digest())
        with calling(self._what):
            answer = self._client.upload_part(
                **self._named,
                UploadId=upload,
                PartNumber=number,
                Body=data,
                ChecksumAlgorithm="SHA256",
                ChecksumSHA256=checksum,
            )
        return {"PartNumber": number, "ETag": answer["ETag"], "ChecksumSHA256": checksum}

    def _complete(self, upload: str, parts: list[dict[str, object]], condition: dict[str, str]) -> bool:
        with calling(self._what):
            try:
                self._client.complete_multipart_upload(
                    **self._named, UploadId=upload, MultipartUpload={"Parts": parts}, **condition
                )
            except ClientError as error:
                if status_of(error) == PRECONDITION_FAILED:
                    self._client.abort_multipart_upload(**self._named, UploadId=upload)
                    return False
                raise
        return True

    def _abort(self, upload: str) -> None:
        with suppress(ObjectStoreUnreachable), calling(self._what):
            self._client.abort_multipart_upload(**self._named, UploadId=upload)
