"""Receipts: every vector gives its verdict, every part is bound to every other, and no byte can be changed unseen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.core.wire.receipt import Receipt, check_receipt, format_receipt, parse_receipt
from evidence.core.wire.sealed import SealedClip, read_sealed
from evidence.errors import WireError, WireLimit, WireMalformed
from ledger.canonical import SALT_BYTES
from ledger.cosignature import Cosigner
from ledger.errors import CodedError, PolicyUnmet
from ledger.note import Verifier, parse_note
from ledger.policy import Policy
from ledger.proof import parse_proof
from tests.support.paper_log import CLIP, PaperLog, sealed_payload
from tests.support.receipt_vectors import CONTENT, vectors
from tests.support.wire_vectors import FOLDER

LOG = Verifier.parse((FOLDER / "receipt" / "log.vkey").read_text().strip())
RECEIPT = PaperLog().record(sealed_payload(CONTENT))


def paths(*, good: bool) -> list[Path]:
    found = sorted((FOLDER / "receipt").rglob("*.txt"))
    return [path.relative_to(FOLDER) for path in found if (path.parent.name == "good") is good]


def judge(raw: bytes) -> SealedClip:
    checked = check_receipt(parse_receipt(raw), log=LOG)
    return read_sealed(checked.entry, checked.payload)


@pytest.mark.parametrize("path", paths(good=True), ids=str)
def test_a_good_receipt_round_trips_and_proves(path: Path) -> None:
    raw = (FOLDER / path).read_bytes()
    assert format_receipt(parse_receipt(raw)) == raw
    sealed = judge(raw)
    assert (sealed.clip, sealed.digest.size, sealed.name) == (CLIP, len(CONTENT), "现场 检查.mp4")


@pytest.mark.parametrize("path", paths(good=False), ids=str)
def test_a_hostile_receipt_is_refused(path: Path) -> None:
    with pytest.raises(CodedError) as caught:
        judge((FOLDER / path).read_bytes())
    assert caught.value.code == path.parts[1], caught.value
    assert len(caught.value.message) < 250, "a hostile text must not be echoed whole"


def test_the_vectors_are_those_of_the_generator() -> None:
    found = [path for path in (FOLDER / "receipt").rglob("*") if path.is_file()]
    assert {path.relative_to(FOLDER).as_posix(): path.read_bytes() for path in found} == vectors()


def test_the_place_in_the_log_is_told() -> None:
    checked = check_receipt(RECEIPT, log=LOG)
    assert (checked.index, checked.checkpoint.size, checked.checkpoint.origin) == (3, 6, LOG.name)
    assert checked.entry.type == "clip.sealed"
    assert checked.payload["path"] == "DCIM/现场 检查.mp4"


def test_a_policy_asks_for_its_quorum_too() -> None:
    witness = Cosigner.generate("witness.example/w")
    policy = Policy.parse(f"log {LOG.vkey}\nwitness w {witness.verifier.vkey}\nquorum w\n")
    with pytest.raises(PolicyUnmet):
        check_receipt(RECEIPT, log=LOG, policy=policy)
    note = parse_proof(RECEIPT.proof).checkpoint
    proof = RECEIPT.proof + witness.cosign(parse_note(note).text, at=1).line().encode()
    cosigned = Receipt(entry=RECEIPT.entry, payload=RECEIPT.payload, salt=RECEIPT.salt, proof=proof)
    assert check_receipt(cosigned, log=LOG, policy=policy) == check_receipt(RECEIPT, log=LOG)


@given(st.data())
def test_no_changed_byte_of_a_receipt_passes(data: st.DataObject) -> None:
    raw = bytearray(format_receipt(RECEIPT))
    position = data.draw(st.integers(min_value=0, max_value=len(raw) - 1))
    raw[position] ^= data.draw(st.integers(min_value=1, max_value=255))
    with pytest.raises(CodedError):
        judge(bytes(raw))


@given(st.data())
def test_no_cut_receipt_passes(data: st.DataObject) -> None:
    raw = format_receipt(RECEIPT)
    with pytest.raises(CodedError):
        judge(raw[: data.draw(st.integers(min_value=0, max_value=len(raw) - 1))])


@given(st.binary(max_size=400))
def test_noise_is_refused_with_a_code(noise: bytes) -> None:
    with pytest.raises(WireError):
        parse_receipt(noise)


@given(st.text(), st.text(), st.binary(min_size=SALT_BYTES, max_size=SALT_BYTES), st.text())
def test_any_text_travels_unchanged(entry: str, payload: str, salt: bytes, proof: str) -> None:
    receipt = Receipt(entry=entry.encode(), payload=payload.encode(), salt=salt, proof=proof.encode())
    assert parse_receipt(format_receipt(receipt)) == receipt


def test_parts_that_are_not_utf_8_cannot_travel() -> None:
    with pytest.raises(WireMalformed):
        format_receipt(replace(RECEIPT, payload=b"\xff"))


def test_an_over_long_receipt_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evidence.core.wire.receipt.RECEIPT_BYTES_MAX", 100)
    with pytest.raises(WireLimit):
        parse_receipt(b"x" * 101)
    with pytest.raises(WireLimit):
        format_receipt(RECEIPT)
