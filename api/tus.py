"""Headers of tus 1.0.0, parsed strictly; the protocol's judgement without its I/O.

Source: the tus resumable upload protocol 1.0.0 with the extensions creation, creation-with-upload,
creation-defer-length, checksum, expiration, termination and concatenation. Values of `Upload-Metadata` stay bytes
here: what a name may be is the intake's rule.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from uuid import UUID

from api.errors import HeaderInvalid, TusChecksumUnsupported, TusMetadataInvalid, TusVersionRefused
from ingest.checksum import DIGEST_BYTES, BodyChecksum

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,creation-defer-length,checksum,expiration,termination,concatenation"
CHECKSUM_ALGORITHMS = ",".join(DIGEST_BYTES)
OFFSET_MEDIA_TYPE = "application/offset+octet-stream"

METADATA_BYTES_MAX = 8192
"""Longest `Upload-Metadata` header in bytes; a path of 1,024 bytes takes 1,368 in base64."""

METADATA_KEYS_MAX = 16

_INTEGER = re.compile(r"0|[1-9][0-9]{0,15}")
_UPLOAD_URL = re.compile(r"(?:https?://[^\s/?#]+)?(?:/[^\s?#]*)?/uploads/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
_KEY = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def check_version(headers: Mapping[str, str]) -> None:
    """See that the client speaks our version.

    Raises:
        TusVersionRefused: It says another or none.
    """
    spoken = headers.get("Tus-Resumable")
    if spoken != VERSION:
        raise TusVersionRefused(f"Tus-Resumable has to be {VERSION}", given=(spoken or "")[:40])


def parse_integer(headers: Mapping[str, str], name: str) -> int:
    """Read a header that is a count of bytes: decimal, no sign, no leading zero, below 10**16.

    Raises:
        HeaderInvalid: It is missing or spelled in another way.
    """
    text = headers.get(name)
    if text is None:
        raise HeaderInvalid(f"the header {name} is missing", header=name)
    if not _INTEGER.fullmatch(text):
        raise HeaderInvalid(f"the header {name} is not a number of bytes: {text[:40]!r}", header=name)
    return int(text)


def parse_upload_length(headers: Mapping[str, str]) -> int | None:
    """Read how long an upload will be; None when the client defers saying so.

    Raises:
        HeaderInvalid: Neither or both of `Upload-Length` and `Upload-Defer-Length: 1` are there, or one is malformed.
    """
    if "Upload-Defer-Length" not in headers:
        return parse_integer(headers, "Upload-Length")
    if headers["Upload-Defer-Length"] != "1" or "Upload-Length" in headers:
        raise HeaderInvalid("Upload-Defer-Length is 1 and stands without Upload-Length", header="Upload-Defer-Length")
    return None


@dataclass(frozen=True, slots=True)
class Concat:
    """What an upload is to concatenation: a part (`parts` is None), or what parts, in order, become."""

    parts: tuple[UUID, ...] | None


def parse_concat(headers: Mapping[str, str]) -> Concat | None:
    """Read `Upload-Concat`; None for a file that comes in one piece.

    Raises:
        HeaderInvalid: Neither `partial` nor `final;` and the addresses of uploads here; or a length beside `final`,
            which has that of its parts.
    """
    text = headers.get("Upload-Concat")
    if text is None or text == "partial":
        return None if text is None else Concat(None)
    kind, _, rest = text.partition(";")
    matches = [_UPLOAD_URL.fullmatch(url) for url in rest.split(" ") if url]
    found = [match.group(1) for match in matches if match]
    if kind != "final" or not found or len(found) < len(matches):
        raise HeaderInvalid("Upload-Concat is `partial`, or `final;` and addresses of uploads", header="Upload-Concat")
    if "Upload-Length" in headers or "Upload-Defer-Length" in headers:
        raise HeaderInvalid("a final upload has the length of its parts", header="Upload-Length")
    return Concat(tuple(map(UUID, found)))


def format_concat(concat: Concat, *, base: str) -> str:
    """Write what `parse_concat` reads; `base` is what stands before `/uploads`."""
    if concat.parts is None:
        return "partial"
    return "final;" + " ".join(f"{base}/uploads/{part}" for part in concat.parts)


def parse_checksum(headers: Mapping[str, str]) -> BodyChecksum | None:
    """Read what the sender says its body comes to; None when it says nothing.

    Raises:
        TusChecksumUnsupported: By an algorithm that is not spoken here.
        HeaderInvalid: Not an algorithm, a blank and a digest of its length in base64.
    """
    text = headers.get("Upload-Checksum")
    if text is None:
        return None
    algorithm, _, value = text.partition(" ")
    if algorithm not in DIGEST_BYTES:
        raise TusChecksumUnsupported(f"checksums are taken by {CHECKSUM_ALGORITHMS}, not by {algorithm[:40]!r}")
    try:
        digest = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) != DIGEST_BYTES[algorithm]:
        raise HeaderInvalid(f"Upload-Checksum holds no {algorithm} in base64", header="Upload-Checksum")
    return BodyChecksum(algorithm, digest)


def parse_metadata(text: str) -> dict[str, bytes]:
    """Read `Upload-Metadata`: comma-separated `key base64(value)` pairs, a key without a value meaning the empty text.

    Raises:
        TusMetadataInvalid: Too long, a key that is malformed or given twice, or a value that is not base64 in its one
            spelling.
    """
    if len(text) > METADATA_BYTES_MAX:
        raise TusMetadataInvalid(f"Upload-Metadata has {len(text)} bytes, at most {METADATA_BYTES_MAX} are taken")
    pairs = [] if not text.strip() else text.split(",")
    if len(pairs) > METADATA_KEYS_MAX:
        raise TusMetadataInvalid(f"Upload-Metadata has {len(pairs)} keys, at most {METADATA_KEYS_MAX} are taken")
    metadata: dict[str, bytes] = {}
    for pair in pairs:
        key, _, value = pair.strip(" ").partition(" ")
        if not _KEY.fullmatch(key):
            raise TusMetadataInvalid(f"not a key of Upload-Metadata: {key[:40]!r}")
        if key in metadata:
            raise TusMetadataInvalid(f"Upload-Metadata has the key {key!r} twice")
        metadata[key] = _decode(key, value)
    return metadata


def format_metadata(metadata: Mapping[str, str]) -> str:
    """Write what `parse_metadata` reads; an empty value is written as a key alone."""
    return ",".join(
        f"{key} {base64.b64encode(value.encode()).decode()}" if value else key for key, value in metadata.items()
    )


def expiry_headers(expires_at: datetime | None) -> dict[str, str]:
    """Say when an upload will be closed if nothing comes, as a date of RFC 9110; say nothing when it will not."""
    return {} if expires_at is None else {"Upload-Expires": format_datetime(expires_at, usegmt=True)}


def _decode(key: str, value: str) -> bytes:
    try:
        raw = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise TusMetadataInvalid(f"the value of {key!r} in Upload-Metadata is not base64") from error
    # Spare bits of the last digit give one value several spellings; only zeros there are ours.
    if base64.b64encode(raw).decode() != value:
        raise TusMetadataInvalid(f"the value of {key!r} in Upload-Metadata is not in the one spelling of base64")
    return raw
