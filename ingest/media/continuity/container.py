"""Which walk fits a file, by its first bytes; the extension is what somebody once called it."""

from __future__ import annotations

from ingest.media.continuity.avi import note_avi
from ingest.media.continuity.matroska import MAGIC, note_matroska
from ingest.media.continuity.mp4 import box_at, is_known
from ingest.media.continuity.mp4_rules import note_mp4
from ingest.media.continuity.mpegts import note_mpegts, stride_of
from ingest.media.continuity.observation import Notebook
from ingest.media.continuity.source import Source


def note_container(source: Source, notebook: Notebook) -> str:
    """Walk the structure of a file, write down what is worth it, and return the name of the walk.

    Raises:
        OSError: The disk does not give its bytes; nothing that is in the file raises.
    """
    head = source.read(0, 1024)
    box = box_at(source, 0, 2**62)
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        note_avi(source, notebook)
        return "avi"
    if head.startswith(MAGIC):
        note_matroska(source, notebook)
        return "matroska"
    if box is not None and is_known(box):
        note_mp4(source, notebook)
        return "mp4"
    if stride_of(head) is not None:
        note_mpegts(source, notebook)
        return "mpegts"
    notebook.note("container.not_walked")
    return "none"
