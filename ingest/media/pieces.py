"""Cuts, stills, redacted and marked copies, transcripts: start a child that makes one file, and wait as agreed.

    made = await make_piece(source, workdir, {"task": "cut", ...}, limits)

Unlike a derivation this is somebody's wish and not a duty: whatever goes wrong is raised at once, under the code that
says whose fault it is, and trying again is theirs to decide. The caller may cancel at any moment: the child's whole
process group is killed and reaped before the cancellation goes on.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from ingest.media.errors import (
    ChildBroken,
    ChildLost,
    CpuSpent,
    DecoderCrashed,
    FormatRefused,
    MediaError,
    MemorySpent,
    ModelsDiffer,
    ModelsMalformed,
    ModelsRefused,
    NoSpace,
    NothingBetween,
    NothingDecodes,
    NotMedia,
    OutputSpent,
    PictureUndecodable,
    PictureUnplaced,
    RangesUnknown,
    SourceUnreadable,
    SpeechMissing,
    Stalled,
    TimeSpent,
    TranscriptMalformed,
)
from ingest.media.limits import Limits
from ingest.media.piece_child import PIECE_NAME
from ingest.media.process import Child
from ingest.media.result import LINE_BYTES_MAX, Facts, Failure, Progress, parse_saying
from ledger.canonical import JsonObject

REQUEST_BYTES_MAX: Final = 120_000
"""Longest request in bytes: Linux hands a program at most 128 KiB in one argument."""

_COMMAND = (sys.executable, "-I", "-X", "faulthandler", "-m", "ingest.media.piece_child")
# The speech library ends the process with this code when models are not what it expects; nothing else here does.
_MODELS_EXIT = 255
_CRASHES = frozenset((signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSYS))
_FAILURES: dict[str, type[MediaError]] = {
    error.code: error
    for error in (
        *(NoSpace, SourceUnreadable, MemorySpent, OutputSpent, NothingDecodes, NothingBetween),
        *(NotMedia, FormatRefused, RangesUnknown),
        *(PictureUndecodable, PictureUnplaced),
        *(SpeechMissing, ModelsMalformed, ModelsDiffer, ModelsRefused, TranscriptMalformed),
    )
}


@dataclass(frozen=True, slots=True)
class Piece:
    """A finished file in the work folder, and what the child says of it."""

    path: Path
    facts: Facts


async def make_piece(
    source: Path,
    workdir: Path,
    task: JsonObject,
    limits: Limits | None = None,
    *,
    heard: Callable[[int], None] = lambda _read: None,
) -> Piece:
    """Have a child make one file of an original.

    Args:
        source: The original; opened read-only here, the child gets the descriptor and not the name.
        workdir: Existing empty folder for this piece alone.
        task: What to do, see `ingest.media.piece_child`.
        limits: What it may cost; by default what the original's size justifies.
        heard: Told how many bytes of the original were read, whenever the child says so.

    Raises:
        MediaError: It was not made; the subclass says why.
    """
    try:
        descriptor = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise SourceUnreadable(f"the original cannot be opened: {error.strerror}") from error
    try:
        allowed = limits or Limits.for_size(os.fstat(descriptor).st_size)
        request = json.dumps(
            {
                **task,
                "source": descriptor,
                "folder": str(workdir.resolve()),
                "parent": os.getpid(),
                "limits": asdict(allowed),
            }
        )
        if len(request) > REQUEST_BYTES_MAX:
            raise ChildBroken(f"a request of {len(request)} bytes is longer than a program can be told")
        child = await Child.start(
            (*_COMMAND, request), descriptor=descriptor, workdir=workdir, line_bytes_max=LINE_BYTES_MAX
        )
        try:
            facts = await _hear(child, workdir, allowed, heard)
        finally:
            await child.reap()
    finally:
        os.close(descriptor)
    path = workdir / PIECE_NAME
    if not _is_whole(path):
        raise ChildBroken("the child names a file that is not there")
    return Piece(path, facts)


async def _hear(child: Child, workdir: Path, limits: Limits, heard: Callable[[int], None]) -> Facts:
    said: Facts | Failure | None = None
    try:
        async with asyncio.timeout(limits.wall_seconds):
            while said is None and (line := await child.line(limits.idle_seconds)):
                match parse_saying(line, folder=workdir):
                    case Progress(read=read):
                        heard(read)
                    case Facts() | Failure() as said:
                        pass
                    case _:
                        raise ChildBroken("the child says what was never agreed")
    except TimeoutError as error:
        raise TimeSpent(f"not finished after {limits.wall_seconds} s") from error
    returncode, complaint = await child.part()
    if isinstance(said, Failure):
        raise _FAILURES.get(said.code, ChildBroken)(said.message)
    if isinstance(said, Facts) and returncode == 0:
        return said
    raise _ending(returncode, complaint)


def _ending(returncode: int | None, complaint: str) -> MediaError:
    """Return what the end of a child without a proper last word means."""
    if returncode is None:
        return Stalled("the child fell silent and did not end")
    if -returncode in _CRASHES:
        return DecoderCrashed("the media library crashed on this file")
    if -returncode == signal.SIGXCPU:
        return CpuSpent("the work took more processor time than the size of the file justifies")
    if returncode < 0:
        return ChildLost(f"the child was killed from outside (signal {-returncode})")
    if returncode == _MODELS_EXIT:
        return ModelsRefused(f"the speech library gives up on its models: {' '.join(complaint.split())[-300:]}")
    return ChildBroken("the child ended without a result", complaint=complaint)


def _is_whole(path: Path) -> bool:
    """Tell whether it is a file of its own with something in it: no link to elsewhere, no device, not empty."""
    try:
        facts = path.lstat()
    except OSError:
        return False
    return stat.S_ISREG(facts.st_mode) and facts.st_nlink == 1 and facts.st_size > 0
