"""Checkpoints (C2SP tlog-checkpoint): the signed statement of a log about its size and root.

    <origin>                    who: the log's name, equal to the name of its key
    <size>                      how many entries, decimal without leading zeros
    <base64 of the root>        32 bytes

as the text of a signed note. Extension lines are allowed by the specification and refused here, as witnesses do:
nobody could audit them. A log speaks for itself alone, so `open_checkpoint` holds the origin against the key name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ledger.errors import CheckpointMalformed, CheckpointOrigin
from ledger.keys import NAME_BYTES_MAX
from ledger.lexemes import format_base64, parse_base64, parse_decimal
from ledger.note import NoteSigner, NoteVerifier, open_note, sign_note
from ledger.tree import EMPTY_ROOT, HASH_BYTES, SIZE_MAX


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log says of itself.

    Attributes:
        origin: Name of the log, at most 255 bytes of UTF-8.
        size: Number of entries.
        root: 32 bytes, the root over them.
    """

    origin: str
    size: int
    root: bytes


def format_checkpoint(checkpoint: Checkpoint) -> str:
    """Write the text of a checkpoint, to be signed.

    Raises:
        CheckpointMalformed: A part is not of its form.
    """
    text = f"{checkpoint.origin}\n{checkpoint.size}\n{format_base64(checkpoint.root)}\n"
    parse_checkpoint(text)
    return text


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the text of a checkpoint; it proves nothing before the note is opened.

    Raises:
        CheckpointMalformed: Not exactly three lines, or one is not of its form.
    """
    try:
        origin, size, root, end = text.split("\n")
        checkpoint = Checkpoint(origin, parse_decimal(size, maximum=SIZE_MAX), parse_base64(root))
        origin_bytes = len(origin.encode())
    except ValueError as error:
        raise CheckpointMalformed("not the three lines of a checkpoint: origin, size, root") from error
    if end or not 0 < origin_bytes <= NAME_BYTES_MAX or len(checkpoint.root) != HASH_BYTES:
        raise CheckpointMalformed("the origin or the root of a checkpoint is not of its form")
    if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
        raise CheckpointMalformed("a log without entries has the root of the empty tree")
    return checkpoint


def sign_checkpoint(checkpoint: Checkpoint, signers: Iterable[NoteSigner]) -> bytes:
    """Sign a checkpoint with the log's keys and return the note.

    Raises:
        CheckpointMalformed: A part is not of its form.
        NoteMalformed: The origin cannot stand in a note, or there is no signer.
    """
    return sign_note(format_checkpoint(checkpoint), signers)


def open_checkpoint(raw: bytes, log: NoteVerifier) -> Checkpoint:
    """Verify that the log signed the checkpoint and speaks for itself; witnesses are not looked at.

    Raises:
        NoteMalformed, NoteSignatureFalse, NoteUnsigned: See `ledger.note.open_note`.
        CheckpointMalformed: The signed text is not a checkpoint.
        CheckpointOrigin: It is a checkpoint of another log.
    """
    checkpoint = parse_checkpoint(open_note(raw, [log]).text)
    if checkpoint.origin != log.name:
        raise CheckpointOrigin(f"the key of {log.name} signed a checkpoint of {checkpoint.origin}")
    return checkpoint
