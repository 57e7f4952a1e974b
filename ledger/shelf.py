"""Cosignatures that came as files, from witnesses without a network: one small note for each, kept for good.

    <size, 20 digits>.<key ID, 8 hex>.note      checkpoint text, empty line, the witness's line

The newest of a witness says where its next request starts. All of them are what an office saw and when, in its own
signature; the log cannot change that any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from ledger.checkpoint import Checkpoint, parse_checkpoint
from ledger.durable import make_folders, write_file
from ledger.errors import CheckpointOrigin, NoteMalformed
from ledger.note import Note, Signature, format_note, open_note, parse_note
from ledger.policy import Policy, Witness

COSIGNED_BYTES_MAX = 16 * 1024
"""Longest file with a cosigned checkpoint in bytes."""


class FolderShelf:
    """A folder of cosigned checkpoints; made when the first one is kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def signatures(self, text: str, size: int) -> Sequence[Signature]:
        """See `ledger.cosigning.Shelf`."""
        return await asyncio.to_thread(self._signatures, text, size)

    def keep(self, raw: bytes, *, policy: Policy, origin: str) -> tuple[Checkpoint, tuple[Witness, ...]]:
        """Verify a cosigned checkpoint and keep each cosignature; return what it says and who cosigned.

        Raises:
            NoteMalformed, NoteUnsigned, NoteSignatureFalse: No witness of the policy cosigned it, or one did falsely.
            CheckpointMalformed, CheckpointOrigin: It is no checkpoint, or one of another log.
            OSError: It could not be kept.
        """
        if len(raw) > COSIGNED_BYTES_MAX:
            raise NoteMalformed(f"a cosigned checkpoint has at most {COSIGNED_BYTES_MAX} bytes")
        opened = open_note(raw, [witness.verifier for witness in policy.witnesses])
        checkpoint = parse_checkpoint(opened.text)
        if checkpoint.origin != origin:
            raise CheckpointOrigin(f"this is a checkpoint of {checkpoint.origin}, not of {origin}")
        make_folders(self._folder)
        for verifier, value in opened.proofs:
            note = format_note(Note(opened.text, (Signature(verifier.name, verifier.key_id, value),)))
            write_file(self._folder / f"{checkpoint.size:020}.{verifier.key_id.hex()}.note", note, mode=0o644)
        signed = opened.signed_by
        return checkpoint, tuple(witness for witness in policy.witnesses if witness.verifier in signed)

    def newest_size(self, witness: Witness) -> int:
        """Return the size that a witness cosigned last by file, 0 when there is none."""
        sizes = [int(path.name.split(".")[0]) for path in self._folder.glob(f"*.{witness.verifier.key_id.hex()}.note")]
        return max(sizes, default=0)

    def _signatures(self, text: str, size: int) -> list[Signature]:
        kept: list[Signature] = []
        for path in sorted(self._folder.glob(f"{size:020}.*.note")):
            try:
                note = parse_note(path.read_bytes())
            except (FileNotFoundError, NoteMalformed):
                continue
            if note.text == text:
                kept += note.signatures
        return kept
