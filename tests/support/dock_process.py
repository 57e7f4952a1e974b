"""`shilu-dock` as a process of its own, as the corridor runs it."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import house


@dataclass(frozen=True)
class Ended:
    """How a process ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Return the one JSON object of standard output; nothing else may stand there."""
        return json.loads(self.out)


async def start_dock(*words: str | Path) -> asyncio.subprocess.Process:
    """Start `shilu-dock` with these words."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "dockstation",
        *map(str, words),
        cwd=house.ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def ended(process: asyncio.subprocess.Process) -> Ended:
    """Wait for the end of a process."""
    out, err = await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


async def run_dock(*words: str | Path) -> Ended:
    """Run `shilu-dock` with these words to its end."""
    return await ended(await start_dock(*words))
