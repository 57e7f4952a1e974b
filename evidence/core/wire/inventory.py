"""Inventory: what a dock sees on a recorder, signed before a single byte moves.

It is the proof of completeness: a file that is listed here and never arrives is a gap with a name. The service writes
the signed note whole into the ledger. Body of `shilu/inventory/v1`:

```
{"dock":uuid,"dock_clock":time,"files":[{"key_mark":bool,"modified_at":time,"officer":text|null,"order":int,"path":path,
"raw":bool,"recorded_at":time|null,"size":bytes},...],"id":uuid,"profile":text,"recorder":text,"seen_at":time}
```

`seen_at` is when the dock looked, by its own clock; `dock_clock` is what that clock said when the note was made. Files
stand in ascending `order`; no path occurs twice. A recorder without a file has an inventory too: it says so.

`shilu/inventory/v2` has one more field, `docking`: the circumstances under which it was made, see
`evidence.core.wire.docking`. Inventories of the first version stay readable for ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from uuid import UUID

from evidence.core.clock import format_time
from evidence.core.wire.docking import Docking, docking_body, take_docking
from evidence.core.wire.fields import (
    check_integer,
    check_name,
    check_time,
    take_boolean,
    take_integer,
    take_list,
    take_object,
    take_optional,
    take_text,
    take_time,
    take_uuid,
)
from evidence.core.wire.paths import check_path
from evidence.core.wire.statement import check_signed_by, format_text, open_text, parse_text, sign_statement
from evidence.errors import WireLimit, WireMalformed
from ledger.canonical import JsonObject, JsonValue
from ledger.note import Signer, Verifier

VERSION = "shilu/inventory/v1"
VERSION_WITH_DOCKING = "shilu/inventory/v2"

INVENTORY_FILES_MAX = 10_000
"""Most files of one inventory; a 512 GB card of five-minute segments holds about 3,000."""

_FILE_NAMES = frozenset({"path", "raw", "size", "modified_at", "order", "recorded_at", "officer", "key_mark"})
_NAMES = frozenset({"id", "dock", "recorder", "seen_at", "dock_clock", "profile", "files"})


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryFile:
    """One file on a recorder, as the dock sees it before reading it.

    Attributes:
        path: Below the recorder's root; see `evidence.core.wire.paths`.
        raw: Whether the path is escaped because its bytes are not UTF-8.
        size: Bytes, 0 included: an empty file is listed although it cannot be evidence.
        modified_at: Time of last modification as the file system states it.
        order: Place in the recorder's own sequence, ascending within the inventory.
        recorded_at: Start of the recording by the recorder's clock, where its name tells.
        officer: Number of the officer, where the name tells.
        key_mark: Whether the officer marked the recording as important.
    """

    path: str
    size: int
    modified_at: datetime
    order: int
    raw: bool = False
    recorded_at: datetime | None = None
    officer: str | None = None
    key_mark: bool = False

    def __post_init__(self) -> None:
        check_path(self.path, raw=self.raw)
        check_integer(self.size, where="size")
        check_time(self.modified_at, where="modified_at")
        check_integer(self.order, where="order")
        if self.recorded_at is not None:
            check_time(self.recorded_at, where="recorded_at")
        if self.officer is not None:
            check_name(self.officer, where="officer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """Everything a dock sees on one recorder at one moment.

    Attributes:
        id: Made by the dock; stating the same inventory again changes nothing.
        dock: The dock that signs.
        recorder: The recorder's number as the profile reads it.
        seen_at: When the dock looked, by the dock's clock.
        dock_clock: What the dock's clock said when the note was made.
        profile: Name of the layout profile that read the recorder.
        files: In ascending `order`, paths unique.
        docking: The circumstances; None in the first version of the format.
    """

    id: UUID
    dock: UUID
    recorder: str
    seen_at: datetime
    dock_clock: datetime
    profile: str
    files: tuple[InventoryFile, ...]
    docking: Docking | None = None

    def __post_init__(self) -> None:
        check_name(self.recorder, where="recorder")
        check_name(self.profile, where="profile")
        check_time(self.seen_at, where="seen_at")
        check_time(self.dock_clock, where="dock_clock")
        if len(self.files) > INVENTORY_FILES_MAX:
            raise WireLimit(f"{len(self.files)} files, at most {INVENTORY_FILES_MAX} are allowed")
        if any(left.order >= right.order for left, right in pairwise(self.files)):
            raise WireMalformed("the files do not stand in ascending order")
        if len({(file.path, file.raw) for file in self.files}) != len(self.files):
            raise WireMalformed("a path is listed twice")


def format_inventory(inventory: Inventory) -> str:
    """Write an inventory as the text that is signed.

    Raises:
        WireLimit: It is too long for a statement.
    """
    body: JsonObject = {
        "id": str(inventory.id),
        "dock": str(inventory.dock),
        "recorder": inventory.recorder,
        "seen_at": format_time(inventory.seen_at),
        "dock_clock": format_time(inventory.dock_clock),
        "profile": inventory.profile,
        "files": [_file_body(file) for file in inventory.files],
    }
    if inventory.docking is None:
        return format_text(body, version=VERSION)
    return format_text({**body, "docking": docking_body(inventory.docking)}, version=VERSION_WITH_DOCKING)


def parse_inventory(text: str) -> Inventory:
    """Read what `format_inventory` wrote; no signature is checked.

    Raises:
        WireError: See its subclasses.
    """
    has_docking = text.startswith(f"{VERSION_WITH_DOCKING}\n")
    version, names = (VERSION_WITH_DOCKING, _NAMES | {"docking"}) if has_docking else (VERSION, _NAMES)
    body = take_object(parse_text(text, version=version), names=names, where="inventory")
    files = take_list(body["files"], where="files", count_max=INVENTORY_FILES_MAX)
    return Inventory(
        id=take_uuid(body["id"], where="id"),
        dock=take_uuid(body["dock"], where="dock"),
        recorder=take_text(body["recorder"], where="recorder"),
        seen_at=take_time(body["seen_at"], where="seen_at"),
        dock_clock=take_time(body["dock_clock"], where="dock_clock"),
        profile=take_text(body["profile"], where="profile"),
        files=tuple(_take_file(file) for file in files),
        docking=take_docking(body["docking"], where="docking") if has_docking else None,
    )


def sign_inventory(inventory: Inventory, signer: Signer) -> bytes:
    """Return the signed note of an inventory.

    Raises:
        WireSignature: The key is not the dock's.
        WireLimit: It is too long for a statement.
    """
    return sign_statement(format_inventory(inventory), dock=inventory.dock, signer=signer)


def open_inventory(note: bytes, verifiers: Sequence[Verifier]) -> Inventory:
    """Check the signature and return the inventory.

    Raises:
        WireSignature: It is not signed by the dock it speaks for, or that dock's key is not among `verifiers`.
        WireError: It is no inventory; see the subclasses.
    """
    text, names = open_text(note, verifiers=verifiers)
    inventory = parse_inventory(text)
    check_signed_by(inventory.dock, names)
    return inventory


def _file_body(file: InventoryFile) -> JsonValue:
    return {
        "path": file.path,
        "raw": file.raw,
        "size": file.size,
        "modified_at": format_time(file.modified_at),
        "order": file.order,
        "recorded_at": None if file.recorded_at is None else format_time(file.recorded_at),
        "officer": file.officer,
        "key_mark": file.key_mark,
    }


def _take_file(value: JsonValue) -> InventoryFile:
    body = take_object(value, names=_FILE_NAMES, where="file")
    return InventoryFile(
        path=take_text(body["path"], where="path"),
        raw=take_boolean(body["raw"], where="raw"),
        size=take_integer(body["size"], where="size"),
        modified_at=take_time(body["modified_at"], where="modified_at"),
        order=take_integer(body["order"], where="order"),
        recorded_at=take_optional(body["recorded_at"], take_time, where="recorded_at"),
        officer=take_optional(body["officer"], take_text, where="officer"),
        key_mark=take_boolean(body["key_mark"], where="key_mark"),
    )
