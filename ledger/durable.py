"""Durable files: the only code that finishes a file anybody will rely on.

A file is finished in four steps, and a crash after any of them leaves either the old state or the new one:

1. the bytes are in a temporary file                         crash: a `.tmp-` file that nobody reads, removed at start
2. fsync of that file                                        crash: the same
3. rename or link onto the final name                        crash: old or new name, never a mixture
4. fsync of the folder                                       only now may anybody be told

Functions here raise `OSError` as the system gives it; the caller knows whether that is a full disk to wait for.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Mapping
from pathlib import Path

TEMPORARY_PREFIX = ".tmp-"


def sync_file(path: Path) -> None:
    """Bring a file's bytes and metadata to the disk."""
    _sync(path, os.O_RDONLY)


def sync_folder(path: Path) -> None:
    """Bring a folder's entries to the disk, so that a name created or removed in it survives a power cut."""
    _sync(path, os.O_RDONLY | os.O_DIRECTORY)


def make_folders(path: Path) -> None:
    """Create a folder and its missing parents, each synced into the folder above it."""
    missing = []
    while not path.exists():
        missing.append(path)
        path = path.parent
    for folder in reversed(missing):
        with contextlib.suppress(FileExistsError):
            folder.mkdir()
        sync_folder(folder.parent)


def write_file(path: Path, data: bytes, *, mode: int = 0o444) -> None:
    """Write a whole file or nothing: after the return `path` holds exactly `data`, power cut or not.

    An existing file is replaced in one step. `mode` is the file's permission bits, read-only for all by default.
    """
    temporary = _write_temporary(path.parent, data, mode)
    with contextlib.ExitStack() as undo:
        undo.callback(temporary.unlink, missing_ok=True)
        temporary.rename(path)
        undo.pop_all()
    sync_folder(path.parent)


def create_files(files: Mapping[Path, bytes], *, scratch: Path, mode: int = 0o444) -> list[Path]:
    """Write whole files under names of their own, with one sync for each folder instead of one for each file.

    A name that is already taken keeps its file. It is synced too, because a crash may have come before that, and
    returned, so that the caller can compare.

    Args:
        files: What to write; the folders must exist.
        scratch: Folder of the temporary files, on the same file system.
        mode: Permission bits, read-only for all by default.
    """
    temporaries: dict[Path, Path] = {}
    taken = []
    try:
        for path, data in files.items():
            temporaries[path] = _write_temporary(scratch, data, mode)
        for path, temporary in temporaries.items():
            try:
                # link(2) refuses to replace; rename(2) would silently swap a file others already rely on.
                path.hardlink_to(temporary)
            except FileExistsError:
                sync_file(path)
                taken.append(path)
    finally:
        for temporary in temporaries.values():
            temporary.unlink(missing_ok=True)
    for folder in dict.fromkeys(path.parent for path in files):
        sync_folder(folder)
    return taken


def publish_file(source: Path, target: Path, *, mode: int = 0o444) -> None:
    """Move a finished file to its final, write-once name on the same file system.

    If `target` is already there with the same size it is kept and `source` removed: names under which files are
    published are derived from their content, so it is the same file put there before a crash.

    Raises:
        FileExistsError: `target` is there with another size, so one of the two is damaged; both are kept.
    """
    source.chmod(mode)
    sync_file(source)
    make_folders(target.parent)
    try:
        target.hardlink_to(source)
    except FileExistsError:
        if target.stat().st_size != source.stat().st_size:
            raise
    sync_folder(target.parent)
    source.unlink()
    sync_folder(source.parent)


def remove_temporaries(folder: Path, *, idle_seconds: float = 0.0) -> int:
    """Remove what a crash between steps 1 and 3 left in a folder; return how many files that were.

    Args:
        folder: Where to look; not below it.
        idle_seconds: Only files that nobody has written to for so long. 0 is for whoever alone writes into the folder:
            a file of another, living writer would be taken out of its hands.
    """
    removed = 0
    for path in folder.glob(f"{TEMPORARY_PREFIX}*"):
        with contextlib.suppress(FileNotFoundError):
            if idle_seconds and time.time() - path.stat().st_mtime < idle_seconds:
                continue
            path.unlink()
            removed += 1
    return removed


def _write_temporary(folder: Path, data: bytes, mode: int) -> Path:
    path = folder / f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}"
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with contextlib.ExitStack() as undo:
        undo.callback(path.unlink, missing_ok=True)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(handle, view) :]
            os.fsync(handle)
        finally:
            os.close(handle)
        undo.pop_all()
    return path


def _sync(path: Path, flags: int) -> None:
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
