"""Our own readers of foreign bytes, fed with mutants: only what they say they raise, and never for long.

Fed with any bytes at all they are in their own unit tests; here they get what is nearly right, which goes deeper.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ingest.media.boxes import outline
from ingest.media.continuity.codes import CODES
from ingest.media.continuity.container import note_container
from ingest.media.continuity.observation import Notebook
from ingest.media.continuity.report import parse_report
from ingest.media.continuity.source import source_of
from ingest.media.edits import edit_shifts
from ingest.media.errors import ContinuityMalformed, FramesMalformed
from ingest.media.frame_format import read_frames
from ingest.media.playlist import format_playlist, fragments_of, is_whole
from ingest.media.rendition import make_renditions
from tests.support.mutants import mutant, read_seeds, write_seeds
from tests.support.rounds import rounds

MUTANTS = rounds(everyday=400, soak=20_000)
SECONDS_MAX = 2.0
BATCH = 1_000_000


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    folder = tmp_path_factory.mktemp("seeds")
    write_seeds(folder)
    return read_seeds(folder)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a derivation leaves: a frame index, a report, a copy in fragments."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "seeds").mkdir()
    write_seeds(folder / "seeds")
    (folder / "work").mkdir()
    source = folder / "seeds" / "a.mp4"
    result = make_renditions(source, folder / "work", threads=1, report=lambda read: None, tell=lambda facts: None)
    return {item.kind: item.path.read_bytes() for item in result.objects}


def test_containers_are_walked_to_an_end(seeds: list[bytes], tmp_path: Path) -> None:
    path, slowest = tmp_path / "mutant", (0.0, 0)
    for number in range(MUTANTS):
        path.write_bytes(mutant(seeds, BATCH, number))
        began, notebook = time.process_time(), Notebook()
        with source_of(path) as source:
            note_container(source, notebook)
            outline(source.read, source.size)
            edit_shifts(source.read, source.size)
            fragments = fragments_of(source.read, source.size)
            if fragments is not None:
                is_whole(source.read, source.size, fragments)
                format_playlist(fragments)
        assert set(notebook.counts) <= set(CODES), f"mutant {number}"
        slowest = max(slowest, (time.process_time() - began, number))
    assert slowest[0] < SECONDS_MAX, f"mutant {slowest[1]} took {slowest[0]:.1f} s"


def test_frame_indexes_are_read_or_refused(made: dict[str, bytes]) -> None:
    refused = 0
    for number in range(MUTANTS):
        try:
            read_frames(mutant([made["frames"]], BATCH, number))
        except FramesMalformed:
            refused += 1
    assert refused > MUTANTS * 0.5


def test_reports_are_read_or_refused(made: dict[str, bytes]) -> None:
    refused = 0
    for number in range(MUTANTS):
        try:
            parse_report(mutant([made["continuity"]], BATCH, number))
        except ContinuityMalformed:
            refused += 1
    assert refused > MUTANTS * 0.5


def test_copies_in_fragments_are_seen_to_be_whole_or_not(made: dict[str, bytes]) -> None:
    for number in range(MUTANTS):
        raw = mutant([made["proxy"]], BATCH, number)

        def read_at(offset: int, count: int, raw: bytes = raw) -> bytes:
            return raw[offset : offset + count]

        fragments = fragments_of(read_at, len(raw))
        if fragments is not None:
            is_whole(read_at, len(raw), fragments)
            format_playlist(fragments)
