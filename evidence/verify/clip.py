"""Verification of one original against its receipt: reads the file, has the obligations judged, and says what came out.

The caller owes three things that no program can do for a reader, see `OWED` in `evidence.verify.report`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from evidence.core.wire.receipt import parse_receipt
from evidence.core.wire.sealed import SealedBeginning, SealedClip
from evidence.errors import WireError
from evidence.verify.docks import judge_dock
from evidence.verify.excerpt import ExcerptFiles, judge_excerpt
from evidence.verify.findings import OBLIGATIONS, finding, obligation_of
from evidence.verify.hashing import FileUnreadable, Progress, TreeHashes, hash_chunks, hash_file
from evidence.verify.judge import judge_beginning, judge_file, judge_receipt
from evidence.verify.times import Stamps, judge_times
from ledger.checkpoint import Checkpoint
from ledger.findings import Finding, is_clean
from ledger.policy import Policy


@dataclass(frozen=True, slots=True)
class Verification:
    """What came out of verifying one file.

    Attributes:
        file: The original as it was looked for.
        sealed: The clip, or the beginning of a file, as the receipt states it; None when it cannot be read.
        index: Place of its entry in the log; None when the proof cannot be read.
        checkpoint: The log's state that the proof leads to; None when it cannot be read.
        findings: At least one per obligation, in the order of obligations.
        is_excerpt: Whether an excerpt lay in the place of the original, so that nobody has read the whole of it.
    """

    file: Path
    sealed: SealedClip | SealedBeginning | None
    index: int | None
    checkpoint: Checkpoint | None
    findings: tuple[Finding, ...]
    is_excerpt: bool = False

    @property
    def clip(self) -> SealedClip | None:
        """The clip; None also where the receipt is about the beginning of a file."""
        return self.sealed if isinstance(self.sealed, SealedClip) else None

    @property
    def is_whole(self) -> bool:
        """Whether nothing lies there that the receipt says nothing about."""
        return not any(one.code == "prefix.rest_unproven" for one in self.findings)

    @property
    def holds(self) -> bool:
        """Whether every obligation is met by the keys of the policy that was handed in."""
        return is_clean(self.findings)


def verify_clip(
    file: Path,
    receipt: bytes | None,
    *,
    policy: Policy,
    leaves: bytes | None = None,
    dock: bytes | None = None,
    stamps: Stamps | None = None,
    excerpt: ExcerptFiles | None = None,
    tree_only: bool = False,
    progress: Progress | None = None,
) -> Verification:
    """Verify an original against its receipt; the obligations of `evidence.verify.findings`.

    Args:
        file: The original.
        receipt: Its receipt as it came; None when there is none.
        policy: The log keys that the caller believes, and the witnesses asked for.
        leaves: Concatenated leaf hashes that came along, if any; they only serve to say where a file differs.
        dock: Receipts of the entries of its dock's keys, one after the other; None when they did not come along.
        stamps: Time stamps that came along, and whose word counts; None for none.
        excerpt: What lies there in the place of the original; None when it is there itself.
        tree_only: Whether the digests of the whole file are left out; see `hash_chunks`.
        progress: Called with bytes done and bytes in all.
    """
    subject = f"file:{file.name}"
    if receipt is None:
        return _unread(file, finding("receipt.missing", subject))
    try:
        parsed = parse_receipt(receipt)
    except WireError as error:
        return _unread(file, finding("receipt.malformed", subject, reason=error.message))
    reading = judge_receipt(parsed, policy=policy, subject=subject)
    found = list(reading.findings)
    if reading.note is not None:
        found += judge_times(stamps or Stamps(), checkpoint=reading.note, subject=subject)
    sealed = reading.sealed
    if isinstance(sealed, SealedBeginning):
        found.append(finding("prefix.no_manifest", subject))
    elif sealed:
        found += judge_dock(parsed, reading, dock, policy=policy, subject=subject)
    if isinstance(sealed, SealedClip) and excerpt is not None:
        found += judge_excerpt(excerpt, sealed, subject=subject, progress=progress)
    elif sealed:
        found += _judge_bytes(file, sealed, leaves=leaves, subject=subject, tree_only=tree_only, progress=progress)
    partly = isinstance(sealed, SealedClip) and excerpt is not None
    told = _in_order(found, subject)
    return Verification(file, sealed, reading.index, reading.checkpoint, told, is_excerpt=partly)


def _judge_bytes(
    file: Path,
    sealed: SealedClip | SealedBeginning,
    *,
    leaves: bytes | None,
    subject: str,
    tree_only: bool,
    progress: Progress | None,
) -> list[Finding]:
    hashes: TreeHashes
    try:
        # Of the beginning of a file nothing but the tree is on record.
        if tree_only or isinstance(sealed, SealedBeginning):
            hashes = hash_chunks(file, progress=progress)
        else:
            hashes = hash_file(file, sm3=sealed.digest.sm3 is not None, progress=progress)
    except FileUnreadable as error:
        code = "file.missing" if error.missing else "file.unreadable"
        return [finding(code, subject, offset=error.offset, reason=error.reason)]
    if isinstance(sealed, SealedBeginning):
        return judge_beginning(sealed, hashes, leaves=leaves, subject=subject)
    return judge_file(sealed.digest, hashes, leaves=leaves, subject=subject)


def _unread(file: Path, found: Finding) -> Verification:
    return Verification(file, None, None, None, _in_order([found], found.subject))


def _in_order(found: list[Finding], subject: str) -> tuple[Finding, ...]:
    """Sort by obligation, and say of each one that nothing was found about that it could not be judged."""
    judged = {obligation_of(one) for one in found}
    skipped = [finding("step.skipped", subject, obligation=number) for number in OBLIGATIONS if number not in judged]
    return tuple(sorted([*found, *skipped], key=lambda one: obligation_of(one) or 0))
