"""Writing a package as one archive, going on where an earlier attempt stopped; or as a folder. Whole, or not there.

`<name>.zip.part` grows, and `<name>.zip.state` tells how far it may be believed:

1. bytes are written into the part                          crash: they are not believed, and written again
2. every 64 MiB the part is synced in a thread of its own    crash: the next attempt goes on behind the state
   (`write_behind`), then the state as it was when that
   began is replaced (file, folder synced)
3. the directory is written, the part synced                 crash: the same
4. the part is renamed, the folder synced, the state goes    crash: the archive is there; the state is cleared later

A state is of one plan: another plan begins anew. Whoever writes holds a lock on the part (`flock`), so a worker that
lost its job and does not know it yet cannot write between. All of this blocks; run it in a thread.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

from evidence.core.durable import sync_folder, write_file
from evidence.errors import LeaseLost
from evidence.export.copying import copy_proved
from evidence.export.crc import crc32_joined
from evidence.export.folder import blaming_target, require_free, writing_folder
from evidence.export.members import Member, Plan, Stored
from evidence.export.write_behind import WriteBehind, new_files, write_behind
from evidence.export.zip_format import LAYOUT, Slot, archive_bytes, directory, lay_out, local_header

PART_SUFFIX: Final = ".part"
STATE_SUFFIX: Final = ".state"
SYNC_BYTES: Final = 64 * 1024 * 1024
"""After so many bytes the part is synced and the state tells of it; twice as many may be lost with the power."""

Locate = Callable[[bytes], Path]
"""Returns where the object with a digest of 32 bytes lies, fetching it if need be."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class _State:
    """How far the part may be believed: `member` is the one being written, `chunks` of it are there with CRC `crc`."""

    member: int = 0
    chunks: int = 0
    crc: int = 0


def write_archive(
    plan: Plan, target: Path, *, locate: Locate, stop: threading.Event, progress: Progress = lambda _done, _total: None
) -> int:
    """Write a package as `target`, a ZIP archive; return its bytes.

    Raises:
        EvidenceDamaged: A stored original is not what was sealed; the archive does not come into being.
        ExportNoSpace: The disk is full; what was written is kept for the next attempt.
        ExportTargetUnusable: The archive cannot be written for another reason.
        LeaseLost: `stop` was set, or another one writes it.
    """
    slots = lay_out(plan)
    total = archive_bytes(slots)
    part, memory = Path(f"{target}{PART_SUFFIX}"), Path(f"{target}{STATE_SUFFIX}")
    with blaming_target(target):
        if not target.exists():
            with _locked(part) as handle, write_behind(handle, step_bytes=SYNC_BYTES) as behind:
                tell = partial(_tell, progress, total)
                writing = _Writing(plan, slots, handle, memory, behind, locate, stop, tell)
                crcs = writing.run(*_recall(memory, plan))
                _put(handle, memoryview(directory(slots, crcs)), slots[-1].end)
                os.ftruncate(handle, total)
                behind.wait()
                os.fsync(handle)
                part.chmod(0o444)
                part.rename(target)
                sync_folder(target.parent)
        memory.unlink(missing_ok=True)
        total = target.stat().st_size
    progress(total, total)
    return total


@dataclass
class _Writing:
    plan: Plan
    slots: tuple[Slot, ...]
    handle: int
    memory: Path
    behind: WriteBehind
    locate: Locate
    stop: threading.Event
    progress: Callable[[int], None]
    state: _State = field(default_factory=_State)
    crcs: list[int] = field(default_factory=list)

    def run(self, state: _State, crcs: list[int]) -> list[int]:
        """Write what the state does not believe to be there; return the CRC-32 of every file.

        Args:
            state: How far an attempt before came.
            crcs: Of the files that it finished.
        """
        self.state, self.crcs = state, crcs
        for number in range(state.member, len(self.slots)):
            member, slot = self.plan.members[number], self.slots[number]
            if self.stop.is_set():
                raise LeaseLost("the export was given up")
            crc = (
                self._original(member.source, slot) if isinstance(member.source, Stored) else self._small(member, slot)
            )
            _put(self.handle, memoryview(local_header(slot, crc)), slot.header)
            self.crcs.append(crc)
            self.state = _State(member=number + 1)
            self._reached(slot.end)
        return self.crcs

    def _small(self, member: Member, slot: Slot) -> int:
        return _write_small(self.handle, member, slot.data)

    def _original(self, source: Stored, slot: Slot) -> int:

        def passed(chunks: int, count: int, of_these: int, bytes_of_these: int) -> None:
            crc = crc32_joined(self.state.crc, of_these, bytes_of_these)
            self.state = replace(self.state, chunks=chunks, crc=crc)
            self._reached(slot.data + count)

        copy_proved(
            self.locate(source.sha256),
            source,
            self.handle,
            place=slot.data,
            stop=self.stop,
            also=zlib.crc32,
            skip_chunks=self.state.chunks,
            passed=passed,
        )
        return self.state.crc

    def _reached(self, place: int) -> None:
        self.progress(place)
        self.behind.reached(place, partial(self._remember, self.state))

    def _remember(self, state: _State) -> None:
        told = {
            "plan": self.plan.digest,
            "layout": LAYOUT,
            "member": state.member,
            "chunks": state.chunks,
            "crc": state.crc,
            # It only grows, and the thread that writes may be further by now.
            "crcs": self.crcs[: state.member],
        }
        write_file(self.memory, json.dumps(told).encode(), mode=0o600)


