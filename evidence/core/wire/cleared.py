"""Cleared list: which files a dock has removed from a recorder, signed after it did so.

A dock may remove a file only when it holds a receipt for it that proves against the enrolled log key. The list closes
the story of the recorder: seen (inventory), sent (manifest), sealed (receipt), removed (this). Body of
`shilu/cleared/v1`:

```
{"at":time,"dock":uuid,"files":[{"clip":uuid,"path":path,"raw":bool,"sha256":hex},...],"recorder":text}
```
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from evidence.core.clock import format_time
from evidence.core.wire.fields import (
    check_name,
    check_time,
    take_boolean,
    take_digest,
    take_list,
    take_object,
    take_text,
    take_time,
    take_uuid,
)
from evidence.core.wire.inventory import INVENTORY_FILES_MAX
from evidence.core.wire.paths import check_path
from evidence.core.wire.statement import check_signed_by, format_text, open_text, parse_text, sign_statement
from evidence.errors import WireLimit, WireMalformed
from ledger.canonical import JsonValue
from ledger.note import Signer, Verifier

VERSION = "shilu/cleared/v1"

CLEARED_FILES_MAX = INVENTORY_FILES_MAX
"""Most files of one list: all that an inventory can name."""

_HASH_BYTES = 32
_FILE_NAMES = frozenset({"path", "raw", "clip", "sha256"})
_NAMES = frozenset({"dock", "recorder", "at", "files"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearedFile:
    """One file that was removed.

    Attributes:
        path: As in the inventory.
        clip: The clip under which its content is sealed.
        sha256: 32 bytes, digest of the removed content.
        raw: As in the inventory.
    """

    path: str
    clip: UUID
    sha256: bytes
    raw: bool = False

    def __post_init__(self) -> None:
        check_path(self.path, raw=self.raw)
        if len(self.sha256) != _HASH_BYTES:
            raise WireMalformed(f"sha256 has {len(self.sha256)} bytes instead of {_HASH_BYTES}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleared:
    """What a dock removed from one recorder.

    Attributes:
        dock: The dock that signs.
        recorder: As in the inventory.
        at: When the last of the files was removed, by the dock's clock.
        files: At least one, paths unique.
    """

    dock: UUID
    recorder: str
    at: datetime
    files: tuple[ClearedFile, ...]

    def __post_init__(self) -> None:
        check_name(self.recorder, where="recorder")
        check_time(self.at, where="at")
        if not 1 <= len(self.files) <= CLEARED_FILES_MAX:
            raise WireLimit(f"{len(self.files)} files, allowed are 1 to {CLEARED_FILES_MAX}")
        if len({(file.path, file.raw) for file in self.files}) != len(self.files):
            raise WireMalformed("a path is listed twice")


def format_cleared(cleared: Cleared) -> str:
    """Write a cleared list as the text that is signed.

    Raises:
        WireLimit: It is too long for a statement.
    """
    body: JsonValue = {
        "dock": str(cleared.dock),
        "recorder": cleared.recorder,
        "at": format_time(cleared.at),
        "files": [
            {"path": file.path, "raw": file.raw, "clip": str(file.clip), "sha256": file.sha256.hex()}
            for file in cleared.files
        ],
    }
    return format_text(body, version=VERSION)


def parse_cleared(text: str) -> Cleared:
    """Read what `format_cleared` wrote; no signature is checked.

    Raises:
        WireError: See its subclasses.
    """
    body = take_object(parse_text(text, version=VERSION), names=_NAMES, where="cleared list")
    files = take_list(body["files"], where="files", count_max=CLEARED_FILES_MAX)
    return Cleared(
        dock=take_uuid(body["dock"], where="dock"),
        recorder=take_text(body["recorder"], where="recorder"),
        at=take_time(body["at"], where="at"),
        files=tuple(_take_file(file) for file in files),
    )


def sign_cleared(cleared: Cleared, signer: Signer) -> bytes:
    """Return the signed note of a cleared list.

    Raises:
        WireSignature: The key is not the dock's.
        WireLimit: It is too long for a statement.
    """
    return sign_statement(format_cleared(cleared), dock=cleared.dock, signer=signer)


def open_cleared(note: bytes, verifiers: Sequence[Verifier]) -> Cleared:
    """Check the signature and return the list.

    Raises:
        WireSignature: It is not signed by the dock it speaks for, or that dock's key is not among `verifiers`.
        WireError: It is no cleared list; see the subclasses.
    """
    text, names = open_text(note, verifiers=verifiers)
    cleared = parse_cleared(text)
    check_signed_by(cleared.dock, names)
    return cleared


def _take_file(value: JsonValue) -> ClearedFile:
    body = take_object(value, names=_FILE_NAMES, where="file")
    return ClearedFile(
        path=take_text(body["path"], where="path"),
        raw=take_boolean(body["raw"], where="raw"),
        clip=take_uuid(body["clip"], where="clip"),
        sha256=take_digest(body["sha256"], where="sha256"),
    )
