"""Journal rows for tests: a file brought to any state by the journal's own methods."""

from __future__ import annotations

from uuid import UUID

from dockstation.card import SeenFile
from dockstation.identity import Enrolment
from dockstation.intake import Prefix
from dockstation.journal import FileRow, ListedFile, State, WaitingNote
from dockstation.journal_store import Journal
from dockstation.layout import load_profiles
from evidence.core.clock import utc_now
from evidence.core.digest import ClipDigest
from evidence.core.ids import uuid7
from evidence.core.wire.statement import dock_key_name
from ledger.note import Signer
from tests.support.clock import SeededEntropy

DOCK = UUID("01a2009d-894a-7888-a423-4ed77a4bff8e")
UPLOAD = "uploads/01a2009d-8a43-7c6d-8169-f9a72c85267e"
CLIP = UUID("01a2009d-8a5f-7aaa-a452-30cf08e3fc84")
ENTRY = UUID("01a2009d-8a5f-7aaf-9f77-9604a481fc42")
ORDER = (
    State.SEEN,
    State.INVENTORIED,
    State.COPIED,
    State.UPLOADING,
    State.UPLOADED,
    State.SEALED,
    State.RECEIPT_VERIFIED,
    State.CLEARABLE,
    State.CLEARED,
)
"""The way of a file that goes well, by way of the spool."""

LOG = Signer.generate("log.test/x", SeededEntropy(4)).verifier
SIGNER = Signer.generate(dock_key_name(DOCK), SeededEntropy(5))
ENROLMENT = Enrolment(DOCK, '走廊 "1" 𠀀', "https://shilu.test", "log.test/x", LOG, f"log {LOG.vkey}\nquorum none\n")
"""An enrolment with a service that is not there; the name holds what a careless writer of TOML trips over."""

_PROFILE = load_profiles(only="dcam")[0]
_entropy = SeededEntropy(7)


def listed(path: str, *, size: int = 100, modified_ns: int = 5, inode: int = 1) -> ListedFile:
    """Return a file as a look shows it, read by the shipped profile for its kind of name."""
    seen = SeenFile(path.encode(), path, False, size, modified_ns, 2**64 - 1, inode)
    return ListedFile(seen, _PROFILE.read(path))


def digest_of(row: FileRow) -> ClipDigest:
    """Return some digests for a row's file."""
    return ClipDigest(size=row.seen.size, chunk_bytes=1 << 20, chunks=1, root=b"r" * 32, sha256=b"s" * 32)


def inventory_note(recorder: str, kind: str = "inventory") -> WaitingNote:
    """Return a statement with a fresh id."""
    return WaitingNote(uuid7(clock=utc_now, entropy=_entropy), kind, recorder, b"signed")


def take(journal: Journal, *files: ListedFile, recorder: str = "D200001") -> list[FileRow]:
    """Put files into the journal and write the inventory that lists them; their state is `seen`."""
    stock = journal.take_stock(dock=DOCK, recorder=recorder, files=files)
    note = inventory_note(recorder)
    journal.write_inventory(note, dock=DOCK, rows=stock.rows)
    return [journal.get(row.id) for row in stock.rows]


def bring_to(journal: Journal, row: FileRow, state: State, *, by_spool: bool = False) -> FileRow:
    """Take a row the ordinary way to a state; to `refused` and `abandoned` right after `inventoried`."""
    for step in ORDER[ORDER.index(row.state) + 1 :]:
        if row.state is state:
            return row
        if step is State.COPIED is not state and not by_spool:
            continue
        if state is State.REFUSED and row.state is State.INVENTORIED:
            return journal.refuse(row, reason="no")
        if state is State.ABANDONED and row.state is State.INVENTORIED:
            journal.restart(row, reason="anew")
            return journal.get(row.id)
        row = _one_step(journal, row, step)
    return row


def _one_step(journal: Journal, row: FileRow, step: State) -> FileRow:
    if step is State.INVENTORIED:
        for note in journal.waiting_notes():
            journal.note_posted(note)
        return journal.get(row.id)
    if step is State.COPIED:
        return journal.copied(journal.begin_copy(row, spool=f"{row.id}.clip"), digest_of(row))
    if step is State.UPLOADING:
        row = journal.begin_upload(row, upload=UPLOAD)
        return journal.acknowledge(row, offset_bytes=10, prefix=Prefix(0, b"p" * 32))
    if step is State.UPLOADED:
        return journal.finish_upload(row, digest_of(row))
    if step is State.SEALED:
        return journal.seal(row, clip=CLIP)
    if step is State.RECEIPT_VERIFIED:
        return journal.verify(row, clip=CLIP, entry=ENTRY)
    if step is State.CLEARABLE:
        journal.mark_clearable(verified_before=utc_now())
        return journal.get(row.id)
    return journal.cleared(row)
