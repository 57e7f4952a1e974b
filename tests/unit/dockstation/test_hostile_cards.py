"""Hostile recorder content, one row each: refused or ignored with a reason, and the honest clip beside it is read."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockstation import card as card_module
from dockstation.card import ENTRIES_MAX, Card, Remark
from dockstation.errors import FileUnreadable, FileUnsafe
from dockstation.layout import load_profiles
from dockstation.stocktaking import sort_out
from ledger.canonical import INTEGER_MAX
from tests.support.dock_station import write_clip
from tests.support.hostile_cards import HOSTILE, HOSTILE_AS_ROOT, Hostile, hostile_card

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="devices and mounts take root to make")
TABLE = [
    *(pytest.param(content, id=name) for name, content in HOSTILE.items()),
    *(pytest.param(content, id=name, marks=needs_root) for name, content in HOSTILE_AS_ROOT.items()),
]


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that somebody without privileges may pass through, as pytest's own folders may not be."""
    folder = Path(tempfile.mkdtemp(prefix="shilu-hostile-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("content", TABLE)
def test_hostile_content_is_left_alone_with_a_reason(place: Path, content: Hostile) -> None:
    with hostile_card(place, content) as root, Card(root) as card:
        sighting = card.look()
        assert {file.path for file in sighting.files} == {"honest.mp4", *content.listed}
        assert {remark.path for remark in sighting.remarks} == {path for path, _ in content.remarks}
        for remark in sighting.remarks:
            assert dict(content.remarks)[remark.path] in remark.reason
            assert remark.code in {FileUnsafe.code, FileUnreadable.code}
        for file in sighting.files:
            if file.path in content.stuck:
                with pytest.raises(FileUnsafe, match="whole card"):
                    card.open_file(file)
            else:
                os.close(card.open_file(file))


def test_a_size_that_no_statement_carries_is_named_and_not_listed(place: Path) -> None:
    path = write_clip(place, "beyond.mp4")
    about = os.stat_result((0o100644, 1, 1, 1, 0, 0, INTEGER_MAX + 1, 0, 0, 0))
    with Card(place) as card:
        (remark,) = [item for item in [card._seen(b"beyond.mp4", about)] if isinstance(item, Remark)]
        assert (remark.path, remark.code) == (path.name, FileUnsafe.code)


def test_a_folder_with_more_names_than_are_taken_in_is_cut_off_and_says_so(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(card_module, "ENTRIES_MAX", 5)
    for index in range(9):
        (place / f"{index}.jpg").touch()
    with Card(place) as card:
        sighting = card.look()
    assert len(sighting.files) == 5
    assert [remark.path for remark in sighting.remarks] == ["."]
    assert "more than 5 names" in sighting.remarks[0].reason


@pytest.mark.slow
def test_a_hundred_thousand_files_cost_bounded_time_and_memory() -> None:
    shared = Path("/dev/shm")
    place = Path(tempfile.mkdtemp(dir=shared if shared.is_dir() else None))
    try:
        for folder in range(100):
            (place / f"{folder:03d}").mkdir()
            for index in range(1000):
                os.mknod(place / f"{folder:03d}" / f"DCAM_D200001_100001_20260302_{index % 60:06d}_{index}.mp4")
        (profile,) = load_profiles(only="dcam")
        tracemalloc.start()
        begin = time.process_time()
        with Card(place) as card:
            sighting = card.look()
        holdings, _ = sort_out(sighting.files, profile=profile, slot="1")
        seconds, (_, peak) = time.process_time() - begin, tracemalloc.get_traced_memory()
        tracemalloc.stop()
    finally:
        shutil.rmtree(place)
    assert sum(len(holding.files) for holding in holdings) == 100_000 < ENTRIES_MAX
    assert seconds < 60
    assert peak < 160 << 20
