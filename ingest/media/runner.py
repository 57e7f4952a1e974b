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
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
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
from ingest.media.process import Child
from ingest.media.result import (
    FILE_NAMES,
    LINE_BYTES_MAX,
    Early,
    EarlyStill,
    Facts,
    Failure,
    MediaResult,
    Progress,
    parse_saying,
    read_early,
)
from ledger.errors import Blame

OnProgress = Callable[[int], None]
"""Called with the number of bytes of the original that have been read, a few times a second."""
OnEarly = Callable[[EarlyStill], Awaitable[None]]
"""Called with a first still while the child goes on; what it raises ends the attempt."""

_COMMAND = (sys.executable, "-I", "-X", "faulthandler", "-m", "ingest.media.child")
_CRASHES = frozenset((signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSYS))
_FAILURES: dict[str, type[MediaError]] = {error.code: error for error in (NoSpace, SourceUnreadable, MemorySpent)}
_WORTH_A_CAREFUL_TRY = (DecoderCrashed, Stalled, MemorySpent)


async def derive_media(
    source: Path,
    workdir: Path,
    limits: Limits | None = None,
    *,
    on_progress: OnProgress | None = None,
    on_early: OnEarly | None = None,
) -> MediaResult:
    """Make poster, review copy and what goes with them of an original, in a process of its own.

    Args:
        source: The original; opened read-only here, the child gets the descriptor and not the name.
        workdir: Existing folder for this job alone; files of an earlier attempt in it are removed. The result's
            objects lie there; nothing in it is synced.
        limits: What the file may cost; by default what its size justifies.
        on_progress: Signs of life, for leases and for people.
        on_early: Given a first still as soon as there is one; a second attempt gives it again.

    Raises:
        SourceUnreadable, NoSpace, ChildLost, ChildBroken: See the module's table; worth another attempt.
    """
    try:
        descriptor = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise SourceUnreadable(f"the original cannot be opened: {error.strerror}") from error
    try:
        allowed = limits or Limits.for_size(os.fstat(descriptor).st_size)
        listener = _Listener(workdir, allowed.idle_seconds, on_progress, on_early)
        ending = await _attempt(descriptor, workdir, allowed, listener)
        if isinstance(ending.last, _WORTH_A_CAREFUL_TRY):
            ending = await _attempt(descriptor, workdir, replace(allowed, threads=1), listener)
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

    def __init__(
        self, workdir: Path, idle_seconds: int, on_progress: OnProgress | None, on_early: OnEarly | None
    ) -> None:
        self._workdir, self._idle_seconds = workdir, idle_seconds
        self._on_progress, self._on_early = on_progress, on_early
        self.facts = Facts(probe={}, tools={}, parameters={})

    async def hear(self, child: Child) -> MediaResult | Failure | None:
        """Return the child's last word, or None if it ended without one."""
        self.facts = Facts(probe={}, tools={}, parameters={})
        while line := await child.line(self._idle_seconds):
            said = parse_saying(line, folder=self._workdir)
            match said:
                case Progress():
                    if self._on_progress is not None:
                        self._on_progress(said.read)
                case Facts():
                    self.facts = said
                case Early():
                    if self._on_early is not None:
                        await self._on_early(await asyncio.to_thread(read_early, said))
                case MediaResult() | Failure():
                    return said
        return None


async def _attempt(descriptor: int, workdir: Path, limits: Limits, listener: _Listener) -> _Ending:
    """Run one child to its end; the file's own faults are returned, all else is raised."""
    _clear(workdir)
    command = (*_COMMAND, json.dumps(_request(descriptor, workdir, limits)))
    child = await Child.start(command, descriptor=descriptor, workdir=workdir, line_bytes_max=LINE_BYTES_MAX)
    try:
        async with asyncio.timeout(limits.wall_seconds):
            said = await listener.hear(child)
        returncode, complaint = await child.part()
        return _Ending(_judged(said, returncode, complaint), listener.facts)
    except TimeoutError:
        return _Ending(TimeSpent(f"not finished after {limits.wall_seconds} s"), listener.facts)
    except MediaError as error:
        if error.blame is not Blame.INPUT:
            raise
        return _Ending(error, listener.facts)
    finally:
        await child.reap()


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


def _request(descriptor: int, workdir: Path, limits: Limits) -> dict[str, object]:
    """Return what `ingest.media.child` is told."""
    return {
        "source": descriptor,
        "folder": str(workdir.resolve()),
        "parent": os.getpid(),
        "threads": limits.threads,
        "limits": asdict(limits),
    }


def _clear(workdir: Path) -> None:
    for name in FILE_NAMES.values():
        (workdir / name).unlink(missing_ok=True)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
