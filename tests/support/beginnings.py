"""Folders of files whose beginning alone is on record, honest and hostile: what was done, and what has to be found."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from evidence.core.digest import CHUNK_BYTES
from ledger.canonical import JsonValue, canonical_json
from tests.support.evidence_folder import UPLOAD, EvidenceFolder, beginning_payload, content_of, make_beginning_folder
from tests.support.paper_log import PaperLog, seeded_signer

CONTENT = content_of(chunks=3, tail_bytes=777)
SEALED_CHUNKS = 2


def make(folder: Path) -> EvidenceFolder:
    """Write an honest folder."""
    return make_beginning_folder(folder, CONTENT, chunks=SEALED_CHUNKS)


def _flip(path: Path, offset: int) -> None:
    raw = bytearray(path.read_bytes())
    raw[offset] ^= 1
    path.write_bytes(raw)


def _longer_claim(folder: EvidenceFolder) -> None:
    claimed = canonical_json(beginning_payload(CONTENT, chunks=3))
    folder.write_receipt(replace(folder.receipt, payload=claimed))


def _clip_instead(folder: EvidenceFolder) -> None:
    # A sealed beginning that is passed off as a sealed clip by the type of its entry alone.
    payload = beginning_payload(CONTENT, chunks=SEALED_CHUNKS)
    folder.write_receipt(folder.log.record(payload, kind="clip.sealed", subject=f"upload:{payload['upload']}"))


def _other_signer(folder: EvidenceFolder) -> None:
    forger = PaperLog(seeded_signer("shilu.example/log", "forger"))
    payload = beginning_payload(b"x" * (3 * CHUNK_BYTES), chunks=3)
    folder.write_receipt(forger.record(payload, kind="clip.prefix", subject=f"upload:{payload['upload']}"))


def _flipped_without_leaves(folder: EvidenceFolder) -> None:
    _flip(folder.file, 3)
    folder.leaves_file.unlink()


def _false_leaves(folder: EvidenceFolder) -> None:
    _flip(folder.file, 3)
    _flip(folder.leaves_file, 40)


def _recorded(*, subject: str = f"upload:{UPLOAD}", **changes: JsonValue) -> Callable[[EvidenceFolder], object]:
    """Return what records another payload than an honest service would."""
    return lambda folder: make_beginning_folder(
        folder.folder, CONTENT, chunks=SEALED_CHUNKS, subject=subject, changes=changes
    )


SPOILERS: Mapping[str, tuple[Callable[[EvidenceFolder], object], set[str]]] = {
    "honest": (lambda folder: None, {"prefix.rest_unproven"}),
    "nothing behind it": (lambda folder: os.truncate(folder.file, 2 * CHUNK_BYTES), set()),
    "a byte behind it changed": (lambda folder: _flip(folder.file, 2 * CHUNK_BYTES), {"prefix.rest_unproven"}),
    "first byte changed": (lambda folder: _flip(folder.file, 0), {"prefix.chunks_differ", "prefix.rest_unproven"}),
    "last sealed byte changed": (
        lambda folder: _flip(folder.file, 2 * CHUNK_BYTES - 1),
        {"prefix.chunks_differ", "prefix.rest_unproven"},
    ),
    "a byte changed, without leaves": (_flipped_without_leaves, {"prefix.root_differs", "prefix.rest_unproven"}),
    "a byte and the leaves changed": (
        _false_leaves,
        {"leaves.not_proved", "prefix.root_differs", "prefix.rest_unproven"},
    ),
    "cut within what was sealed": (
        lambda folder: os.truncate(folder.file, 2 * CHUNK_BYTES - 1),
        {"prefix.file_shorter", "prefix.chunks_differ"},
    ),
    "cut between sealed chunks": (
        lambda folder: os.truncate(folder.file, CHUNK_BYTES),
        {"prefix.file_shorter", "prefix.chunks_differ"},
    ),
    "emptied": (lambda folder: os.truncate(folder.file, 0), {"prefix.file_shorter", "prefix.chunks_differ"}),
    "missing": (lambda folder: folder.file.unlink(), {"file.missing", "step.skipped"}),
    "claims more than was sealed": (
        _longer_claim,
        {"payload.not_committed", "prefix.rest_unproven"},
    ),
    "passed off as a clip": (_clip_instead, {"payload.malformed", "step.skipped"}),
    "sealed by a forger": (
        _other_signer,
        {"log.checkpoint_unsigned", "leaves.not_proved", "prefix.root_differs", "prefix.rest_unproven"},
    ),
    "about another upload": (_recorded(subject="upload:x"), {"entry.other_subject", "step.skipped"}),
    "not whole chunks": (_recorded(size=2 * CHUNK_BYTES - 1), {"payload.malformed", "step.skipped"}),
    "other chunks": (_recorded(chunk_size=4096), {"payload.malformed", "step.skipped"}),
    "no bytes": (_recorded(size=0, chunks=0), {"payload.malformed", "step.skipped"}),
    "fewer than no chunks": (_recorded(size=-CHUNK_BYTES, chunks=-1), {"payload.malformed", "step.skipped"}),
    "countless chunks": (_recorded(chunks=2**53 - 1), {"payload.malformed", "step.skipped"}),
    "a root of no digest": (_recorded(root="00"), {"payload.malformed", "step.skipped"}),
}
"""What was done -> how, and the codes of everything that is not in order then."""
