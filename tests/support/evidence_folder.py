"""Evidence folders made on the spot: honest ones, for tests to spoil."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from evidence.core.digest import CHUNK_BYTES, ClipHasher, leaf_hashes
from evidence.core.wire.clip_digest import digest_body
from evidence.core.wire.dock_key import DockKeyChange, sign_dock_key
from evidence.core.wire.manifest import Manifest, sign_manifest
from evidence.core.wire.receipt import Receipt, format_receipt
from evidence.core.wire.statement import dock_key_name
from ledger.canonical import JsonValue
from ledger.note import Signer
from ledger.tree import leaf_hash, root_of
from tests.support.paper_log import CLIP, PaperLog, sealed_payload, seeded_signer

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
    def dock_file(self) -> Path:
        """The receipts of its dock's entries, where a dock sent it."""
        return self.folder / f"{NAME}.dock"

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


DOCK = UUID("01930000-0000-7000-8000-00000000d0c1")
OTHER_DOCK = UUID("01930000-0000-7000-8000-00000000d0c2")
RECORDER = "4A00123"


def key_of(number: int, *, dock: UUID = DOCK) -> Signer:
    """Return a dock's key by its number, the same on every run."""
    return seeded_signer(dock_key_name(dock), f"{dock} {number}")


def enrolled(dock: UUID = DOCK) -> dict[str, JsonValue]:
    """Return the payload of a dock's enrolment."""
    return {"dock": str(dock), "name": "一号采集站", "vkey": key_of(0, dock=dock).verifier.vkey}


def rotated(sequence: int, *, dock: UUID = DOCK, old: Signer | None = None) -> dict[str, JsonValue]:
    """Return the payload of a dock's change to its key of that number; `old` vouches in the place of the key before."""
    old, new = old or key_of(sequence - 1, dock=dock), key_of(sequence, dock=dock)
    change = DockKeyChange(dock=dock, sequence=sequence, old=old.verifier, new=new.verifier)
    note = sign_dock_key(change, old=old, new=new).decode()
    return {"dock": str(dock), "sequence": sequence, "vkey": new.verifier.vkey, "note": note}


def docked_payload(content: bytes, *, signer: Signer, **changes: JsonValue) -> dict[str, JsonValue]:
    """Return the payload of a clip that a dock sent; `changes` replace what the manifest does not."""
    hasher = ClipHasher()
    hasher.update(content)
    name = f"DCIM/{NAME}"
    manifest = Manifest(upload=CLIP, dock=DOCK, inventory=CLIP, recorder=RECORDER, path=name, digest=hasher.digest())
    stated: dict[str, JsonValue] = {
        "dock": str(DOCK),
        "inventory": str(CLIP),
        "recorder": RECORDER,
        "path": name,
        "raw": False,
        "manifest": sign_manifest(manifest, signer).decode(),
    }
    return {**sealed_payload(content, name=NAME), **stated, **digest_body(hasher.digest()), **changes}


@dataclass
class DockedFolder(EvidenceFolder):
    """An evidence folder whose clip a dock sent, with the receipts of the dock's entries."""

    chain: list[Receipt] = field(default_factory=list)

    def write_chain(self, chain: Sequence[Receipt]) -> None:
        """Replace the receipts of the dock's entries."""
        self.dock_file.write_bytes(b"".join(map(format_receipt, chain)))


def record_keys(log: PaperLog, *, changes: int, dock: UUID = DOCK) -> list[Receipt]:
    """Enrol a dock and let it change its key; return the receipts."""
    subject = f"dock:{dock}"
    chain = [log.record(enrolled(dock), kind="dock.enrolled", subject=subject)]
    for number in range(1, changes + 1):
        chain.append(log.record(rotated(number, dock=dock), kind="dock.key_rotated", subject=subject))
    return chain


def make_docked_folder(folder: Path, content: bytes, *, changes: int = 2) -> DockedFolder:
    """Write an honest evidence folder for a clip of a dock that had changed its key so many times."""
    log = PaperLog()
    chain = record_keys(log, changes=changes)
    folder.mkdir(parents=True, exist_ok=True)
    receipt = log.record(docked_payload(content, signer=key_of(changes)))
    made = DockedFolder(folder, log, receipt, chain)
    made.file.write_bytes(content)
    made.write_receipt(receipt)
    made.write_chain(chain)
    made.leaves_file.write_bytes(b"".join(leaf_hashes(made.file)))
    made.policy_file.write_text(f"log {made.vkey}\nquorum none\n")
    return made


UPLOAD = UUID("01930000-0000-7000-8000-0000000f11e5")


def beginning_payload(
    content: bytes, *, chunks: int, changes: Mapping[str, JsonValue] | None = None
) -> dict[str, JsonValue]:
    """Return the payload of the sealed beginning of a file, its first `chunks` chunks."""
    leaves = [leaf_hash(content[start : start + CHUNK_BYTES]) for start in range(0, chunks * CHUNK_BYTES, CHUNK_BYTES)]
    return {
        "upload": str(UPLOAD),
        "name": NAME,
        "path": f"DCIM/{NAME}",
        "raw": False,
        "recorder": RECORDER,
        "dock": None,
        "inventory": None,
        "actor": "service",
        "size": chunks * CHUNK_BYTES,
        "chunk_size": CHUNK_BYTES,
        "chunks": chunks,
        "root": root_of(leaves).hex(),
        **(changes or {}),
    }


def make_beginning_folder(
    folder: Path,
    content: bytes,
    *,
    chunks: int,
    subject: str = f"upload:{UPLOAD}",
    changes: Mapping[str, JsonValue] | None = None,
) -> EvidenceFolder:
    """Write the folder of a file whose beginning alone is on record; `changes` replace fields of the payload."""
    log = PaperLog()
    folder.mkdir(parents=True, exist_ok=True)
    payload = beginning_payload(content, chunks=chunks, changes=changes)
    made = EvidenceFolder(folder, log, log.record(payload, kind="clip.prefix", subject=subject))
    made.file.write_bytes(content)
    made.write_receipt(made.receipt)
    made.leaves_file.write_bytes(b"".join(leaf_hashes(made.file)))
    made.policy_file.write_text(f"log {made.vkey}\nquorum none\n")
    return made
