"""What a package says of one exhibit, read from the record as of a checkpoint: proved, or not handed over.

Receipts of everything on record about the clip go along, each against that same checkpoint, so the custody log is not a
claim of the service but a list of things that the log of that day holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from evidence.cases.cases import get_case
from evidence.cases.store import CaseRow, exhibits_after
from evidence.clips.store import read_leaves
from evidence.core.wire.receipt import Receipt, format_receipt
from evidence.db.pool import Connection
from evidence.errors import EvidenceDamaged, ExportEmpty, ExportTooLarge
from evidence.export.clip import Exporter, Proven, in_thread, locate_original, prove_kept_leaves
from evidence.export.enclosing import Enclosed
from evidence.export.trail import LOOK, History, read_history, trail_of
from evidence.receipts import build_receipt
from evidence.verify.archived import SHELVES
from ledger.canonical import JsonObject
from ledger.publish import stored_checkpoint

EXHIBITS_MAX = 10_000
"""Most exhibits of one package."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """One exhibit as it is handed over.

    Attributes:
        number: Its number in the case; its place in the list where there is no case.
        proven: The receipt, judged.
        leaves: Proved leaf hashes, one after the other.
        history: What is on record about it.
        custody: The receipts of all of that but looks at many clips, in the same order.
        observations: What the continuity of the file gives occasion to note, with its innocent causes.
        enclosed: What of the original is handed over; None for all of it.
        shelf: `exhibits`, or `documents` for a file of the case that is no exhibit.
    """

    number: int
    proven: Proven
    leaves: bytes = field(repr=False)
    history: History = field(repr=False)
    custody: tuple[Receipt, ...] = field(repr=False)
    trail: JsonObject = field(repr=False)
    observations: tuple[Mapping[str, Any], ...] = ()
    enclosed: Enclosed | None = None
    shelf: str = SHELVES[0]

    @property
    def clip(self) -> UUID:
        """The clip."""
        return self.proven.sealed.clip

    @property
    def annotation(self) -> JsonObject | None:
        """The newest version of what people say about it, None when nobody has."""
        lines = self.history.of("clip.annotated")
        return None if not lines else lines[-1].event.payload

    @property
    def custody_bytes(self) -> bytes:
        """The receipts as they lie in a package, two lines each."""
        return b"".join(map(format_receipt, self.custody))


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a package is about: a case, or clips by themselves; `numbered` in order, exhibit number and clip."""

    case: CaseRow | None
    numbered: tuple[tuple[int, UUID], ...]


async def subject_of(conn: Connection, *, case: UUID | None, clips: Sequence[UUID]) -> Subject:
    """Return what a package is about.

    Args:
        case: The case whose exhibits are wanted.
        clips: Which of them, empty for all; without a case, the clips.

    Raises:
        CaseUnknown: There is no such case.
        ExportEmpty: There is nothing to hand over, or one of the clips is no exhibit of the case.
        ExportTooLarge: There are more than `EXHIBITS_MAX`.
    """
    row = None
    numbered = [(number, clip) for number, clip in enumerate(dict.fromkeys(clips), 1)]
    if case is not None:
        row = await get_case(conn, case)
        links = await exhibits_after(conn, case, after=0, limit=EXHIBITS_MAX + 1)
        wanted = set(clips)
        if strange := wanted - {link.clip for link in links}:
            raise ExportEmpty(f"clip {min(strange)} is no exhibit of the case", clip=str(min(strange)))
        numbered = [(link.exhibit, link.clip) for link in links if not wanted or link.clip in wanted]
    if not numbered:
        raise ExportEmpty("there is nothing to hand over")
    if len(numbered) > EXHIBITS_MAX:
        raise ExportTooLarge(
            f"{len(numbered)} exhibits, a package holds at most {EXHIBITS_MAX}", exhibits_max=EXHIBITS_MAX
        )
    return Subject(case=row, numbered=tuple(numbered))


async def gather(exporter: Exporter, conn: Connection, *, number: int, clip: UUID) -> Exhibit:
    """Read one exhibit as of the exporter's checkpoint.

    Raises:
        ClipUnknown, ReceiptPending, EvidenceDamaged: See `Exporter.export_clip`.
    """
    proven = await exporter.prove(conn, clip)
    kept = await read_leaves(conn, sha256=proven.sealed.digest.sha256)
    original = await in_thread(lambda _: locate_original(exporter.objects, proven.sealed))
    leaves = await in_thread(lambda _: prove_kept_leaves(kept, original, proven.sealed))
    size = None if exporter.asof is None else stored_checkpoint(exporter.asof).size
    history = await read_history(conn, clip, log_size=size)
    custody: list[Receipt] = []
    for line in history.lines:
        if line.event.type == LOOK:
            continue
        receipt = await build_receipt(conn, exporter.reader, line.event.entry_id, note=exporter.asof)
        if receipt is None:
            raise EvidenceDamaged(f"entry {line.event.entry_id} is not in the log any more")
        custody.append(receipt)
    return Exhibit(
        number=number,
        proven=proven,
        leaves=b"".join(leaves),
        history=history,
        custody=tuple(custody),
        trail=trail_of(history),
    )