def _tell(progress: Progress, total: int, done: int) -> None:
    progress(done, total)


def _tell_from(progress: Progress, before: int, total: int, done: int) -> None:
    progress(before + done, total)


def write_package_folder(
    plan: Plan, target: Path, *, locate: Locate, stop: threading.Event, progress: Progress = lambda _done, _total: None
) -> None:
    """Write a package as a folder, whole or not at all; see `evidence.export.folder` for what a crash leaves.

    Raises:
        EvidenceDamaged, ExportNoSpace, ExportTargetUnusable, LeaseLost: See `write_archive`.
        ExportTargetTaken: The target is there already.
    """
    require_free(target)
    done, total = 0, plan.bytes
    with blaming_target(target), writing_folder(target, {}) as folder, new_files() as files:
        folders = {folder}
        for member in plan.members:
            path = folder.joinpath(*member.path.split("/"))
            path.parent.mkdir(parents=True, exist_ok=True)
            folders |= {above for above in path.parents if above.is_relative_to(folder)}
            with files.new(path) as handle:
                if isinstance(member.source, Stored):
                    told = partial(_tell_from, progress, done, total)
                    _copy_out(locate(member.source.sha256), member.source, handle, stop, told)
                else:
                    _write_small(handle, member, 0)
            done += member.size
            progress(done, total)
        files.wait()
        for above in sorted(folders, key=lambda one: len(one.parts), reverse=True):
            sync_folder(above)


def _write_small(handle: int, member: Member, place: int) -> int:
    """Write a file that is no original; return the CRC-32 of it."""
    crc = 0
    for piece in member.pieces():
        _put(handle, memoryview(piece), place)
        crc, place = zlib.crc32(piece, crc), place + len(piece)
    return crc


def _copy_out(
    source: Path, stored: Stored, handle: int, stop: threading.Event, progress: Callable[[int], None]
) -> None:
    with write_behind(handle, step_bytes=SYNC_BYTES) as behind:

        def passed(_chunks: int, count: int, *_: int) -> None:
            progress(count)
            behind.reached(count)

        copy_proved(source, stored, handle, stop=stop, passed=passed)
        os.ftruncate(handle, stored.length)
        behind.wait()


def _recall(memory: Path, plan: Plan) -> tuple[_State, list[int]]:
    """Return how far an earlier attempt came; the beginning when it was of another plan, or cannot be read."""
    try:
        told = json.loads(memory.read_bytes())
        state, crcs = _State(int(told["member"]), int(told["chunks"]), int(told["crc"])), [*map(int, told["crcs"])]
        if (told["plan"], told["layout"]) == (plan.digest, LAYOUT) and len(crcs) == state.member:
            return state, crcs
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return _State(), []


@contextmanager
def _locked(part: Path) -> Iterator[int]:
    handle = os.open(part, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LeaseLost("another one writes this archive") from error
        yield handle
    finally:
        os.close(handle)


def _put(handle: int, view: memoryview, place: int) -> None:
    while view:
        count = os.pwrite(handle, view, place)
        view, place = view[count:], place + count


def forget_archive(target: Path) -> None:
    """Remove an archive with whatever a broken attempt left; nothing there is no fault."""
    for path in (target, Path(f"{target}{PART_SUFFIX}"), Path(f"{target}{STATE_SUFFIX}")):
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
