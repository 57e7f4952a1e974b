"""Two rules over the pictures of a track, in decoding order: their count (H.264), and what they lean on (H.265)."""

from __future__ import annotations

from dataclasses import dataclass, field

from ingest.media.continuity.observation import Notebook
from ingest.media.continuity.pictures import Picture

DECODED_BUFFER_MAX = 32


@dataclass(slots=True)
class Count:
    """H.264's `frame_num` goes up by one from reference picture to reference picture (7.4.3)."""

    notebook: Notebook
    _before: int | None = None
    _was_reference: bool = False

    def take(self, picture: Picture) -> None:
        """Compare a picture with the reference picture before it."""
        limit, before = picture.frame_num_max, self._before
        if not limit:
            return
        if picture.opens:
            before = 0
        elif before is not None:
            missing = (picture.frame_num - before - 1) % limit
            repeated = picture.frame_num == before
            if repeated and picture.reference and self._was_reference:
                self.notebook.note("bitstream.frame_repeated", picture.where, number=picture.frame_num)
            elif missing and not repeated:
                code = "bitstream.frame_gap_allowed" if picture.gaps_allowed else "bitstream.frame_gap"
                expected = (before + 1) % limit
                self.notebook.note(
                    code, picture.where, number=picture.frame_num, expected=expected, missing_modulo=missing
                )
                before = (picture.frame_num - 1) % limit
        else:
            before = (picture.frame_num - 1) % limit
        self._was_reference = picture.reference
        if picture.reference:
            before = picture.frame_num
            if picture.resets is None:
                before = None
            elif picture.resets:
                before = 0
        self._before = before


@dataclass(slots=True)
class References:
    """What an H.265 picture leans on has come and was kept (8.3.2)."""

    notebook: Notebook
    _kept: set[int] = field(default_factory=set)
    _first: bool = True
    _fresh: bool = True  # what leads the full picture of late leans on what nobody has

    def take(self, picture: Picture) -> None:
        """Look for what a picture leans on among those that were kept."""
        if picture.order is None or picture.frame_num_max:
            return
        if picture.opens:
            self._kept = set()
            self._fresh = True
        elif not self._first and not (picture.leads and self._fresh):
            for order in sorted(picture.needs - self._kept):
                self.notebook.note("bitstream.reference_missing", picture.where, order=order, picture=picture.order)
        if picture.entry and not picture.opens:
            self._fresh = False
        if not picture.keeps_more:
            self._kept &= picture.keeps
        if len(self._kept) >= DECODED_BUFFER_MAX:
            self._kept.discard(min(self._kept))
        self._kept.add(picture.order)
        self._first = False
