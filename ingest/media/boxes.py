"""The outermost boxes of an MP4 or QuickTime file (ISO/IEC 14496-12, 4.2), read without any media library.

They tell two things before anything is decoded: whether the file is as long as it says, and why a file that cannot be
opened cannot be. A recorder that loses power leaves `ftyp` and `mdat` without the `moov` it writes last.

Nothing is trusted: a walk ends at the first box that makes no sense, and after `BOXES_MAX` boxes.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

BOXES_MAX = 10_000
_KNOWN = frozenset((b"ftyp", b"moov", b"mdat", b"moof", b"free", b"skip", b"wide", b"pnot", b"udta", b"uuid", b"sidx"))
_KNOWN_ANYWHERE = _KNOWN | {b"mfra", b"styp", b"meta", b"emsg", b"prft", b"ssix", b"PICT", b"pdin"}

ReadAt = Callable[[int, int], bytes]
"""Takes an offset and a count, returns that many bytes or fewer at the end of the file."""


@dataclass(frozen=True, slots=True)
class Outline:
    """What the outermost boxes say.

    Attributes:
        kinds: Kinds of the boxes in order, runs of the same kind given once.
        missing_bytes: How many bytes the last box lacks.
    """

    kinds: tuple[str, ...]
    missing_bytes: int

    @property
    def fragmented(self) -> bool:
        """Whether movie fragments follow."""
        return "moof" in self.kinds

    @property
    def photograph(self) -> bool:
        """Whether it holds items and no tracks: a HEIF still (ISO/IEC 23008-12)."""
        return "meta" in self.kinds and "moov" not in self.kinds and not self.fragmented

    @property
    def index_first(self) -> bool:
        """Whether the index stands before the media."""
        media = [self.kinds.index(kind) for kind in ("mdat", "moof") if kind in self.kinds]
        return "moov" in self.kinds and (not media or self.kinds.index("moov") < min(media))

    @property
    def index_lost(self) -> bool:
        """Whether there is media but no index to read it by."""
        return "mdat" in self.kinds and "moov" not in self.kinds and not self.fragmented


def outline(read_at: ReadAt, size: int) -> Outline | None:
    """Walk the outermost boxes of a file of `size` bytes; None if it does not begin like one of this family."""
    kinds: list[str] = []
    offset = 0
    for _ in range(BOXES_MAX):
        if offset >= size:
            break
        head = read_at(offset, 16)
        length, kind = _length(head, size - offset), head[4:8]
        if length is None or kind not in (_KNOWN_ANYWHERE if kinds else _KNOWN):
            break
        if not kinds or kinds[-1] != kind.decode("ascii"):
            kinds.append(kind.decode("ascii"))
        offset += length
    return Outline(kinds=tuple(kinds), missing_bytes=max(0, offset - size)) if kinds else None


def _length(head: bytes, rest: int) -> int | None:
    if len(head) < 8:
        return None
    (length,) = struct.unpack_from(">I", head)
    if length == 0:  # to the end of the file
        return rest
    if length == 1:
        (length,) = struct.unpack_from(">Q", head, 8) if len(head) == 16 else (0,)
        return length if length >= 16 else None
    return length if length >= 8 else None
