"""Evidence folders made on the spot: honest ones, for tests to spoil."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from evidence.core.digest import CHUNK_BYTES, leaf_hashes
from evidence.core.wire.receipt import Receipt, format_receipt
from tests.support.paper_log import PaperLog, sealed_payload

NAME = "现场 检查.mp4"


def content_of(*, chunks: int = 3, tail_bytes: int = 1234) -> bytes:
    """Return that many whole chunks, each different, and a short one."""
    whole = b"".join(bytes([number + 1]) * CHUNK_BYTES for number in range(chunks))
    return whole + b"t" * tail_bytes


@dataclass
class EvidenceFolder:
    """A folder with one original, and the log it is sealed in."""

    folder: Path
    log: PaperLog
    receipt: Receipt

    @property
    def file(self) -> Path:
        """The original."""
        return self.folder / NAME

    @property
    def receipt_file(self) -> Path:
        """Its receipt."""
        return self.folder / f"{NAME}.receipt"

    @property
    def leaves_file(self) -> Path:
        """Its list of leaf hashes."""
        return self.folder / f"{NAME}.leaves"

    @property
    def policy_file(self) -> Path:
        """The policy that came along."""
        return self.folder / "log.policy"

    @property
    def vkey(self) -> str:
        """The log's key."""
        return self.log.signer.verifier.vkey

    def write_receipt(self, receipt: Receipt) -> None:
        """Replace the receipt."""
        self.receipt_file.write_bytes(format_receipt(receipt))


def make_evidence_folder(folder: Path, content: bytes, *, log: PaperLog | None = None) -> EvidenceFolder:
    """Write an honest evidence folder for that content."""
    log = log or PaperLog()
    folder.mkdir(parents=True, exist_ok=True)
    made = EvidenceFolder(folder, log, log.record(sealed_payload(content, name=NAME)))
    made.file.write_bytes(content)
    made.write_receipt(made.receipt)
    made.leaves_file.write_bytes(b"".join(leaf_hashes(made.file)))
    made.policy_file.write_text(f"log {made.vkey}\nquorum none\n")
    return made
