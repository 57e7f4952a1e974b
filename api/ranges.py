"""Byte ranges of one object, by RFC 9110 sections 13.1.5 and 14: a pure decision over header texts and a size.

A single range is answered with exactly what was asked for; an open-ended one reaches to the end and is not cut into
pieces, for a player that wants less closes the connection. A list of ranges, a unit other than `bytes` and a range
whose text is malformed are ignored, as the RFC allows, and the whole object is sent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from api.errors import RangeUnsatisfiable

_RANGE = re.compile(r"bytes=[ \t]*(\d{0,18})-(\d{0,18})[ \t]*", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes `start` up to and without `stop` of an object of `size` bytes."""

    start: int
    stop: int
    size: int

    @property
    def length(self) -> int:
        """Bytes in the span."""
        return self.stop - self.start

    @property
    def content_range(self) -> str:
        """The value of the header `Content-Range` for this span."""
        return f"bytes {self.start}-{self.stop - 1}/{self.size}"


def choose_span(*, range_header: str | None, if_range: str | None, etag: str, size: int) -> Span | None:
    """Decide what part of an object to send; None means the whole.

    Args:
        range_header: The value of `Range`.
        if_range: The value of `If-Range`; only the same strong ETag lets the range stand, a date never does.
        etag: The object's ETag in quotes.
        size: Bytes of the object, at least 1.

    Raises:
        RangeUnsatisfiable: The range begins behind the end, or asks for the last zero bytes.
    """
    if range_header is None or (if_range is not None and if_range.strip() != etag):
        return None
    match = _RANGE.fullmatch(range_header.strip())
    if match is None or match[1] == match[2] == "":
        return None
    if match[1] == "":
        suffix = int(match[2])
        if suffix == 0:
            raise RangeUnsatisfiable("the last zero bytes of an object are no range", size=size)
        return Span(max(0, size - suffix), size, size)
    start = int(match[1])
    last = int(match[2]) if match[2] else size - 1
    if match[2] and last < start:
        return None
    if start >= size:
        raise RangeUnsatisfiable(f"the range begins behind the object's {size} bytes", size=size)
    return Span(start, min(last + 1, size), size)
