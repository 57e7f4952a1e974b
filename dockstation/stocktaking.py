"""Stocktaking: from what lies on a card to the inventory that states it. Pure.

A card usually has one recorder's files. Where names tell serial numbers, each serial gets an inventory of its own;
files whose names tell none belong to the one recorder the others name. When there is none, or several, the card's own
identity stands for the recorder (`detect.volume`), and where the machine tells none, the slot's name.

An inventory has limits. Beyond them files that are still to be settled come first, so a card with more files than one
inventory can list is worked off all the same, look by look.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from dockstation.card import FileKey, Remark, SeenFile
from dockstation.detect.volume import Volume
from dockstation.journal import FileRow, ListedFile
from dockstation.layout import Kind, Profile
from evidence.core.wire.docking import Device, Docking
from evidence.core.wire.fields import check_name
from evidence.core.wire.inventory import INVENTORY_FILES_MAX, Inventory, InventoryFile
from evidence.core.wire.statement import STATEMENT_BYTES_MAX
from evidence.errors import WireError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST = datetime(1601, 1, 1, tzinfo=UTC)
_LATEST = datetime(9999, 12, 31, tzinfo=UTC)
_FILE_BYTES = 320
"""Room for one file in a statement besides its path: field names, numbers, two times, an officer's number."""


@dataclass(frozen=True, slots=True)
class Holding:
    """The files of one recorder on a card, in the recorder's own order."""

    recorder: str
    files: tuple[ListedFile, ...]


def sort_out(
    files: Sequence[SeenFile], *, profile: Profile, slot: str, card: str | None = None
) -> tuple[tuple[Holding, ...], tuple[Remark, ...]]:
    """Return the recorders of a card with their files, and remarks on what the profile ignores.

    Args:
        slot: Name of the slot it is in.
        card: The card's own identity, where the machine tells.
    """
    listed = [ListedFile(seen, profile.read(seen.path)) for seen in files]
    ignored = tuple(
        Remark(item.seen.path, "ignored", item.reading.why) for item in listed if item.reading.kind is Kind.IGNORED
    )
    kept = [item for item in listed if item.reading.kind is not Kind.IGNORED]
    serials = {item.reading.recorder for item in kept if item.reading.recorder is not None}
    fallback = serials.pop() if len(serials) == 1 else recorder_name(card or slot)
    groups: dict[str, list[ListedFile]] = {}
    for item in kept:
        groups.setdefault(item.reading.recorder or fallback, []).append(item)
    return tuple(Holding(recorder, _in_order(groups[recorder])) for recorder in sorted(groups)), ignored


def select(holding: Holding, *, settled: frozenset[FileKey], listed: frozenset[FileKey]) -> tuple[Holding, int]:
    """Return what goes into one inventory, and how many files that are still to be settled do not fit.

    Args:
        settled: Files about which nothing is left to be done but clearing.
        listed: Files of the newest inventory; they stay listed while there is room, so that a card on which nothing
            happens makes no new inventory.
    """
    waiting = [item for item in holding.files if item.seen.key not in settled]
    done = [item for item in holding.files if item.seen.key in settled]
    done.sort(key=lambda item: item.seen.key not in listed)
    room = STATEMENT_BYTES_MAX * 15 // 16
    chosen: set[SeenFile] = set()
    for item in (*waiting, *done):
        room -= _FILE_BYTES + len(json.dumps(item.seen.path, ensure_ascii=False).encode("utf-8"))
        if room < 0 or len(chosen) == INVENTORY_FILES_MAX:
            break
        chosen.add(item.seen)
    files = tuple(item for item in holding.files if item.seen in chosen)
    return Holding(holding.recorder, files), sum(item.seen not in chosen for item in waiting)


def state_inventory(
    holding: Holding,
    *,
    inventory: UUID,
    dock: UUID,
    seen_at: datetime,
    dock_clock: datetime,
    profile: str,
    docking: Docking | None = None,
) -> Inventory:
    """Return the inventory of a recorder's files."""
    files = tuple(
        InventoryFile(
            path=item.seen.path,
            raw=item.seen.raw,
            size=item.seen.size,
            modified_at=instant_of(item.seen.modified_ns),
            order=order,
            recorded_at=item.reading.recorded_at,
            officer=item.reading.officer,
            key_mark=item.reading.key_mark,
        )
        for order, item in enumerate(holding.files)
    )
    return Inventory(
        id=inventory,
        dock=dock,
        recorder=holding.recorder,
        seen_at=seen_at,
        dock_clock=dock_clock,
        profile=profile,
        files=files,
        docking=docking,
    )


def device_of(volume: Volume | None) -> Device:
    """Return what statements say of a card's device: only what they may carry."""
    if volume is None:
        return Device()
    return Device(serial=_sound(volume.serial), volume=_sound(volume.mark), model=_sound(volume.model))


def sending_order(rows: Sequence[FileRow]) -> list[FileRow]:
    """Return rows in the order of sending: what the officer marked first, then as recorded."""
    return sorted(rows, key=lambda row: (not row.key_mark, row.order))


def still(first: Sequence[SeenFile], second: Sequence[SeenFile]) -> tuple[list[SeenFile], tuple[Remark, ...]]:
    """Return the files that are the same in two looks, and remarks on those that are being written."""
    before: Mapping[bytes, SeenFile] = {file.name: file for file in first}
    same = [file for file in second if before.get(file.name) == file]
    moving = tuple(
        Remark(file.path, "growing", "it is still being written") for file in second if before.get(file.name) != file
    )
    return same, moving


def instant_of(nanoseconds: int) -> datetime:
    """Return a file time as an instant; what no statement can carry becomes the nearest that one can."""
    try:
        return min(max(_EPOCH + timedelta(microseconds=nanoseconds // 1000), _EARLIEST), _LATEST)
    except OverflowError:
        return _EARLIEST if nanoseconds < 0 else _LATEST


def recorder_name(slot: str) -> str:
    """Return a recorder's name for a card whose files tell none: the slot's name, as far as statements can carry it."""
    name = " ".join(slot.split())[:64].strip()
    try:
        check_name(name, where="recorder")
    except WireError:
        return "slot-" + hashlib.sha256(slot.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return name


def _in_order(files: list[ListedFile]) -> tuple[ListedFile, ...]:
    def key(item: ListedFile) -> tuple[datetime, bytes]:
        return (item.reading.recorded_at or instant_of(item.seen.modified_ns), item.seen.name)

    return tuple(sorted(files, key=key))


def _sound(text: str | None) -> str | None:
    try:
        check_name(text or "", where="device")
    except WireError:
        return None
    return text
