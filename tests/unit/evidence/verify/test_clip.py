"""Verification of one original: honest evidence holds, and every kind of damage is named with its own code."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import pytest

from evidence.core.digest import CHUNK_BYTES
from evidence.core.wire.receipt import parse_receipt
from evidence.verify.clip import Verification, verify_clip
from evidence.verify.findings import FINDINGS, OBLIGATIONS, obligation_of, sentence_zh
from ledger.checkpoint import Checkpoint, sign_checkpoint
from ledger.cosignature import Cosigner
from ledger.findings import Finding, Severity
from ledger.note import sign_note
from ledger.policy import Policy
from ledger.proof import LogProof, format_proof, parse_proof
from tests.support import beginnings, dock_chains, excerpts, spoiled_packages, stamped_folder
from tests.support.evidence_folder import NAME, EvidenceFolder, content_of, make_evidence_folder
from tests.support.paper_log import ORIGIN, PaperLog, sealed_payload, seeded_signer

CONTENT = content_of()
WITNESS = Cosigner.generate("witness.example", entropy=lambda count: bytes(range(count)))
WITNESS_LINES = f"witness w {WITNESS.verifier.vkey}\nquorum w\n"


@pytest.fixture
def folder(tmp_path: Path) -> EvidenceFolder:
    return make_evidence_folder(tmp_path / "evidence", CONTENT)


def verify(folder: EvidenceFolder, *, policy: str | None = None) -> Verification:
    read = {path.name: path.read_bytes() for path in folder.folder.iterdir() if path.name.startswith(f"{NAME}.")}
    return verify_clip(
        folder.file,
        read.get(f"{NAME}.receipt"),
        leaves=read.get(f"{NAME}.leaves"),
        policy=Policy.parse(policy or f"log {folder.vkey}\nquorum none\n"),
    )


def by_obligation(verification: Verification, number: int) -> Finding:
    """Return the only finding about an obligation."""
    [found] = [found for found in verification.findings if obligation_of(found) == number]
    return found


def wrong(verification: Verification) -> list[str]:
    """Return the codes of everything that is not in order, skipped obligations aside."""
    return [
        found.code
        for found in verification.findings
        if found.severity is not Severity.OK and found.code not in ("step.skipped", "time.none")
    ]


def test_honest_evidence_holds_and_every_obligation_says_so(folder: EvidenceFolder) -> None:
    verification = verify(folder)
    assert verification.holds
    assert [obligation_of(found) for found in verification.findings] == list(OBLIGATIONS)
    severe = [found for found in verification.findings if found.severity is not Severity.OK]
    assert [found.code for found in severe] == ["time.none"]
    assert verification.sealed is not None
    assert (verification.index, verification.sealed.name) == (3, NAME)


def test_honest_evidence_holds_without_the_list_of_leaves(folder: EvidenceFolder) -> None:
    folder.leaves_file.unlink()
    assert verify(folder).holds


@pytest.mark.parametrize("chunks", [1, 4, 16, 40])
@pytest.mark.parametrize("excess", [-1, 0, 1])
def test_files_around_whole_chunks_and_buffers_hold(tmp_path: Path, chunks: int, excess: int) -> None:
    size = chunks * CHUNK_BYTES + excess
    content = content_of(chunks=chunks, tail_bytes=1)[:size]
    assert verify(make_evidence_folder(tmp_path / "x", content)).holds


def test_witnesses_are_counted(folder: EvidenceFolder) -> None:
    _cosign(folder)
    verification = verify(folder, policy=f"log {folder.vkey}\n{WITNESS_LINES}")
    assert verification.holds
    assert by_obligation(verification, 7).details["witnesses"] == ["w"]


# Damage to the file -------------------------------------------------------------------------------------------------


def test_r17_a_flipped_byte_is_found_and_placed(folder: EvidenceFolder) -> None:
    flip(folder.file, CHUNK_BYTES + 77)
    verification = verify(folder)
    assert wrong(verification) == ["clip.chunks_differ", "clip.sha256_differs"]
    assert places(verification) == [(CHUNK_BYTES, 2 * CHUNK_BYTES - 1)]


def test_a_flipped_byte_is_found_without_the_list_of_leaves(folder: EvidenceFolder) -> None:
    folder.leaves_file.unlink()
    flip(folder.file, 0)
    assert wrong(verify(folder)) == ["clip.root_differs", "clip.sha256_differs"]


def test_a_flipped_last_byte_is_placed_in_the_short_chunk(folder: EvidenceFolder) -> None:
    flip(folder.file, len(CONTENT) - 1)
    assert places(verify(folder)) == [(3 * CHUNK_BYTES, len(CONTENT) - 1)]


def test_r17_a_cut_file_keeps_its_whole_chunks(folder: EvidenceFolder) -> None:
    os.truncate(folder.file, CHUNK_BYTES + 5)
    verification = verify(folder)
    assert wrong(verification) == ["file.size_differs", "clip.chunks_differ", "clip.sha256_differs"]
    assert places(verification) == [(CHUNK_BYTES, len(CONTENT) - 1)], "what is missing counts as different"


def test_an_emptied_file_is_wrong_everywhere(folder: EvidenceFolder) -> None:
    os.truncate(folder.file, 0)
    verification = verify(folder)
    assert wrong(verification) == ["file.size_differs", "clip.chunks_differ", "clip.sha256_differs"]
    assert places(verification) == [(0, len(CONTENT) - 1)]


def test_bytes_behind_the_end_are_found(folder: EvidenceFolder) -> None:
    folder.file.write_bytes(CONTENT + b"x" * CHUNK_BYTES)
    verification = verify(folder)
    assert wrong(verification) == ["file.size_differs", "clip.chunks_differ", "clip.sha256_differs"]
    assert places(verification) == [(3 * CHUNK_BYTES, len(CONTENT) + CHUNK_BYTES - 1)]


def test_r17_swapped_segments_are_both_placed(folder: EvidenceFolder) -> None:
    first, second = CONTENT[:CHUNK_BYTES], CONTENT[2 * CHUNK_BYTES : 3 * CHUNK_BYTES]
    folder.file.write_bytes(second + CONTENT[CHUNK_BYTES : 2 * CHUNK_BYTES] + first + CONTENT[3 * CHUNK_BYTES :])
    assert places(verify(folder)) == [(0, CHUNK_BYTES - 1), (2 * CHUNK_BYTES, 3 * CHUNK_BYTES - 1)]


def test_another_file_is_no_chunk_the_same(folder: EvidenceFolder) -> None:
    folder.file.write_bytes(b"?" * len(CONTENT))
    assert places(verify(folder)) == [(0, len(CONTENT) - 1)]


def test_many_places_are_counted_but_not_all_named(tmp_path: Path) -> None:
    content = content_of(chunks=50)
    folder = make_evidence_folder(tmp_path / "x", content)
    for chunk in range(0, 50, 2):
        flip(folder.file, chunk * CHUNK_BYTES)
    [found] = [found for found in verify(folder).findings if found.code == "clip.chunks_differ"]
    assert found.details["differing"] == 25
    assert len(found.details["ranges"]) == 20  # type: ignore[arg-type]  # a list
    assert found.message.endswith("...")


def test_r17_a_missing_file(folder: EvidenceFolder) -> None:
    folder.file.unlink()
    verification = verify(folder)
    assert wrong(verification) == ["file.missing"]
    assert [obligation_of(f) for f in verification.findings if f.code == "step.skipped"] == [2, 3]


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo], ids=["folder", "named pipe"])
def test_what_is_no_file_is_not_read(folder: EvidenceFolder, make: Callable[[Path], None]) -> None:
    folder.file.unlink()
    make(folder.file)
    assert wrong(verify(folder)) == ["file.unreadable"]


def test_a_false_list_of_leaves_convicts_nobody(folder: EvidenceFolder) -> None:
    for leaves in (b"", b"x", folder.leaves_file.read_bytes()[:-32], folder.leaves_file.read_bytes() + bytes(32)):
        folder.leaves_file.write_bytes(leaves)
        assert wrong(verify(folder)) == ["leaves.not_proved"]
        assert verify(folder).holds, "the list only serves to place a difference"


def test_a_false_list_of_leaves_places_nothing(folder: EvidenceFolder) -> None:
    flip(folder.leaves_file, 3)
    flip(folder.file, 0)
    assert wrong(verify(folder)) == ["leaves.not_proved", "clip.root_differs", "clip.sha256_differs"]


# Damage to the payload: the log truly holds what is stated, and what is stated is wrong in one place ------------------


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"root": "0" * 64}, ["leaves.not_proved", "clip.root_differs"]),
        ({"sha256": "0" * 64}, ["clip.sha256_differs"]),
        ({"size": len(CONTENT) + 1}, ["file.size_differs"]),
        ({"size": 0}, ["payload.malformed"]),
        ({"chunks": 7}, ["payload.malformed"]),
        ({"clip": "01930000-0000-7000-8000-00000000c11c"}, ["entry.other_subject"]),
    ],
)
def test_a_wrong_statement_in_the_log(folder: EvidenceFolder, change: dict[str, Any], expected: list[str]) -> None:
    subject = f"clip:{sealed_payload(CONTENT)['clip']}"
    folder.write_receipt(folder.log.record(sealed_payload(CONTENT) | change, subject=subject))
    assert wrong(verify(folder)) == expected


# Damage to the receipt ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Spoilt:
    """One way to spoil a receipt, and the one code that must name it."""

    code: str
    spoil: Callable[[EvidenceFolder], None]


def _cosign(folder: EvidenceFolder) -> None:
    proof = parse_proof(folder.receipt.proof)
    text = proof.checkpoint.decode().partition("\n\n")[0] + "\n"
    line = WITNESS.cosign(text, at=1_800_000_000).line()
    _reprove(folder, replace(proof, checkpoint=proof.checkpoint + line.encode()))


def _reprove(folder: EvidenceFolder, proof: LogProof) -> None:
    folder.write_receipt(replace(folder.receipt, proof=format_proof(proof)))


def _proof(**changes: Any) -> Callable[[EvidenceFolder], None]:
    return lambda folder: _reprove(folder, replace(parse_proof(folder.receipt.proof), **changes))


def _receipt(**changes: Any) -> Callable[[EvidenceFolder], None]:
    return lambda folder: folder.write_receipt(replace(folder.receipt, **changes))


def _of_another_key(folder: EvidenceFolder) -> None:
    folder.write_receipt(PaperLog(seeded_signer(ORIGIN, "stranger")).record(sealed_payload(CONTENT)))


def _renamed_checkpoint(folder: EvidenceFolder) -> None:
    root = parse_proof(folder.receipt.proof).checkpoint.split(b"\n")[2].decode()
    checkpoint = sign_note(f"evil.example\n6\n{root}\n", [folder.log.signer])
    _reprove(folder, replace(parse_proof(folder.receipt.proof), checkpoint=checkpoint))


def _extended_checkpoint(folder: EvidenceFolder) -> None:
    text = parse_proof(folder.receipt.proof).checkpoint.decode().partition("\n\n")[0] + "\nmore\n"
    _reprove(folder, replace(parse_proof(folder.receipt.proof), checkpoint=sign_note(text, [folder.log.signer])))


def _forged_root(folder: EvidenceFolder) -> None:
    """Sign another root with the true key: the operator of the log cheats."""
    forged = sign_checkpoint(Checkpoint(ORIGIN, 6, hashlib.sha256(b"forged").digest()), [folder.log.signer])
    _reprove(folder, replace(parse_proof(folder.receipt.proof), checkpoint=forged))


SPOILT = {
    "receipt-missing": Spoilt("receipt.missing", lambda folder: folder.receipt_file.unlink()),
    "receipt-emptied": Spoilt("receipt.malformed", lambda folder: os.truncate(folder.receipt_file, 0)),
    "receipt-cut": Spoilt("receipt.malformed", lambda folder: os.truncate(folder.receipt_file, 100)),
    "receipt-of-version-2": Spoilt(
        "receipt.malformed", lambda folder: flip(folder.receipt_file, len(b"shilu/receipt/v1") - 1)
    ),
    "salt-changed": Spoilt("payload.not_committed", _receipt(salt=bytes(32))),
    "payload-changed": Spoilt(
        "payload.not_committed",
        lambda folder: _receipt(payload=folder.receipt.payload.replace(b"4A00123", b"4A00124"))(folder),
    ),
    "payload-not-canonical": Spoilt(
        "payload.malformed", lambda folder: _committed_raw(folder, folder.receipt.payload + b" ")
    ),
    "payload-not-json": Spoilt("payload.malformed", lambda folder: _committed_raw(folder, b"\x00\x01")),
    "entry-malformed": Spoilt("entry.malformed", lambda folder: _logged_raw(folder, folder.receipt.entry + b" ")),
    "entry-of-another-kind": Spoilt(
        "entry.other_subject",
        lambda folder: folder.write_receipt(folder.log.record(sealed_payload(CONTENT), kind="clip.viewed")),
    ),
    "entry-of-another-clip": Spoilt(
        "entry.other_subject",
        lambda folder: folder.write_receipt(folder.log.record(sealed_payload(CONTENT), subject=f"clip:{UUID(int=1)}")),
    ),
    "proof-emptied": Spoilt("log.proof_malformed", _receipt(proof=b"")),
    "proof-of-version-2": Spoilt(
        "log.proof_malformed",
        lambda folder: _receipt(proof=folder.receipt.proof.replace(b"@v1", b"@v2"))(folder),
    ),
    "index-of-the-neighbour": Spoilt("log.not_included", _proof(index=2)),
    "index-beyond": Spoilt("log.not_included", _proof(index=6)),
    "path-emptied": Spoilt("log.not_included", _proof(path=())),
    "root-forged-by-the-operator": Spoilt("log.not_included", _forged_root),
    "key-of-a-stranger": Spoilt("log.checkpoint_unsigned", _of_another_key),
    "checkpoint-of-another-log": Spoilt("log.checkpoint_false", _renamed_checkpoint),
    "checkpoint-extended": Spoilt("log.checkpoint_malformed", _extended_checkpoint),
}


def _committed_raw(folder: EvidenceFolder, payload: bytes) -> None:
    commit = hashlib.sha256(folder.receipt.salt + payload).hexdigest()
    start = folder.receipt.entry.index(b"sha256:") + len(b"sha256:")
    entry = folder.receipt.entry[:start] + commit.encode() + folder.receipt.entry[start + 64 :]
    folder.log.entries[3] = entry
    _receipt(entry=entry, payload=payload, proof=folder.log.prove(3))(folder)


def _logged_raw(folder: EvidenceFolder, entry: bytes) -> None:
    folder.log.entries[3] = entry
    _receipt(entry=entry, proof=folder.log.prove(3))(folder)


@pytest.mark.parametrize("spoilt", SPOILT.values(), ids=SPOILT)
def test_a_spoilt_receipt_is_named_by_one_code(folder: EvidenceFolder, spoilt: Spoilt) -> None:
    spoilt.spoil(folder)
    assert wrong(verify(folder)) == [spoilt.code]
    assert not verify(folder).holds


def test_a_false_signature_of_the_known_key(folder: EvidenceFolder) -> None:
    raw = folder.receipt.proof
    start = raw.rindex(b" ") + 20
    swapped = raw[:start] + bytes([raw[start] ^ 1]) + raw[start + 1 :]
    folder.write_receipt(replace(folder.receipt, proof=swapped))
    assert wrong(verify(folder)) == ["log.checkpoint_false"]


def test_a_missing_witness(folder: EvidenceFolder) -> None:
    verification = verify(folder, policy=f"log {folder.vkey}\n{WITNESS_LINES}")
    assert wrong(verification) == ["log.quorum_unmet"]
    assert by_obligation(verification, 7).details["missing"] == ["w"]


def test_a_receipt_of_another_original(folder: EvidenceFolder, tmp_path: Path) -> None:
    other = make_evidence_folder(tmp_path / "other", CONTENT[::-1])
    folder.receipt_file.write_bytes(other.receipt_file.read_bytes())
    assert "clip.sha256_differs" in wrong(verify(folder))


def test_everything_that_is_wrong_is_named_at_once(folder: EvidenceFolder) -> None:
    flip(folder.file, 5)
    _receipt(salt=bytes(32))(folder)
    spoilt = parse_receipt(folder.receipt_file.read_bytes())
    folder.write_receipt(replace(spoilt, proof=format_proof(replace(parse_proof(spoilt.proof), index=2))))
    verification = verify(folder, policy=f"log {seeded_signer(ORIGIN, 'stranger').verifier.vkey}\nquorum none\n")
    assert wrong(verification) == [
        "clip.chunks_differ",
        "clip.sha256_differs",
        "payload.not_committed",
        "log.not_included",
        "log.checkpoint_unsigned",
    ]


def test_progress_counts_to_the_end(folder: EvidenceFolder) -> None:
    seen: list[tuple[int, int]] = []
    verify_clip(
        folder.file,
        folder.receipt_file.read_bytes(),
        policy=Policy.parse(f"log {folder.vkey}\nquorum none\n"),
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen[-1] == (len(CONTENT), len(CONTENT))


def test_every_code_is_triggered_somewhere_here() -> None:
    files = [
        Path(__file__).with_name(f"test_{name}.py")
        for name in ("clip", "cli", "keys", "sm3", "times", "archived", "rounds")
    ]
    files += [
        Path(stamped_folder.__file__),
        Path(dock_chains.__file__),
        Path(beginnings.__file__),
        Path(excerpts.__file__),
        Path(spoiled_packages.__file__),
        Path(__file__).parents[3] / "support" / "archived_cases.py",
        Path(__file__).parents[3] / "integration" / "evidence" / "export" / "test_archived_cases.py",
        Path(__file__).parents[3] / "integration" / "evidence" / "export" / "test_enclosed_excerpts.py",
        Path(__file__).parents[3] / "integration" / "api" / "test_publicity.py",
    ]
    source = "".join(file.read_text(encoding="utf-8") for file in files)
    fine = {code for code, meaning in FINDINGS.items() if meaning.severity is Severity.OK}
    assert not [code for code in FINDINGS if f'"{code}"' not in source and code not in fine]


def test_both_languages_say_the_same_facts(folder: EvidenceFolder) -> None:
    flip(folder.file, 5)
    for found in verify(folder).findings:
        assert sentence_zh(found) != found.message
        assert "{" not in sentence_zh(found) + found.message


def flip(path: Path, offset: int) -> None:
    """Change one bit of a file."""
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 1]))


def places(verification: Verification) -> list[tuple[int, int]]:
    """Return the byte ranges that were named, both ends included."""
    [found] = [found for found in verification.findings if found.code == "clip.chunks_differ"]
    ranges: Any = found.details["ranges"]
    return [(place["first_byte"], place["last_byte"]) for place in ranges]


def test_no_random_damage_passes_and_none_crashes(tmp_path: Path) -> None:
    """Two hundred seeded faults in an original and its receipt: each is an error, none an exception."""
    random = Random(7)
    folder = make_evidence_folder(tmp_path / "x", content_of(chunks=0, tail_bytes=900))
    for _ in range(200):
        path = random.choice([folder.file, folder.receipt_file])
        honest = path.read_bytes()
        spoilt = bytearray(honest)
        start = random.randrange(len(spoilt))
        match random.choice(["flip", "cut", "repeat", "noise"]):
            case "flip":
                spoilt[start] ^= 1 << random.randrange(8)
            case "cut":
                del spoilt[start : start + random.randrange(1, 50)]
            case "repeat":
                spoilt[start:start] = spoilt[start : start + random.randrange(1, 50)]
            case _:
                spoilt[start : start + 8] = random.randbytes(8)
        path.write_bytes(spoilt)
        assert spoilt == honest or not verify(folder).holds
        path.write_bytes(honest)
    assert verify(folder).holds
