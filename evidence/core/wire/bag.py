"""BagIt 1.0 (RFC 8493): lists of files with their digests, and the few words around them. Pure.

```
bagit.txt                  the version, byte for byte as the RFC has it
bag-info.txt               Label: value; what the bag is, and its own time
manifest-sha256.txt        <64 hex>  <path>, one line a file below data/, in order of paths
tagmanifest-sha256.txt     the same of the files beside data/, itself left out
checksums-sm3.txt          the same form with SM3, where it is known; not called a manifest, for no bag tool knows SM3
```

Own writer, checked by the `bagit` package in tests: that one copies and hashes everything itself, and takes no digests
that are known already. Paths are UTF-8 with `/`, and `%`, CR and LF are written as `%25`, `%0D` and `%0A`.

Limits: 64 MiB a list, 200,000 lines, 1,000 bytes a path; a path that leaves the bag, is written in two ways or comes
twice is refused, the whole list with it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from evidence.errors import WireLimit, WireMalformed

BAGIT_NAME: Final = "bagit.txt"
INFO_NAME: Final = "bag-info.txt"
MANIFEST_NAME: Final = "manifest-sha256.txt"
TAG_MANIFEST_NAME: Final = "tagmanifest-sha256.txt"
SM3_NAME: Final = "checksums-sm3.txt"
TRACE_NAME: Final = "export.trace"
"""Receipt of the entry that says the bag was handed out; it commits to the manifest."""

PAYLOAD_FOLDER: Final = "data/"
BAGIT_TEXT: Final = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"

LIST_BYTES_MAX: Final = 64 * 1024 * 1024
LINES_MAX: Final = 200_000
PATH_BYTES_MAX: Final = 1000

_LINE = re.compile(r"([0-9a-f]{64})  (\S.*)")
_CODED = re.compile(r"%(?:25|0D|0A)", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def format_manifest(digests: Mapping[str, bytes]) -> bytes:
    """Write a list of files, path -> 32-byte digest, in order of paths."""
    return "".join(f"{digest.hex()}  {_coded(path)}\n" for path, digest in sorted(digests.items())).encode()


def parse_manifest(raw: bytes) -> dict[str, bytes]:
    """Read a list of files, path -> 32-byte digest.

    Raises:
        WireLimit: It is longer than the limits.
        WireMalformed: A line is no digest and path, or a path leaves the bag or comes twice.
    """
    if len(raw) > LIST_BYTES_MAX:
        raise WireLimit(f"more than {LIST_BYTES_MAX} bytes")
    try:
        lines = raw.decode().split("\n")
    except UnicodeDecodeError as error:
        raise WireMalformed("the list is not UTF-8") from error
    if lines.pop():
        raise WireMalformed("the list does not end with a line feed")
    if len(lines) > LINES_MAX:
        raise WireLimit(f"more than {LINES_MAX} lines")
    digests: dict[str, bytes] = {}
    for number, line in enumerate(lines, 1):
        match = _LINE.fullmatch(line)
        if match is None:
            raise WireMalformed(f"line {number} of the list is no digest and path")
        path = _decoded(match[2], number)
        if path in digests:
            raise WireMalformed(f"line {number} of the list names a file for the second time")
        digests[path] = bytes.fromhex(match[1])
    return digests


def format_info(labels: Sequence[tuple[str, str]]) -> bytes:
    """Write `bag-info.txt`; line breaks in people's words become blanks, or they could begin another label."""
    return "".join(f"{label}: {' '.join(value.split())}\n" for label, value in labels).encode()


def payload_oxum(sizes: Mapping[str, int]) -> str:
    """Return bytes and number of the payload's files as bag tools read them."""
    payload = [size for path, size in sizes.items() if path.startswith(PAYLOAD_FOLDER)]
    return f"{sum(payload)}.{len(payload)}"


def _coded(path: str) -> str:
    return path.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _decoded(coded: str, number: int) -> str:
    if "%" in _CODED.sub("", coded):
        raise WireMalformed(f"line {number} of the list has a path with a bare per cent sign")
    path = _CODED.sub(lambda match: chr(int(match[0][1:], 16)), coded)
    parts = path.split("/")
    if _coded(path) != coded or len(path.encode()) > PATH_BYTES_MAX or _CONTROL.search(path):
        raise WireMalformed(f"line {number} of the list has a path in a form of its own")
    if any(part in {"", ".", ".."} for part in parts) or "\\" in path or ":" in parts[0]:
        raise WireMalformed(f"line {number} of the list has a path that leads out of the bag")
    return path
