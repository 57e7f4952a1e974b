"""Errors with a stable code and a name for who can mend them.

Every error the project raises on purpose is a subclass of `CodedError`. The class says what is wrong in general
(its docstring is the entry in docs/errors.md), the instance says what is wrong here. `blame` tells a caller whether
another try can help: the input will stay wrong, the way (disk, network, database) may recover, a bug is ours.

This is the lowest module of the house; every other package adds its own classes beside its code.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import ClassVar


class Blame(Enum):
    """Who can mend it: whoever sent the input, whoever runs the way it took, or the authors."""

    INPUT = "input"
    WAY = "way"
    BUG = "bug"


class CodedError(Exception):
    """Base of all errors that cross a boundary.

    Args:
        message: One sentence about this very case, fit to be shown to the person who caused it.
        details: JSON-ready facts (numbers in stated units, names, digests); no secrets.
    """

    code: ClassVar[str] = "internal"
    blame: ClassVar[Blame] = Blame.BUG

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.details = details

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


def error_classes(root: type[CodedError] = CodedError) -> Iterator[type[CodedError]]:
    """Yield every concrete error class known to the running program, depth first, for tables and tests."""
    for child in root.__subclasses__():
        if "code" in vars(child):
            yield child
        yield from error_classes(child)


# Errors of what strangers hand in: notes, checkpoints, proofs, tiles, entries. The pure half raises only these.


class LedgerInputError(CodedError):
    """Base of refusals: the bytes are not what they claim to be, and sending them again will not help."""

    blame: ClassVar[Blame] = Blame.INPUT


class ProofError(LedgerInputError):
    """A Merkle proof does not lead from what it claims to prove to the given root. Do not trust the claim."""

    code = "proof.invalid"


class ProofMalformed(LedgerInputError):
    """The text is not a tlog-proof (C2SP tlog-proof), or exceeds a limit of that format."""

    code = "proof.malformed"


class ProofImpossible(LedgerInputError):
    """The proof that was asked for does not exist: an index beyond the tree, an old size above the new one."""

    code = "proof.impossible"


class CanonicalMalformed(LedgerInputError):
    """Bytes are not canonical JSON (RFC 8785, integers only), or a value cannot be written as such."""

    code = "canonical.malformed"


class CommitmentMalformed(LedgerInputError):
    """A salt does not have 32 bytes, or a payload is longer than a commitment allows."""

    code = "commitment.malformed"


class EntryMalformed(LedgerInputError):
    """A ledger entry is not canonical JSON with exactly its fields, each of its form."""

    code = "entry.malformed"


class KeyMalformed(LedgerInputError):
    """A text is not a verifier or signer key of a type that is known here, or states a key ID that is not its own."""

    code = "key.malformed"


class NoteMalformed(LedgerInputError):
    """Bytes are not a signed note (C2SP signed-note), or exceed a limit of that format."""

    code = "note.malformed"


class NoteUnsigned(LedgerInputError):
    """No line of the note is by a key that the verifier knows. Its text must not be used."""

    code = "note.unsigned"


class NoteSignatureFalse(LedgerInputError):
    """A line names a known key and is not its signature: the text was changed or the signer is broken."""

    code = "note.signature"


class CheckpointMalformed(LedgerInputError):
    """The text of a note is not a checkpoint of three lines (C2SP tlog-checkpoint)."""

    code = "checkpoint.malformed"


class CheckpointOrigin(LedgerInputError):
    """A log signed a checkpoint in the name of another. Trust neither before this is explained."""

    code = "checkpoint.origin"


class KeyStatementMalformed(LedgerInputError):
    """A statement about a log's keys, or the file of them, is not of its form or exceeds a limit."""

    code = "log_key.malformed"


class KeyStatementFalse(LedgerInputError):
    """A statement about a log's keys lacks a signature it needs, bears another, or one of them is false."""

    code = "log_key.false"


class KeyChainBroken(LedgerInputError):
    """Statements about a log's keys do not follow each other: one is missing, moved, of another log, or they branch."""

    code = "log_key.chain"


