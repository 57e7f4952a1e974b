"""Receipts: believed for exactly the bytes, the file and the log that they are about."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dockstation.config import StateFolder
from dockstation.errors import ReceiptRefused
from dockstation.identity import Enrolment
from dockstation.journal import FileRow, State
from dockstation.log_trust import LogTrust
from dockstation.receipts import check_clip_receipt
from evidence.core.digest import ClipDigest
from evidence.core.wire.clip_digest import digest_body
from ledger.canonical import JsonObject
from tests.support.clock import SeededEntropy
from tests.support.dock_journal import CLIP, DOCK, UPLOAD, listed
from tests.support.memory_log import MemoryLog, other_signer_like

ENTROPY = SeededEntropy(11)
DIGEST = ClipDigest(size=100, chunk_bytes=1 << 20, chunks=1, root=b"r" * 32, sha256=b"s" * 32)
ROW = FileRow(
    id=1,
    dock=DOCK,
    recorder="D200001",
    seen=listed("d/a.mp4", size=100).seen,
    order=0,
    key_mark=False,
    state=State.UPLOADED,
    inventory=CLIP,
    upload=UPLOAD,
    offset_bytes=100,
    prefix=None,
    read_identity=None,
    root=DIGEST.root,
    sha256=DIGEST.sha256,
    clip=None,
    entry=None,
    trouble=None,
    verified_at=None,
    clearing_root=None,
)
PAYLOAD: JsonObject = {
    "clip": str(CLIP),
    "name": "a.mp4",
    "path": "d/a.mp4",
    "raw": False,
    "recorder": "D200001",
    "dock": str(DOCK),
    **digest_body(DIGEST),
}


@pytest.fixture
def log() -> MemoryLog:
    log = MemoryLog("log.test/x", entropy=ENTROPY)
    log.append(kind="log.created", actor="service", subject="log", payload={})
    return log


def enrolment(log: MemoryLog) -> Enrolment:
    return Enrolment(DOCK, "n", "http://x", log.signer.name, log.signer.verifier, "")


def trust(log: MemoryLog) -> LogTrust:
    return LogTrust(StateFolder(Path("no state folder")), enrolment(log))


def sealed(log: MemoryLog, *, kind: str = "clip.sealed", subject: str = f"clip:{CLIP}", **changes: object) -> int:
    payload: JsonObject = {**PAYLOAD, **changes}  # type: ignore[dict-item]  # JSON values by construction
    return log.append(kind=kind, actor=f"dock:{DOCK}", subject=subject, payload=payload)


@pytest.mark.parametrize("kind", ["clip.sealed", "clip.repeated"])
def test_a_true_receipt_proves_clip_and_entry(log: MemoryLog, kind: str) -> None:
    index = sealed(log, kind=kind)
    log.append(kind="log.created", actor="service", subject="log", payload={})
    proven = check_clip_receipt(log.receipt(index), row=ROW, trust=trust(log))
    assert (proven.clip, proven.entry) == (CLIP, log.entry_id(index))


@pytest.mark.parametrize(
    "change",
    [
        {"size": 101},
        {"sha256": "00" * 32},
        {"root": "00" * 32},
        {"chunks": 2},
        {"chunk_size": 1},
        {"path": "d/b.mp4"},
        {"path": "D/A.MP4"},
        {"raw": True},
        {"recorder": "D200002"},
        {"recorder": None},
        {"dock": None},
        {"dock": str(CLIP)},
        {"clip": str(DOCK)},
        {"clip": None},
        {"name": 1},
    ],
    ids=str,
)
def test_a_true_receipt_about_anything_else_is_refused(log: MemoryLog, change: dict[str, object]) -> None:
    index = sealed(log, **change)  # type: ignore[arg-type]  # no change names a keyword
    with pytest.raises(ReceiptRefused):
        check_clip_receipt(log.receipt(index), row=ROW, trust=trust(log))


@pytest.mark.parametrize(("kind", "subject"), [("clip.derived", f"clip:{CLIP}"), ("clip.sealed", f"clip:{DOCK}")])
def test_an_entry_that_seals_nothing_or_another_clip_is_refused(log: MemoryLog, kind: str, subject: str) -> None:
    index = sealed(log, kind=kind, subject=subject)
    with pytest.raises(ReceiptRefused):
        check_clip_receipt(log.receipt(index), row=ROW, trust=trust(log))


def test_a_checkpoint_signed_by_another_key_is_refused(log: MemoryLog) -> None:
    index = sealed(log)
    forged = log.receipt(index, signer=other_signer_like(log, entropy=ENTROPY))
    with pytest.raises(ReceiptRefused, match="note"):
        check_clip_receipt(forged, row=ROW, trust=trust(log))


def test_a_payload_that_the_entry_does_not_commit_to_is_refused(log: MemoryLog) -> None:
    index = sealed(log, path="elsewhere.mp4")
    with pytest.raises(ReceiptRefused, match=r"receipt\.mismatch"):
        check_clip_receipt(log.receipt(index, payload=PAYLOAD), row=ROW, trust=trust(log))


def test_another_log_s_receipt_is_refused(log: MemoryLog) -> None:
    other = MemoryLog("log.test/x", entropy=ENTROPY)
    index = sealed(other)
    with pytest.raises(ReceiptRefused):
        check_clip_receipt(other.receipt(index), row=ROW, trust=trust(log))


@pytest.mark.parametrize("raw", [b"", b"shilu/receipt/v1\n{}\n", b"\xff" * 10, b"shilu/receipt/v2\n{}\n"])
def test_what_is_no_receipt_is_refused(log: MemoryLog, raw: bytes) -> None:
    with pytest.raises(ReceiptRefused):
        check_clip_receipt(raw, row=ROW, trust=trust(log))


def test_no_byte_of_a_receipt_can_change(log: MemoryLog) -> None:
    index = sealed(log)
    receipt = log.receipt(index)
    for at in range(0, len(receipt), 7):
        changed = receipt[:at] + bytes([receipt[at] ^ 1]) + receipt[at + 1 :]
        with pytest.raises(ReceiptRefused):
            check_clip_receipt(changed, row=ROW, trust=trust(log))


def test_a_file_that_was_not_read_to_its_end_has_no_receipt(log: MemoryLog) -> None:
    index = sealed(log)
    with pytest.raises(ReceiptRefused):
        check_clip_receipt(log.receipt(index), row=replace(ROW, root=None), trust=trust(log))


STORE = "s3://evidence/originals"
ORIGINAL: JsonObject = {
    "sha256": DIGEST.sha256.hex(),
    "size": DIGEST.size,
    "checksum": None,
    "version": None,
    "retained_until": None,
}


def copied(log: MemoryLog, *, kind: str = "clip.copied", subject: str = f"clip:{CLIP}", **changes: object) -> bytes:
    """Return the receipt of a copy."""
    payload: JsonObject = {"clip": str(CLIP), "store": STORE, "objects": [ORIGINAL], **changes}  # type: ignore[dict-item]
    return log.receipt(log.append(kind=kind, actor="service", subject=subject, payload=payload))


def test_a_seal_that_asks_for_a_copy_is_believed_with_the_receipt_of_that_copy(log: MemoryLog) -> None:
    index = sealed(log, second_store=STORE)
    another: JsonObject = {**ORIGINAL, "sha256": "00" * 32}
    for copy in (copied(log), copied(log, objects=[another, ORIGINAL])):
        proven = check_clip_receipt(log.receipt(index) + copy, row=ROW, trust=trust(log))
        assert (proven.clip, proven.entry) == (CLIP, log.entry_id(index))


def test_a_seal_that_asks_for_no_copy_may_come_with_one(log: MemoryLog) -> None:
    index = sealed(log)
    assert check_clip_receipt(log.receipt(index) + copied(log), row=ROW, trust=trust(log)).clip == CLIP


def test_without_the_copy_it_asks_for_a_seal_lets_nothing_be_cleared(log: MemoryLog) -> None:
    index = sealed(log, second_store=STORE)
    with pytest.raises(ReceiptRefused, match="no receipt of one came"):
        check_clip_receipt(log.receipt(index), row=ROW, trust=trust(log))


@pytest.mark.parametrize(
    "change",
    [
        {"store": "s3://evidence/other"},
        {"store": None},
        {"clip": str(DOCK)},
        {"objects": []},
        {"objects": None},
        {"objects": ["text"]},
        {"objects": [{**ORIGINAL, "sha256": "00" * 32}]},
        {"objects": [{**ORIGINAL, "size": 101}]},
        {"kind": "clip.derived"},
        {"subject": f"clip:{DOCK}"},
    ],
    ids=repr,
)
def test_another_copy_than_the_one_asked_for_is_none(log: MemoryLog, change: dict[str, object]) -> None:
    index = sealed(log, second_store=STORE)
    with pytest.raises(ReceiptRefused):
        check_clip_receipt(log.receipt(index) + copied(log, **change), row=ROW, trust=trust(log))  # type: ignore[arg-type]


def test_a_copy_on_record_elsewhere_is_none(log: MemoryLog) -> None:
    index = sealed(log, second_store=STORE)
    other = MemoryLog("log.test/x", entropy=SeededEntropy(12))
    for raw in (
        log.receipt(index) + copied(other),
        log.receipt(index) + log.receipt(index),
        copied(log) + log.receipt(index),
        log.receipt(index) + copied(log)[:-1],
        log.receipt(index) + copied(log) + copied(log),
        log.receipt(index) + b"shilu/receipt/v1\n{}\n",
    ):
        with pytest.raises(ReceiptRefused):
            check_clip_receipt(raw, row=ROW, trust=trust(log))


@pytest.mark.parametrize("store", [1, True, ["s3://a"], {}])
def test_a_condition_that_cannot_be_read_is_not_passed_over(log: MemoryLog, store: object) -> None:
    index = sealed(log, second_store=store)
    with pytest.raises(ReceiptRefused):
        check_clip_receipt(log.receipt(index) + copied(log), row=ROW, trust=trust(log))
