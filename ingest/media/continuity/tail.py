"""What stands behind the last part of a file of any kind."""

from __future__ import annotations

from ingest.media.continuity.observation import Notebook, Place
from ingest.media.continuity.source import Source


def note_tail(source: Source, start: int, notebook: Notebook) -> None:
    """Note bytes from `start` to the end of the file that belong to no part."""
    if start < source.size:
        code = "container.trailing_zeros" if source.is_zero(start, source.size) else "container.trailing_bytes"
        notebook.note(code, Place(first_byte=start, end_byte=source.size), bytes=source.size - start)