class KeyNotSpeaking(LedgerInputError):
    """Only keys of the log signed the checkpoint that do not speak for its size: retired before, or not yet begun."""

    code = "log_key.not_speaking"


class TilePathMalformed(LedgerInputError):
    """A path or its coordinates name no tile or bundle that a log can have (C2SP tlog-tiles)."""

    code = "tile.path"


class TileMalformed(LedgerInputError):
    """A tile does not have the length that its width calls for."""

    code = "tile.malformed"


class BundleMalformed(LedgerInputError):
    """An entry bundle does not hold exactly the entries that its width calls for."""

    code = "bundle.malformed"


class PolicyMalformed(LedgerInputError):
    """A text is not a trust policy (C2SP tlog-policy): a line is not of its form, or a name is missing or taken."""

    code = "policy.malformed"


class PolicyUnmet(LedgerInputError):
    """A checkpoint is genuine, but not as many witnesses cosigned it as the policy asks for. Ask for a newer one."""

    code = "policy.unmet"


# Errors of the log's keeper: appending, sequencing, publishing, reading back.


class DuplicateEntry(LedgerInputError):
    """An entry with this id was appended before. The first one stands, whatever the second one says."""

    code = "ledger.duplicate_entry"


class NotPublished(CodedError):
    """The log has not published a checkpoint yet. Ask again once a sequencer has run."""

    code = "ledger.not_published"
    blame: ClassVar[Blame] = Blame.WAY


class NotLeading(CodedError):
    """Another sequencer leads this log, or the connection that held the leadership is gone. Nothing was done."""

    code = "ledger.not_leading"
    blame: ClassVar[Blame] = Blame.WAY


class HeadMoved(CodedError):
    """The tree grew by another hand between reading and writing. Nothing was done; start over from the rows."""

    code = "ledger.head_moved"
    blame: ClassVar[Blame] = Blame.WAY


class CheckpointStale(CodedError):
    """A newer checkpoint is published already. Nothing was done; whoever is late starts over from the rows."""

    code = "ledger.checkpoint_stale"
    blame: ClassVar[Blame] = Blame.WAY


class CheckpointWithheld(CodedError):
    """Too few witnesses have cosigned, so the checkpoint stays unpublished. Entries are safe and provable later."""

    code = "ledger.checkpoint_withheld"
    blame: ClassVar[Blame] = Blame.WAY


class StorageBusy(CodedError):
    """Other processes have kept us from the log's storage for too long, by its lock or its names. It is tried again."""

    code = "ledger.storage_busy"
    blame: ClassVar[Blame] = Blame.WAY


class StorageUnreachable(CodedError):
    """The storage of the published log does not answer, or refuses access. It is tried again; see its own logs."""

    code = "ledger.storage_unreachable"
    blame: ClassVar[Blame] = Blame.WAY


class StorageUnsuitable(CodedError):
    """The storage ignores conditional writes, so nothing would keep a checkpoint from going back. Nothing is published.

    Choose another one, or a newer version of it.
    """

    code = "ledger.storage_unsuitable"
    blame: ClassVar[Blame] = Blame.WAY


class StorageUnreadable(CodedError):
    """A published file is missing, or does not lead to the root that was signed. Run the audit; it names the file."""

    code = "ledger.storage_unreadable"
    blame: ClassVar[Blame] = Blame.WAY


class StorageConflict(CodedError):
    """A name that is written once holds other bytes than the log wants to publish there. Nothing is overwritten.

    The folder belongs to another log, or somebody changed it, or the database was set back. Run the audit.
    """

    code = "ledger.storage_conflict"


class CheckpointConflict(CodedError):
    """The log was about to sign a second root for a size, or to go back. It did not; it must not go on either.

    Rows were changed or the database was set back to an older state. Run the audit against the newest known checkpoint.
    """

    code = "ledger.checkpoint_conflict"


class TreeMismatch(CodedError):
    """The ledger's rows do not lead to the root on record. Nothing more is signed. Run the audit; it names the rows."""

    code = "ledger.tree_mismatch"
