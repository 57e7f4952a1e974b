"""One child process: started apart from everything of the service's, listened to with patience that ends, and reaped.

The child is the leader of a session and process group of its own, gets nothing of the environment, and no descriptor
but the original's. Whatever way it ends, `reap()` leaves no process of the group, no zombie and no open pipe behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from asyncio.subprocess import Process, SubprocessStreamProtocol
from collections.abc import Sequence
from pathlib import Path

from ingest.media.errors import ChildBroken, ChildLost, Stalled

PARTING_SECONDS = 2
COMPLAINT_BYTES_MAX = 4096
# Nothing of the service's surroundings: no credentials, no proxies, no preloaded libraries.
_ENVIRONMENT = {"LANG": "C.UTF-8", "MALLOC_ARENA_MAX": "2", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


class Child:
    """A running child; made by `start`, ended by `reap`."""

    def __init__(self, process: Process, transport: asyncio.SubprocessTransport) -> None:
        self._process = process
        self._transport = transport
        self._complaint = asyncio.create_task(_tail(process.stderr))

    @classmethod
    async def start(cls, command: Sequence[str], *, descriptor: int, workdir: Path, line_bytes_max: int) -> Child:
        """Start a program in `workdir` that has `descriptor` open.

        Raises:
            ChildLost: It cannot be started.
        """
        loop = asyncio.get_running_loop()
        try:
            transport, protocol = await loop.subprocess_exec(
                lambda: SubprocessStreamProtocol(limit=line_bytes_max, loop=loop),
                *command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=workdir,
                env=_ENVIRONMENT,
                pass_fds=(descriptor,),
                start_new_session=True,
            )
        except OSError as error:
            raise ChildLost(f"the decoding process cannot be started: {error.strerror}") from error
        return cls(Process(transport, protocol, loop), transport)

    async def line(self, seconds: int) -> bytes:
        """Return the next line, or nothing if there will be none.

        Raises:
            Stalled: No line came in time.
            ChildBroken: The line has no end.
        """
        if self._process.stdout is None:
            return b""
        try:
            async with asyncio.timeout(seconds):
                return await self._process.stdout.readline()
        except TimeoutError as error:
            raise Stalled(f"no progress for {seconds} s") from error
        except ValueError as error:
            raise ChildBroken("the decoding process does not end its lines") from error

    async def part(self) -> tuple[int | None, str]:
        """Wait for the end of a child that has said its last word; return exit code (None: it lives) and complaint.

        What it may have started keeps the pipes open, so neither may take long.
        """
        await self._ended()
        await asyncio.wait([self._complaint], timeout=PARTING_SECONDS)
        words = self._complaint.result() if self._complaint.done() else ""
        return self._process.returncode, words

    async def reap(self) -> None:
        """Kill the whole group and wait for the child; not cut short by a cancellation, or a zombie would stay."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._complaint.cancel()
        await self._ended()
        self._transport.close()

    async def _ended(self) -> None:
        ending = asyncio.ensure_future(self._process.wait())
        await asyncio.shield(asyncio.wait([ending], timeout=PARTING_SECONDS))
        ending.cancel()


async def _tail(stream: asyncio.StreamReader | None) -> str:
    """Drain a stream, keeping its end."""
    tail = b""
    if stream is not None:
        while piece := await stream.read(COMPLAINT_BYTES_MAX):
            tail = (tail + piece)[-COMPLAINT_BYTES_MAX:]
    return tail.decode("utf-8", "replace")
