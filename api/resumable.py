"""Headers of the IETF's Resumable Uploads for HTTP, interop version 8; the protocol's judgement without its I/O.

Source: draft-ietf-httpbis-resumable-upload. A draft may change, so it is spoken only where the setting
`SHILU_RESUMABLE_UPLOADS` says so, at the addresses of tus; a request with `Tus-Resumable` is always tus. As the draft
demands, a structured field that does not parse counts as absent.

Narrower than the draft in one point: an upload is complete as soon as all announced bytes are there, also when the
client has not said `Upload-Complete: ?1` yet.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from aiohttp import content_disposition_filename, parse_content_disposition

from api.errors import HeaderInvalid

INTEROP_VERSION = "8"
MEDIA_TYPE = "application/partial-upload"
VERSION_HEADER = "Upload-Draft-Interop-Version"

_INTEGER = re.compile(r"(0|[1-9][0-9]{0,14})")
_BOOLEANS = {"?0": False, "?1": True}


def require_version(headers: Mapping[str, str]) -> None:
    """See that the client means this version of the draft.

    Raises:
        HeaderInvalid: It means another, or does not say which.
    """
    meant = headers.get(VERSION_HEADER)
    if meant != INTEROP_VERSION:
        raise HeaderInvalid(f"{VERSION_HEADER} has to be {INTEROP_VERSION}", header=VERSION_HEADER)


def parse_complete(headers: Mapping[str, str]) -> bool:
    """Read whether this request brings the last bytes.

    Raises:
        HeaderInvalid: `Upload-Complete` is missing or no boolean.
    """
    complete = _BOOLEANS.get(headers.get("Upload-Complete", "").strip(" "))
    if complete is None:
        raise HeaderInvalid("Upload-Complete has to be ?0 or ?1", header="Upload-Complete")
    return complete


def parse_count(headers: Mapping[str, str], name: str) -> int | None:
    """Read a header that is a count of bytes; None when it is missing or anything else."""
    match = _INTEGER.fullmatch(headers.get(name, "").strip(" "))
    return None if match is None else int(match[1])


def parse_length(headers: Mapping[str, str], *, offset: int, content_bytes: int | None, complete: bool) -> int | None:
    """Read how long the whole file is; None when nothing says so.

    Args:
        offset: Where this request's bytes begin.
        content_bytes: Length of its body, None when that is not announced.
        complete: Whether it brings the last bytes.

    Raises:
        HeaderInvalid: `Upload-Length` and the end of the last bytes differ.
    """
    stated = parse_count(headers, "Upload-Length")
    implied = offset + content_bytes if complete and content_bytes is not None else None
    if stated is not None and implied is not None and stated != implied:
        raise HeaderInvalid(f"the last bytes end at {implied}, Upload-Length says {stated}", header="Upload-Length")
    return implied if stated is None else stated


def parse_filename(headers: Mapping[str, str]) -> str | None:
    """Read the file's name from `Content-Disposition` (RFC 6266); None when there is none."""
    _, parameters = parse_content_disposition(headers.get("Content-Disposition"))
    return content_disposition_filename(parameters)


def format_complete(*, complete: bool) -> str:
    """Write `Upload-Complete`."""
    return "?1" if complete else "?0"


def format_limit(*, size_max: int, expires_at: datetime | None = None, now: datetime | None = None) -> str:
    """Write `Upload-Limit`: the longest file in bytes, and how many seconds the upload lives."""
    limit = f"max-size={size_max}"
    if expires_at is not None and now is not None:
        limit += f", max-age={max(0, int((expires_at - now).total_seconds()))}"
    return limit
