"""The frame index of a file, made as the derivation makes it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from ingest.media.frames import FrameIndex
from ingest.media.indexing import indexing
from ingest.media.opening import opened


def index_of(path: Path) -> FrameIndex:
    """Make the frame index of a file whose players' clock begins at zero."""
    with opened(path) as container, indexing(path, container) as notes:
        for packet in container.demux():
            if packet.size:
                notes.note(packet)
        index = notes.index(origin=Fraction(0))
    assert index is not None
    return index
