"""How a copy in the second store is, held against what is on record about it.

Bytes are not brought here: a storage that checks what it receives and states the checksum is believed about its bytes,
one that states none is read whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from evidence.objects.copy_store import RecordedCopy

if TYPE_CHECKING:
    from evidence.objects.s3 import S3Objects, StoredCopy

_SLACK = timedelta(seconds=1)
"""Storages keep the time of a lock in whole seconds."""


class CopyState(StrEnum):
    """How a copy is."""

    WHOLE = "whole"
    WAITING = "waiting"
    """There is none, and none is on record: it is still to be copied."""

    MISSING = "missing"
    DAMAGED = "damaged"
    REWRITTEN = "rewritten"
    """The right bytes, in another version than is on record."""

    UNLOCKED = "unlocked"


@dataclass(frozen=True, slots=True)
class ExaminedCopy:
    """How a copy is, and what the storage says of its present version; None when there is none."""

    state: CopyState
    stored: StoredCopy | None

    @property
    def is_readable(self) -> bool:
        """Whether its present version holds the right bytes."""
        return self.state in (CopyState.WHOLE, CopyState.REWRITTEN, CopyState.UNLOCKED)


def examine_copy(second: S3Objects, sha256: str, *, size: int, recorded: RecordedCopy | None) -> ExaminedCopy:
    """Ask the storage about an object's copy and judge it.

    Args:
        size: Bytes that the object has.
        recorded: The newest entry about the copy; None when none is on record.

    Raises:
        ObjectStoreUnreachable: Nobody can tell now.
    """
    stored = second.look(sha256)
    if stored is None:
        return ExaminedCopy(CopyState.WAITING if recorded is None else CopyState.MISSING, None)
    if stored.size != size or not has_right_bytes(second, stored, recorded, sha256=sha256):
        return ExaminedCopy(CopyState.DAMAGED, stored)
    if recorded is None:
        return ExaminedCopy(CopyState.WHOLE, stored)
    if recorded.version is not None and stored.version != recorded.version:
        return ExaminedCopy(CopyState.REWRITTEN, stored)
    return ExaminedCopy(CopyState.WHOLE if is_locked_as_recorded(stored, recorded) else CopyState.UNLOCKED, stored)


def has_right_bytes(
    second: S3Objects, stored: StoredCopy, recorded: RecordedCopy | None, *, sha256: str | None = None
) -> bool:
    """Tell whether a copy holds the bytes on record, by the checksums where both are stated, else by reading it.

    Args:
        sha256: The object's name; None to take it from the record.
    """
    if recorded is not None and recorded.checksum and stored.checksum:
        return stored.checksum == recorded.checksum
    name = sha256 if recorded is None else recorded.sha256.hex()
    return name is not None and second.digest(name) == name


def is_locked_as_recorded(stored: StoredCopy, recorded: RecordedCopy) -> bool:
    """Tell whether a copy's lock does not end before the time on record."""
    until = recorded.retained_until
    return until is None or (stored.retained_until is not None and stored.retained_until >= until - _SLACK)
