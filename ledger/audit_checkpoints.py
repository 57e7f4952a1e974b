"""The audit's look at signatures: every signed and published checkpoint, in rows and in the published file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ledger import audit_findings as codes
from ledger import audit_store
from ledger.audit_findings import broken
from ledger.audit_store import SignedSize
from ledger.checkpoint import Checkpoint
from ledger.errors import LedgerInputError
from ledger.findings import Finding
from ledger.key_history import KeyHistory, statement_path
from ledger.key_statement import open_statement
from ledger.publish import CHECKPOINT_PATH
from ledger.reader import LogFiles
from ledger.store import Connection


def opened(note: bytes | None, log: KeyHistory) -> Checkpoint | None:
    """Return what the log signed, None when the note is missing or not the log's."""
    if note is None:
        return None
    try:
        return log.open_checkpoint(note)
    except LedgerInputError:
        return None


class SignedRows:
    """Judges the rows of signed sizes in order; `judge` wants each of them, and the tree's root at that size."""

    def __init__(self, log: KeyHistory) -> None:
        self._log = log
        self._previous_size: int | None = None
        self._previous_published: int | None = None
        self._is_chained = False

    def judge(self, row: SignedSize, root: bytes) -> Iterator[Finding]:
        """Yield what is wrong with the rows of one size."""
        subject = f"checkpoint:{row.size}"
        if not row.is_signed:
            yield broken(codes.CHECKPOINT_CHAIN, subject, f"{row.size} entries were published, and are not signed for")
        else:
            if row.previous_size != self._previous_size:
                yield broken(
                    codes.CHECKPOINT_CHAIN,
                    subject,
                    f"the checkpoint of {row.size} entries follows {row.previous_size}, not {self._previous_size}",
                    size=row.size,
                )
            self._previous_size = row.size
            yield from self._judge_note(row, row.note, root)
            signed = opened(row.note, self._log)
            if signed and signed.root != row.root:
                yield broken(codes.CHECKPOINT_SIGNATURE, subject, "the root on record is not the one in the note")
        if row.published_note is not None:
            yield from self._judge_publication(row)
        if row.published_note is not None and row.published_note != row.note:
            yield from self._judge_note(row, row.published_note, root)

    def _judge_publication(self, row: SignedSize) -> Iterator[Finding]:
        """Judge the chain of publications, which began with the schema's revision: what is older names nothing."""
        if row.previous_published is None:
            is_right = not self._is_chained
        else:
            is_right = row.previous_published == self._previous_published
            self._is_chained = True
        if not is_right:
            message = f"the publication of {row.size} entries follows {row.previous_published}, not the one before it"
            yield broken(codes.PUBLICATION_CHAIN, f"checkpoint:{row.size}", message, size=row.size)
        self._previous_published = row.size

    def _judge_note(self, row: SignedSize, note: bytes | None, root: bytes) -> Iterator[Finding]:
        signed, subject = opened(note, self._log), f"checkpoint:{row.size}"
        if signed is None or signed.size != row.size:
            yield broken(codes.CHECKPOINT_SIGNATURE, subject, f"no signature for {row.size} entries", size=row.size)
        elif signed.root != root:
            yield wrong_root(subject, signed, root)


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """The published checkpoint file: what the log signed in it, if it did, and what is wrong with it."""

    checkpoint: Checkpoint | None
    findings: list[Finding]


async def judge_file(
    conn: Connection, files: LogFiles, *, log: KeyHistory, published_size: int | None
) -> PublishedFile:
    """Judge the published checkpoint against the rows; its root is compared by the walk.

    Args:
        published_size: Newest publication on record, as read before; None for none.
    """
    note = await files.get(CHECKPOINT_PATH)
    checkpoint = opened(note, log)
    if note is None:
        missing = broken(codes.CHECKPOINT_MISSING, CHECKPOINT_PATH, "the published checkpoint is missing")
        return PublishedFile(None, [] if published_size is None else [missing])
    if checkpoint is None:
        message = "the published checkpoint is not signed by the log"
        return PublishedFile(None, [broken(codes.CHECKPOINT_SIGNATURE, CHECKPOINT_PATH, message)])
    size = checkpoint.size
    findings = []
    if published_size is not None and size < published_size:
        message = f"{size} entries are shown, {published_size} were published"
        findings.append(broken(codes.CHECKPOINT_STALE, CHECKPOINT_PATH, message, size=size, published=published_size))
    # Its row comes before the file, so it is there now even if the log has grown since the audit began.
    rows = await audit_store.read_signed_sizes(conn, above=size - 1, up_to=size)
    if not any(row.is_signed for row in rows):
        message = f"the rows know nothing of the published checkpoint of {size} entries"
        findings.append(broken(codes.CHECKPOINT_UNRECORDED, CHECKPOINT_PATH, message, size=size))
    return PublishedFile(checkpoint, findings)


async def judge_keys(files: LogFiles, *, log: KeyHistory, shown: Checkpoint | None) -> list[Finding]:
    """Judge the published statements about the log's keys.

    They are durable before a checkpoint is signed above the size that they speak of. So those of smaller sizes have to
    be there; later ones may be, and may be on record a moment before they are published or after the audit has asked.
    """
    found = []
    for place, stated in enumerate(log.statements, start=1):
        path, is_due = statement_path(place), shown is not None and open_statement(stated).size < shown.size
        raw = await files.get(path)
        if raw != stated and (is_due or raw is not None):
            what = "is missing" if raw is None else "is not the one on record"
            message = f"the published statement {place} about the log's keys {what}"
            found.append(broken(codes.KEYS_ALTERED, path, message))
    path = statement_path(len(log.statements) + 1)
    if (raw := await files.get(path)) is not None:
        try:
            KeyHistory.made(log.first, [*log.statements, raw])
        except LedgerInputError as error:
            message = f"a statement about the log's keys is published that is not on record: {error.message}"
            found.append(broken(codes.KEYS_ALTERED, path, message))
    return found


def wrong_root(subject: str, signed: Checkpoint, root: bytes) -> Finding:
    """Make the finding that the log signed another root than the tree has."""
    return broken(
        codes.CHECKPOINT_ROOT,
        subject,
        f"the log signed another root for {signed.size} entries than its tree has",
        size=signed.size,
        signed=signed.root.hex(),
        computed=root.hex(),
    )
