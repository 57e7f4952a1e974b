"""Thousands of tiny files (ten thousand with `make soak`) through intake and queue: first come, first served."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from tests.integration.ingest.test_worker import HASTY, working
from tests.support.intake import Intake, footage
from tests.support.makers import Maker
from tests.support.rounds import rounds

FILES = rounds(everyday=2_000, soak=10_000)
SENDERS = 16


async def seal_tiny(intake: Intake, numbers: range) -> None:
    """Send files of 1 to 64 bytes, each different from all others."""
    for number in numbers:
        data = footage(1 + number % 57, seed=number) + number.to_bytes(7, "big")
        view = await intake.staff_upload(data, name=f"{number:05}.mp4")
        await intake.send(view, data)


def resident_bytes() -> int:
    """Return how much memory this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def open_descriptors() -> int:
    """Return how many files and connections this process has open."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_thousands_of_tiny_files_are_taken_in_turn(intake: Intake) -> None:
    """Decoding them is what `media/test_bad_input` is about; here a maker stands in that costs nothing."""
    maker, before = Maker(), resident_bytes()
    share = FILES // SENDERS
    began = time.monotonic()
    async with asyncio.TaskGroup() as senders:
        for first in range(0, FILES, share):
            senders.create_task(seal_tiny(intake, range(first, first + share)))
    sealed = time.monotonic()
    assert intake.leftovers() == set()
    descriptors = open_descriptors()
    async with working(intake, maker, seed=5), working(intake, maker, settings=HASTY, seed=6):
        async with asyncio.timeout(400):
            while await intake.pool.fetchval("SELECT count(*) FROM clip_derivation") < FILES:
                await asyncio.sleep(0.2)
    print(f"sealed in {sealed - began:.0f} s, derived in {time.monotonic() - sealed:.0f} s")
    assert len(maker.calls) == FILES, "each once, by one of the workers"
    order = await intake.pool.fetch(
        """SELECT row_number() OVER (ORDER BY c.entry_id) AS sealed, row_number() OVER (ORDER BY d.entry_id) AS derived
           FROM clip c JOIN clip_derivation d USING (clip)"""
    )
    assert max(abs(row["sealed"] - row["derived"]) for row in order) < 100, "nobody is overtaken by many"
    assert await intake.pool.fetchval("SELECT count(*) FROM pgqueuer") == 0
    assert await intake.pool.fetchval("SELECT count(*) FROM derivation_job WHERE state <> 'done'") == 0
    assert list((intake.folder / "work").iterdir()) == []
    assert open_descriptors() <= descriptors + 8
    assert resident_bytes() - before < 200_000_000
