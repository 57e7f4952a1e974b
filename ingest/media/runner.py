"""Derivation from the service's side: start a child, listen, and never wait longer than agreed.

    result = await derive_media(source, workdir, Limits.for_size(size))

Which ending means what:

| the child | then |
|---|---|
| says a result | that is the result, after its files have been checked |
| crashes, stalls, or runs out of memory | one more try, with one thread; then `undecodable`, with the reason |
| runs out of processor time, wall time or output | `undecodable` at once: another try would cost the same again |
| says the disk is full or does not read | `NoSpace`, `SourceUnreadable` are raised: try the job again later |
| cannot be started, or is killed from outside | `ChildLost` is raised: try the job again later |
| fails in our own code, or talks nonsense | `ChildBroken` is raised: our bug; trying again may still help |

Raised errors are worth another attempt, results are final; the worker bounds its attempts and then seals the last
error's words as the reason. The caller may cancel at any moment: the child's whole process group is killed and reaped
before the cancellation goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ingest.media.errors import (
    ChildBroken,
    ChildLost,
    CpuSpent,
    DecoderCrashed,
    MediaError,
    MemorySpent,
    NoSpace,
    SourceUnreadable,
    Stalled,
    TimeSpent,
)
from ingest.media.limits import Limits
from ingest.media.result import (
    FILE_NAMES,
    LINE_BYTES_MAX,
    Facts,
    Failure,
    MediaResult,
    Progress,
    parse_saying,
)
from ledger.errors import Blame

OnProgress = Callable[[int], None]
"""Called with the number of bytes of the original that have been read, a few times a second."""

_COMMAND = (sys.executable, "-I", "-X", "faulthandler", "-m", "ingest.media.child")
# Nothing of the service's surroundings: no credentials, no proxies, no preloaded libraries.
_ENVIRONMENT = {"LANG": "C.UTF-8", "MALLOC_ARENA_MAX": "2", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
_COMPLAINT_BYTES_MAX = 4096
PARTING_SECONDS = 2
_CRASHES = frozenset((signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSYS))
_FAILURES: dict[str, type[MediaError]] = {error.code: error for error in (NoSpace, SourceUnreadable, MemorySpent)}
_WORTH_A_CAREFUL_TRY = (DecoderCrashed, Stalled, MemorySpent)


async def derive_media(
    source: Path, workdir: Path, limits: Limits | None = None, *, on_progress: OnProgress | None = None
) -> MediaResult:
    """Make poster and review copy of an original, in a process of its own.

    Args:
        source: The original; opened read-only here, the child gets the descriptor and not the name.
        workdir: Existing folder for this job alone; files of an earlier attempt in it are removed. The result's
            objects lie there; nothing in it is synced.
        limits: What the file may cost; by default what its size justifies.
        on_progress: Signs of life, for leases and for people.

    Raises:
        SourceUnreadable, NoSpace, ChildLost, ChildBroken: See the module's table; worth another attempt.
    """
    try:
        descriptor = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise SourceUnreadable(f"the original cannot be opened: {error.strerror}") from error
    try:
        allowed = limits or Limits.for_size(os.fstat(descriptor).st_size)
        ending = await _attempt(descriptor, workdir, allowed, on_progress)
        if isinstance(ending.last, _WORTH_A_CAREFUL_TRY):
            ending = await _attempt(descriptor, workdir, replace(allowed, threads=1), on_progress)
    finally:
        os.close(descriptor)
    result = ending.last
    if isinstance(result, MediaError):
        known = ending.facts
        result = MediaResult("undecodable", str(result), known.probe, (), known.tools, known.parameters)
    if not result.objects:
        _clear(workdir)
    return result


@dataclass(frozen=True, slots=True)
class _Ending:
    """How an attempt ended: a result or the file's fault, and what was known before."""

    last: MediaResult | MediaError
    facts: Facts


class _Listener:
    """Hears a child out, and remembers what it said about the file in passing."""

    def __init__(self, workdir: Path, idle_seconds: int, on_progress: OnProgress | None) -> None:
        self._workdir, self._idle_seconds, self._on_progress = workdir, idle_seconds, on_progress
        self.facts = Facts(probe={}, tools={}, parameters={})

    async def hear(self, child: asyncio.subprocess.Process) -> MediaResult | Failure | None:
        """Return the child's last word, or None if it ended without one."""
        while line := await self._line(child):
            said = parse_saying(line, folder=self._workdir)
            match said:
                case Progress():
                    if self._on_progress is not None:
                        self._on_progress(said.read)
                case Facts():
                    self.facts = said
                case MediaResult() | Failure():
                    return said
        return None

    async def _line(self, child: asyncio.subprocess.Process) -> bytes:
        if child.stdout is None:
            return b""
        try:
            async with asyncio.timeout(self._idle_seconds):
                return await child.stdout.readline()
        except TimeoutError as error:
            raise Stalled(f"no progress for {self._idle_seconds} s") from error
        except ValueError as error:
            raise ChildBroken("the decoding process does not end its lines") from error


