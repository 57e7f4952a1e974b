"""A spool is opened by many programs at once: the service, a worker, every command that an administrator runs."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from evidence.core.durable import TEMPORARY_PREFIX
from ingest.spool import Spool

ROUNDS = 40
OPENERS = 8


def test_all_who_open_at_once_find_one_identity(tmp_path: Path) -> None:
    with ThreadPoolExecutor(OPENERS) as pool:
        for number in range(ROUNDS):
            folder, quarantine = tmp_path / f"{number}", tmp_path / f"{number}-quarantine"
            opened = list(pool.map(lambda _, f=folder, q=quarantine: Spool.open(f, q).id, range(OPENERS)))
            assert len(set(opened)) == 1
            assert Spool.open(folder, quarantine).id == opened[0]


@pytest.mark.parametrize("place", ["spool", "quarantine"])
def test_opening_takes_nothing_out_of_the_hands_of_a_living_writer(tmp_path: Path, place: str) -> None:
    Spool.open(tmp_path / "spool", tmp_path / "quarantine")
    being_written = tmp_path / place / f"{TEMPORARY_PREFIX}living"
    left_behind = tmp_path / place / f"{TEMPORARY_PREFIX}dead"
    for path in (being_written, left_behind):
        path.write_bytes(b"half")
    long_ago = time.time() - 7200
    os.utime(left_behind, (long_ago, long_ago))
    Spool.open(tmp_path / "spool", tmp_path / "quarantine")
    assert being_written.exists()
    assert not left_behind.exists()
