"""Names of files as a recorder has them: any bytes but NUL, one spelling each, never out of their folder.

A path is relative, POSIX, at most 1,024 bytes as UTF-8. Nothing is normalised: what the recorder wrote is what the
ledger keeps. A name whose bytes are not UTF-8 travels escaped and is flagged `raw`: every byte from 0x80 up and every
`%` is written as `%XX` (upper case). Only such names may be flagged, so no file has two spellings.
"""

from __future__ import annotations

import re

from evidence.errors import WireLimit, WirePath

PATH_BYTES_MAX = 1024
"""Longest path in bytes of its UTF-8 form, escapes included."""

_RAW = re.compile(r"(?:[^%\x80-\U0010ffff]|%[0-9A-F]{2})*")


def escape_path(path: bytes) -> tuple[str, bool]:
    """Return the written form of a path and whether it is `raw`.

    Args:
        path: Relative path in the bytes of the file system, separated by `/` (see `os.fsencode`).

    Raises:
        WirePath: It leaves its folder, is absolute, empty or holds a NUL.
        WireLimit: It is too long.
    """
    try:
        text, raw = path.decode("utf-8"), False
    except UnicodeDecodeError:
        text, raw = _escape(path), True
    check_path(text, raw=raw)
    return text, raw


def unescape_path(text: str, *, raw: bool) -> bytes:
    """Return the bytes of the file system that `escape_path` was given.

    Raises:
        WirePath: It is not what `escape_path` writes.
        WireLimit: It is too long.
    """
    check_path(text, raw=raw)
    return _unescape(text) if raw else text.encode("utf-8")


def check_path(text: str, *, raw: bool) -> None:
    """Refuse whatever `escape_path` does not write.

    Raises:
        WirePath: It leaves its folder, is absolute, empty, holds a NUL, or has another spelling.
        WireLimit: It is too long.
    """
    try:
        length = len(text.encode("utf-8"))
    except UnicodeEncodeError as error:
        raise WirePath("the path holds a lone surrogate") from error
    if length > PATH_BYTES_MAX:
        raise WireLimit(f"the path has {length} bytes, at most {PATH_BYTES_MAX} are allowed")
    if "\0" in text:
        raise WirePath("the path holds a NUL")
    # An empty part stands for an absolute path, a doubled or a final slash; all of them are second spellings.
    if not {"", ".", ".."}.isdisjoint(text.split("/")):
        raise WirePath(f"the path is empty, absolute or leaves its folder: {text[:80]!r}")
    if raw:
        _check_escapes(text)


def _check_escapes(text: str) -> None:
    if not _RAW.fullmatch(text):
        raise WirePath("a raw path holds something that should be escaped")
    path = _unescape(text)
    if b"\0" in path:
        raise WirePath("the path holds an escaped NUL")
    try:
        path.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        raise WirePath("a path that is UTF-8 may not be flagged raw")
    if _escape(path) != text:
        raise WirePath("a raw path escapes what needs no escape")


def _escape(path: bytes) -> str:
    return "".join(chr(byte) if byte < 0x80 and byte != 0x25 else f"%{byte:02X}" for byte in path)


def _unescape(text: str) -> bytes:
    return re.sub(rb"%([0-9A-F]{2})", lambda match: bytes.fromhex(match[1].decode()), text.encode("ascii"))
