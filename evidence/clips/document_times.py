"""Whether a 文书 and a clip tell of the same time: both deltas between what each states (R10). Pure.

A rule of a county's environmental bureau demands: 声像资料反映的起止时间应当与相应文书记载的起止时间一致. A document is
written to the minute, a recorder counts seconds, so ends that differ by less than a minute agree. Nothing is judged
here beyond that: a delta has many harmless causes, and the clip's time is the recorder's own word.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from evidence.clips.circumstances import Document

AGREEMENT = timedelta(minutes=1)
"""Ends that are less than this apart agree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimesCompared:
    """A document against a clip.

    Attributes:
        begins, ends: How much later the clip begins and ends than the document says; negative is earlier. None where
            one of the two states no time.
    """

    begins: timedelta | None
    ends: timedelta | None

    @property
    def agrees(self) -> bool | None:
        """Whether both ends agree; None if neither can be compared."""
        known = [delta for delta in (self.begins, self.ends) if delta is not None]
        return all(abs(delta) < AGREEMENT for delta in known) if known else None


def compare_times(document: Document, *, starts: datetime | None, ends: datetime | None) -> TimesCompared:
    """Compare a document's times with those of a clip, or of several clips as a whole.

    Args:
        starts, ends: When the recording begins and ends, with their zone; None where that is not known.
    """
    return TimesCompared(begins=_delta(document.starts, starts), ends=_delta(document.ends, ends))


def _delta(stated: str | None, recorded: datetime | None) -> timedelta | None:
    return None if stated is None or recorded is None else recorded - datetime.fromisoformat(stated)
