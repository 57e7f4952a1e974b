"""The demonstration's processes: started, watched, restarted when they die, and stopped in order.

The demonstration runs the real programs (`shilu serve`, `shilu work`, `shilu-dock run`), each in a process of its own,
all in one data folder. Their output goes to `logs/<name>.log`, their process ids to `run/<name>.pid`. A program that
dies is started again, because that is what an init system would do; how often is counted and shown.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from api.demo.errors import DemoProgramFailed

RESTARTS_MAX = 8
STOP_SECONDS = 20.0
RESTART_PAUSE_SECONDS = 0.2

_PR_SET_PDEATHSIG = 1


@dataclass
class Program:
    """One program on the stage.

    Attributes:
        name: Short name, used for the log and pid files.
        arguments: Module and arguments for this Python.
        restarts: How often it had to be started again.
        exit_code: Of the last run, once it ended.
        done: Set when it ended by itself with exit code 0.
    """

    name: str
    arguments: Sequence[str]
    restarts: int = 0
    exit_code: int | None = None
    done: asyncio.Event = field(default_factory=asyncio.Event)


class Stage:
    """Runs programs in one data folder.

    Args:
        folder: The data folder; `logs/` and `run/` are made in it.
        environment: Added to this process's own for every program.
    """

    def __init__(self, folder: Path, *, environment: Mapping[str, str]) -> None:
        self._logs = folder / "logs"
        self._run = folder / "run"
        self._environment = {**os.environ, **environment}
        self._tasks: list[tuple[Program, asyncio.Task[None]]] = []
        self.failed: asyncio.Future[DemoProgramFailed] = asyncio.get_running_loop().create_future()
        for path in (self._logs, self._run):
            path.mkdir(parents=True, exist_ok=True)

    def start(self, name: str, *arguments: str) -> Program:
        """Start a program and keep it running until it ends with exit code 0 or the stage is cleared."""
        program = Program(name, arguments)
        self._tasks.append((program, asyncio.create_task(self._keep_running(program), name=f"stage:{name}")))
        return program

    async def stop_all(self) -> None:
        """Stop what still runs, last started first; returns when all are gone."""
        while self._tasks:
            _, task = self._tasks.pop()
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def log_path(self, name: str) -> Path:
        """Return the file that holds a program's output."""
        return self._logs / f"{name}.log"

    async def _keep_running(self, program: Program) -> None:
        while True:
            program.exit_code = await self._run_once(program)
            if program.exit_code == 0:
                program.done.set()
                return
            if program.restarts >= RESTARTS_MAX:
                if not self.failed.done():
                    self.failed.set_result(self._failure(program))
                return
            program.restarts += 1
            await asyncio.sleep(RESTART_PAUSE_SECONDS)

    async def _run_once(self, program: Program) -> int:
        with self.log_path(program.name).open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                *program.arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
        pid_file = self._run / f"{program.name}.pid"
        pid_file.write_text(f"{process.pid}\n", encoding="ascii")
        try:
            return await process.wait()
        finally:
            if process.returncode is None:
                await _stop(process)
            pid_file.unlink(missing_ok=True)

    def _failure(self, program: Program) -> DemoProgramFailed:
        log = self.log_path(program.name)
        tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-12:]
        return DemoProgramFailed(
            f"{program.name} ended with exit code {program.exit_code} after {program.restarts} restarts; see {log}",
            log_tail=tail,
        )


@asynccontextmanager
async def open_stage(folder: Path, *, environment: Mapping[str, str]) -> AsyncIterator[Stage]:
    """Yield a stage and clear it at the end, whatever happened."""
    stage = Stage(folder, environment=environment)
    try:
        yield stage
    finally:
        await stage.stop_all()


async def _stop(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _die_with_parent() -> None:
    # Should the demonstration itself be killed, its programs must not go on holding the data folder.
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
