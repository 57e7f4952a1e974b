"""kill -9 of a process in the middle of taking bytes: acknowledged offsets never go back, the content is whole."""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path

import pytest

from ingest.store import UploadState
from tests.support.intake import Intake, footage

SIZE = 6_000_000
ROOT = Path(__file__).resolve().parents[3]


async def run_and_kill(intake: Intake, database: str, upload: str, seconds: float) -> list[int]:
    """Run the sender for a while and kill it; return the offsets it was told, or all of them if it finished."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.ingest.sender", database, str(intake.folder), upload, str(SIZE),
        cwd=ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    first = await process.stdout.readline()
    await asyncio.sleep(seconds)
    if process.returncode is None:
        process.kill()
    rest = await process.stdout.read()
    await process.wait()
    return [int(line) for line in (first + rest).split(b"\n")[:-1] if line.isdigit()]


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_killed_intake_keeps_every_acknowledged_byte(intake: Intake, database: str, seed: int) -> None:
    chance, data = random.Random(seed), footage(SIZE)
    view = await intake.staff_upload(data)
    highest = 0
    for _ in range(3):
        told = await run_and_kill(intake, database, str(view.id), chance.uniform(0.05, 0.3))
        assert told == sorted(told)
        assert not told or told[0] >= highest
        highest = max([highest, *told])
        state = await intake.state(view)
        assert state.offset >= highest
        if state.state is not UploadState.OPEN:
            break
        on_disk = intake.spool.bytes_path(view.id)
        assert state.offset == 0 or on_disk.read_bytes()[: state.offset] == data[: state.offset]
    await intake.service.recover()
    state = await intake.state(view)
    if state.state is UploadState.OPEN:
        await intake.send(view, data, offset=state.offset)
    assert (await intake.state(view)).state is UploadState.SEALED
    assert intake.object_bytes(data) == data