async def _attempt(descriptor: int, workdir: Path, limits: Limits, on_progress: OnProgress | None) -> _Ending:
    """Run one child to its end; the file's own faults are returned, all else is raised."""
    _clear(workdir)
    listener = _Listener(workdir, limits.idle_seconds, on_progress)
    child = await _start(descriptor, workdir, limits)
    complaint = asyncio.create_task(_last_words(child))
    try:
        async with asyncio.timeout(limits.wall_seconds):
            said = await listener.hear(child)
        # After its last word a child has nothing to do but end. What it may have left behind keeps the pipes open, so
        # neither waiting for it nor its last complaint may take long.
        await _ended(child, PARTING_SECONDS)
        await asyncio.wait([complaint], timeout=PARTING_SECONDS)
        words = complaint.result() if complaint.done() else ""
        return _Ending(_judged(said, child.returncode, words), listener.facts)
    except TimeoutError:
        return _Ending(TimeSpent(f"not finished after {limits.wall_seconds} s"), listener.facts)
    except MediaError as error:
        if error.blame is not Blame.INPUT:
            raise
        return _Ending(error, listener.facts)
    finally:
        await _reap(child, complaint)


def _judged(said: MediaResult | Failure | None, returncode: int | None, complaint: str) -> MediaResult:
    """Return the result, or raise what the ending means."""
    if isinstance(said, MediaResult) and returncode == 0:
        return said
    if isinstance(said, Failure):
        raise _FAILURES.get(said.code, ChildBroken)(said.message)
    if returncode is None:
        raise Stalled("the decoding process fell silent and did not end")
    if returncode < 0:
        name = _signal_name(-returncode)
        if -returncode in _CRASHES:
            raise DecoderCrashed(f"the decoder crashed ({name})")
        if -returncode == signal.SIGXCPU:
            raise CpuSpent("decoding took more processor time than the size of the file justifies")
        raise ChildLost(f"the decoding process was killed from outside ({name})")
    raise ChildBroken("the decoding process ended without a result", complaint=complaint)


async def _start(descriptor: int, workdir: Path, limits: Limits) -> asyncio.subprocess.Process:
    request = {
        "source": descriptor,
        "folder": str(workdir.resolve()),
        "parent": os.getpid(),
        "threads": limits.threads,
        "limits": asdict(limits),
    }
    try:
        return await asyncio.create_subprocess_exec(
            *_COMMAND,
            json.dumps(request),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=workdir,
            env=_ENVIRONMENT,
            pass_fds=(descriptor,),
            start_new_session=True,
            limit=LINE_BYTES_MAX,
        )
    except OSError as error:
        raise ChildLost(f"the decoding process cannot be started: {error.strerror}") from error


async def _last_words(child: asyncio.subprocess.Process) -> str:
    """Drain standard error, keeping its end."""
    tail = b""
    if child.stderr is not None:
        while piece := await child.stderr.read(_COMPLAINT_BYTES_MAX):
            tail = (tail + piece)[-_COMPLAINT_BYTES_MAX:]
    return tail.decode("utf-8", "replace")


async def _reap(child: asyncio.subprocess.Process, complaint: asyncio.Task[str]) -> None:
    """Leave nothing behind: the child's process group is killed and the child waited for, cancelled or not."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    complaint.cancel()
    await _ended(child, PARTING_SECONDS)


async def _ended(child: asyncio.subprocess.Process, seconds: int) -> None:
    """Wait for a child that is about to end; asyncio waits for its pipes too, which may be held by what it started."""
    ending = asyncio.ensure_future(child.wait())
    # Not cut short by a cancellation, or a zombie stays.
    await asyncio.shield(asyncio.wait([ending], timeout=seconds))
    ending.cancel()


def _clear(workdir: Path) -> None:
    for name in FILE_NAMES.values():
        (workdir / name).unlink(missing_ok=True)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
