"""Metadata as headers: `X-Container-Meta-Name: value`, values URL-encoded UTF-8, parsed strictly, spelled in one way.

Names of headers do not tell upper from lower case, so names are lower case here. An empty value, or a header
`X-Remove-Container-Meta-Name`, takes a name away. Limits: `NAMES_MAX` names, `VALUE_BYTES_MAX` bytes a value,
`BYTES_MAX` together, all after decoding.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, unquote_to_bytes

from ingest.swift.errors import SwiftMetadataInvalid

NAMES_MAX = 90
NAME_BYTES_MAX = 128
VALUE_BYTES_MAX = 1024
BYTES_MAX = 8192

CONTAINER, OBJECT = "Container", "Object"

_NAME = re.compile(r"[a-z0-9!#$&'*+.^_`|~-]+")
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def parse_metadata(headers: Iterable[tuple[str, str]], level: str) -> dict[str, str]:
    """Read what a request says about a container or object; a name with an empty value is to be taken away.

    Args:
        headers: All of the request's, in order.
        level: `CONTAINER` or `OBJECT`.

    Raises:
        SwiftMetadataInvalid: See the front page.
    """
    given, gone = f"x-{level}-meta-".lower(), f"x-remove-{level}-meta-".lower()
    metadata: dict[str, str] = {}
    for header, value in headers:
        lower = header.lower()
        if lower.startswith(given):
            name, text = lower.removeprefix(given), _decode(value)
        elif lower.startswith(gone):
            name, text = lower.removeprefix(gone), ""
        else:
            continue
        if not _NAME.fullmatch(name) or len(name) > NAME_BYTES_MAX:
            raise SwiftMetadataInvalid(f"not a name of metadata: {name[:40]!r}")
        if name in metadata:
            raise SwiftMetadataInvalid(f"{name!r} is given twice")
        metadata[name] = text
    check_size(metadata)
    return metadata


def check_size(metadata: Mapping[str, str]) -> None:
    """See that metadata are not too many.

    Raises:
        SwiftMetadataInvalid: They are.
    """
    size = sum(len(name) + len(text.encode()) for name, text in metadata.items())
    if len(metadata) > NAMES_MAX or size > BYTES_MAX:
        raise SwiftMetadataInvalid(f"at most {NAMES_MAX} metadata of {BYTES_MAX} bytes together are taken", bytes=size)


def merge(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    """Return metadata after an update: what is given replaces, what is empty goes, the rest stays.

    Raises:
        SwiftMetadataInvalid: They are too many together.
    """
    merged = {name: text for name, text in {**old, **new}.items() if text}
    check_size(merged)
    return merged


def format_metadata(metadata: Mapping[str, str], level: str) -> dict[str, str]:
    """Write what `parse_metadata` reads; nothing in it can end a header."""
    return {f"X-{level}-Meta-{name.title()}": quote(text, safe=" :/,;=+@()") for name, text in metadata.items()}


def _decode(value: str) -> str:
    if _BROKEN_ESCAPE.search(value):
        raise SwiftMetadataInvalid("a value has a percent sign that begins no escape")
    try:
        # What is not ASCII on the wire reaches us with its bytes escaped as surrogates.
        text = unquote_to_bytes(value.encode("utf-8", "surrogateescape")).decode("utf-8")
    except UnicodeError as error:
        raise SwiftMetadataInvalid("a value is not UTF-8") from error
    if len(text.encode()) > VALUE_BYTES_MAX or _CONTROL.search(text):
        raise SwiftMetadataInvalid(f"a value has control characters or more than {VALUE_BYTES_MAX} bytes")
    return text
