"""The journal's vocabulary: the states of a file, in the only order they may come, and the row that remembers it.

```
seen -> inventoried ----------> uploading -> uploaded -> sealed -> receipt_verified -> clearable -> cleared
  |         |  |____> copied _____^  |            |          |
  |         |           |            |            |          |
  |_________|___________|____________|____________|__________|____> refused     the service will never take it
  |_________|___________|____________|____________|__________|____> abandoned   it changed, or is sent anew as a new row
```

What each state means, and what a crash right after it costs:

| state | what is certain | after a crash |
|---|---|---|
| seen | it lay on the recorder | the inventory is made again |
| inventoried | the service has logged an inventory that lists it | it is copied or uploaded |
| copied | the whole file lies in the station's spool, synced, and its digests are known | it is uploaded from there |
| uploading | the service acknowledged `offset_bytes` | the offset is asked, the prefix re-read, the rest sent |
| uploaded | all bytes are acknowledged, the digests are known | the same manifest is sent again, and answered alike |
| sealed | the service names the clip | the receipt is asked for again |
| receipt_verified | a receipt proves these very bytes against the enrolled log key, and lies in `receipts/` | nothing |
| clearable | not marked by the officer, and kept as long as configured | nothing |
| cleared | removed from the recorder | the signed list of what was cleared is sent again |

Only a station with a spool (spool.py) knows `copied`; there `spool` names the file in it, a part of the original in
`inventoried`, the whole of it from `copied` on.

SQL is in the journal's store modules, the rules once more in schema/.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID

from dockstation.card import SeenFile
from dockstation.intake import Prefix
from dockstation.layout import Reading
from evidence.core.digest import CHUNK_BYTES, ClipDigest


class State(Enum):
    """State of a file; see the module's front page."""

    SEEN = "seen"
    INVENTORIED = "inventoried"
    COPIED = "copied"
    UPLOADING = "uploading"
    UPLOADED = "uploaded"
    SEALED = "sealed"
    RECEIPT_VERIFIED = "receipt_verified"
    CLEARABLE = "clearable"
    CLEARED = "cleared"
    REFUSED = "refused"
    ABANDONED = "abandoned"


RECEIPTED = frozenset({State.RECEIPT_VERIFIED, State.CLEARABLE, State.CLEARED})
"""The file's bytes are provably in the log; the recorder is no longer their only place."""

TO_SEND = frozenset({State.INVENTORIED, State.COPIED, State.UPLOADING})
"""Bytes are missing at the service; the card is needed for them, unless a whole copy lies in the spool."""

TO_SETTLE = frozenset({State.UPLOADED, State.SEALED})
"""Only the service is needed."""

FINAL = RECEIPTED | {State.REFUSED, State.ABANDONED}
"""Nothing more is done about the file by itself, but clearing."""


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file on a card together with what the profile reads from its name."""

    seen: SeenFile
    reading: Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRow:
    """A file as the journal knows it; the columns are explained in schema/0002_copied.sql."""

    id: int
    dock: UUID
    recorder: str
    seen: SeenFile
    order: int
    key_mark: bool
    state: State
    inventory: UUID | None
    upload: str | None
    offset_bytes: int
    prefix: Prefix | None
    read_identity: tuple[int, int] | None
    root: bytes | None
    sha256: bytes | None
    clip: UUID | None
    entry: UUID | None
    trouble: str | None
    verified_at: datetime | None
    clearing_root: str | None
    spool: str | None = None

    @property
    def path(self) -> str:
        """Return the path as statements write it."""
        return self.seen.path

    @property
    def is_copied(self) -> bool:
        """Tell whether the whole file lies in the station's spool."""
        return self.spool is not None and self.root is not None

    @property
    def is_safe(self) -> bool:
        """Tell whether the recorder is no longer the only place of the file: receipted, or copied and on its way."""
        return self.state in RECEIPTED or (self.is_copied and self.state in TO_SEND | TO_SETTLE)

    @property
    def digest(self) -> ClipDigest | None:
        """Return the digests that the dock computed, once it has read the whole file."""
        if self.root is None or self.sha256 is None:
            return None
        chunks = -(-self.seen.size // CHUNK_BYTES)
        return ClipDigest(
            size=self.seen.size, chunk_bytes=CHUNK_BYTES, chunks=chunks, root=self.root, sha256=self.sha256
        )


@dataclass(frozen=True, slots=True)
class Stock:
    """What `take_stock` found.

    Attributes:
        rows: The files of this look, in the order given.
        changed: Whether they are others than the newest inventory lists.
    """

    rows: tuple[FileRow, ...]
    changed: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the files of one recorder are that its newest inventory lists.

    Attributes:
        recorder: Its number.
        files: How many.
        bytes: Their size.
        safe_files: How many are receipted, or lie whole in the spool.
        safe_bytes: Their size.
        receipted_files: How many are receipted.
    """

    recorder: str
    files: int
    bytes: int
    safe_files: int
    safe_bytes: int
    receipted_files: int


@dataclass(frozen=True, slots=True)
class WaitingNote:
    """A signed statement that the service has not acknowledged yet."""

    id: UUID
    kind: str
    recorder: str
    note: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotView:
    """What the station shows of a slot.

    Attributes:
        name: Name of the slot's folder.
        root: Where it is.
        recorder: Number of the recorder in it, where known.
        phase: `reading`, `waiting`, `copied`, `done`, `trouble`, `gone`.
        safe: Whether the recorder may be taken out and nothing is lost by it.
        message: One sentence, for `trouble`.
        remarks: Paths on the card that are not read, with reasons.
        at: When this was so.
    """

    name: str
    root: str
    recorder: str | None
    phase: str
    safe: bool
    message: str
    remarks: tuple[tuple[str, str, str], ...]
    at: datetime
