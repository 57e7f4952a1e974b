"""Damaged objects of a local store put aside, and good bytes put in their place. Nothing is ever deleted here.

What is in the store's quarantine is the journal of a restoration under way, so that whatever a crash leaves is gone on
with by the same calls. Its name is `<digest that was asked for>.<restoration>.<what was wrong>`:

1. `begin`          the damaged file gets a second name in the       crash: two names of the same damaged bytes; the
                    quarantine; for one that is missing there is     next round finds this name and goes on with it
                    an empty note instead
2. `put_in_place`   the good file takes the name in one step, so     crash: good bytes under the name, and nothing on
                    that a reader meets the old bytes or the good    record: the next round records it
3. the record       (the caller's transaction)                       crash: the same, or only the note is left
4. `finish`         the note of a missing one is removed             crash: a note of what is on record; removed

A damaged file keeps its inode, and with it its times: whoever examines it finds it as it lay. All calls block.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from uuid import UUID

from evidence.errors import ObjectMissing
from evidence.objects.local import LocalObjects
from evidence.objects.store import is_name
from ledger.durable import make_folders, sync_folder, write_file


class Condition(StrEnum):
    """How an object lies in a store."""

    WHOLE = "whole"
    MISSING = "missing"
    DAMAGED = "damaged"
    UNREADABLE = "unreadable"
    """The storage fails on the way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What was found under an object's name.

    Attributes:
        held: SHA-256 of the bytes that lie there, 32 bytes; None when they are missing or unreadable.
        held_size: Bytes that lie there; None when it is missing.
        identity: Tells the file from any other, and from itself after a change; None when it is missing.
    """

    condition: Condition
    held: bytes | None = None
    held_size: int | None = None
    identity: tuple[int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class Aside:
    """A file in the quarantine of a store: damaged bytes, or the note that there were none."""

    path: Path
    sha256: str
    restoration: UUID
    reason: Condition


def examine(objects: LocalObjects, sha256: str) -> Examined:
    """Read an object whole and say how it is."""
    try:
        return examine_file(objects.open_path(sha256), sha256)
    except (ObjectMissing, FileNotFoundError):
        return Examined(condition=Condition.MISSING)


def examine_file(path: Path, sha256: str) -> Examined:
    """Read a file whole and say whether it is that object.

    Raises:
        FileNotFoundError: There is no file.
    """
    identity = _identity(path)
    try:
        with path.open("rb") as file:
            held = hashlib.file_digest(file, "sha256").digest()
    except FileNotFoundError:
        raise
    except OSError:
        return Examined(condition=Condition.UNREADABLE, held_size=identity[1], identity=identity)
    condition = Condition.WHOLE if held.hex() == sha256 else Condition.DAMAGED
    return Examined(condition=condition, held=held, held_size=identity[1], identity=identity)


def asides(objects: LocalObjects, sha256: str | None = None) -> Iterator[Aside]:
    """Yield what is in the quarantine of a store, all of it or about one object, in order of names."""
    if not objects.quarantine.is_dir():
        return
    for path in sorted(objects.quarantine.glob("*" if sha256 is None else f"{sha256}.*")):
        if (aside := _parse(path)) is not None:
            yield aside


def find_aside(objects: LocalObjects, sha256: str, seen: Examined) -> Aside | None:
    """Return what an interrupted restoration left that this very state of an object belongs to."""
    for aside in asides(objects, sha256):
        if aside.reason is seen.condition and (seen.identity is None or _identity(aside.path) == seen.identity):
            return aside
    return None


def begin(objects: LocalObjects, sha256: str, seen: Examined, *, restoration: UUID) -> Aside | None:
    """Put a damaged file aside, or note that an object is missing; None when it is not as it was seen any more.

    Args:
        seen: What `examine` found.
        restoration: Names it; unused where an interrupted restoration is gone on with.

    Raises:
        OSError: The disk refused; the object lies as it did.
    """
    if _identity_of(objects, sha256) != seen.identity:
        return None
    if (aside := find_aside(objects, sha256, seen)) is not None:
        return aside
    make_folders(objects.quarantine)
    path = objects.quarantine / f"{sha256}.{restoration}.{seen.condition}"
    if seen.identity is None:
        write_file(path, b"")
        return Aside(path, sha256, restoration, seen.condition)
    path.hardlink_to(objects.place(sha256))
    sync_folder(objects.quarantine)
    if _identity(path) != seen.identity:
        # Somebody was faster; what got the second name here is theirs.
        path.unlink()
        return None
    return Aside(path, sha256, restoration, seen.condition)


def put_in_place(objects: LocalObjects, good: Path, sha256: str) -> None:
    """Give a finished file, synced and compared with the digest, the object's name.

    Raises:
        OSError: The disk refused; the name leads to what it did, or to the good file.
    """
    target = objects.place(sha256)
    make_folders(target.parent)
    good.rename(target)
    sync_folder(target.parent)


def finish(aside: Aside) -> None:
    """Remove the note of a missing object, once the restoration is on record; damaged bytes stay."""
    if aside.reason is Condition.MISSING:
        aside.path.unlink(missing_ok=True)
        sync_folder(aside.path.parent)


def _parse(path: Path) -> Aside | None:
    parts = path.name.split(".")
    try:
        sha256, restoration, reason = parts[0], UUID(parts[1]), Condition(parts[2])
    except (IndexError, ValueError):
        return None
    return Aside(path, sha256, restoration, reason) if len(parts) == 3 and is_name(sha256) else None


def _identity_of(objects: LocalObjects, sha256: str) -> tuple[int, int, int] | None:
    try:
        return _identity(objects.open_path(sha256))
    except (ObjectMissing, FileNotFoundError):
        return None


def _identity(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns
