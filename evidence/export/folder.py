"""Writing an evidence folder: whole or not at all, and never a byte that is not the sealed one.

1. a folder `.tmp-<hex>` is made beside the target          crash: a folder nobody asks about, its name says so
2. the original is copied into it, hashed on the way,       crash: the same
   compared with the sealed digest, synced
3. the small files are written                              crash: the same
4. the folder is synced, renamed to the target's name,      only now the export exists
   and the folder above it synced

The target may be a stick with exFAT or FAT: no hard links, no owners are needed. Everything here blocks; run it in a
thread, and set `stop` to make it give up within one chunk and clean up.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from evidence.core.digest import CHUNK_BYTES, ClipDigest, ClipHasher, first_difference
from evidence.core.durable import TEMPORARY_PREFIX, sync_file, sync_folder, write_file
from evidence.errors import EvidenceDamaged, ExportNoSpace, ExportTargetTaken, ExportTargetUnusable
from evidence.verify.hashing import Progress

_READ_ONLY = 0o444


def write_evidence_folder(
    target: Path,
    *,
    original: Path,
    name: str,
    digest: ClipDigest,
    leaves: list[bytes],
    small_files: Mapping[str, bytes],
    stop: threading.Event,
    progress: Progress | None = None,
) -> None:
    """Write a folder with a copy of an original and some small files.

    Args:
        target: The folder to make; its parent must exist.
        original: Where the original lies.
        name: Its file name in the folder.
        digest: What was sealed; a copy that comes to anything else is thrown away.
        leaves: Proved leaf hashes, to say where it differs.
        small_files: Name -> content.
        stop: Set it to give up; `ExportTargetUnusable` is raised then.
        progress: Called with bytes done and bytes in all, from this thread.

    Raises:
        ExportTargetTaken: The target is there already.
        ExportTargetUnusable: It cannot be written, or `stop` was set.
        EvidenceDamaged: The original cannot be read, or is not what was sealed.
    """
    with writing_folder(target, small_files) as folder:
        copied = _copy(original, folder / name, total=digest.size, stop=stop, progress=progress)
        _compare(copied, digest, leaves)


@contextmanager
def writing_folder(target: Path, small_files: Mapping[str, bytes]) -> Iterator[Path]:
    """Give a folder to write into, put the small files beside what was written, and let it appear whole.

    Raises:
        ExportTargetTaken: The target is there already.
        ExportTargetUnusable: It cannot be written.
    """
    require_free(target)
    with blaming_target(target):
        folder = target.parent / f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}"
        folder.mkdir()
        with ExitStack() as undo:
            undo.callback(shutil.rmtree, folder, ignore_errors=True)
            yield folder
            for small_name, content in small_files.items():
                write_file(folder / small_name, content)
            sync_folder(folder)
            folder.rename(target)
            undo.pop_all()
        sync_folder(target.parent)


def require_free(target: Path) -> None:
    """Refuse a target that is there, be it a folder, a file or a link that leads nowhere.

    Raises:
        ExportTargetTaken: It is.
        ExportTargetUnusable: Nobody can tell, for example because the name is too long.
    """
    with blaming_target(target):
        taken = target.exists() or target.is_symlink()
    if taken:
        raise ExportTargetTaken(f"{target} is there already", target=str(target))


def _copy(original: Path, copy: Path, *, total: int, stop: threading.Event, progress: Progress | None) -> ClipHasher:
    hasher = ClipHasher()
    handle = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _READ_ONLY)
    try:
        for chunk in _chunks(original):
            if stop.is_set():
                raise ExportTargetUnusable("the export was given up", target=str(copy.parent))
            hasher.update(chunk)
            view = memoryview(chunk)
            while view:
                view = view[os.write(handle, view) :]
            if progress:
                progress(hasher.size, total)
    finally:
        os.close(handle)
    sync_file(copy)
    return hasher


def _chunks(original: Path) -> Iterator[bytes]:
    try:
        with original.open("rb", buffering=0) as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk
    except OSError as error:
        raise EvidenceDamaged(f"the stored original cannot be read: {error.strerror}") from error


def _compare(copied: ClipHasher, digest: ClipDigest, leaves: list[bytes]) -> None:
    if copied.size and copied.digest() == digest:
        return
    chunk = first_difference(leaves, copied.all_leaves() if copied.size else [])
    raise EvidenceDamaged(
        f"the stored original is not what was sealed; it differs from chunk {chunk} on",
        first_byte=None if chunk is None else chunk * digest.chunk_bytes,
        sealed_bytes=digest.size,
        stored_bytes=copied.size,
    )


@contextmanager
def blaming_target(target: Path) -> Iterator[None]:
    """Say of a failed system call which place could not be written, and whether it is full.

    Raises:
        ExportNoSpace, ExportTargetUnusable: A call within the block failed.
    """
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            message = f"there is no room for {target}: make some, or choose another disk"
            raise ExportNoSpace(message, target=str(target)) from error
        raise ExportTargetUnusable(f"{target} cannot be written: {error.strerror}", target=str(target)) from error
