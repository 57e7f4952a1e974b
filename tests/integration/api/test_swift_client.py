"""Swift's own command-line client, as it is, delivers a recording over a real socket."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.support.service import RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def swift(shared: RunningService, *words: str) -> str:
    """Run the client with the credentials of a controller and return what it printed."""
    controller = await shared.controller()
    credentials = ("-A", f"{shared.url}/auth/v1.0", "-U", str(controller.controller), "-K", controller.key)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from swiftclient.shell import main; main()", *credentials, *words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0, printed.decode()
    return printed.decode()


async def test_it_uploads_describes_and_completes(shared: RunningService, tmp_path: Path) -> None:
    footage = tmp_path / "20260302_093000_4F2A.mkv"
    footage.write_bytes(os.urandom(1_500_000))
    await swift(shared, "upload", "--object-name", footage.name, "recording", str(footage))
    await swift(shared, "post", "-m", "Status:Complete", "recording")
    described = await swift(shared, "stat", "recording")
    assert "Objects: 1" in described
    assert "Meta Status: Complete" in described
    async with shared.services.pool.acquire() as conn:
        size = await conn.fetchval("SELECT size FROM recording_clip WHERE name = $1", footage.name)
    assert size == 1_500_000
