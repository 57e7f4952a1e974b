"""Proof files: an entry is shown to be in a log, offline. Hostile proofs: test_vectors.py."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.checkpoint import Checkpoint, format_checkpoint, sign_checkpoint
from ledger.errors import LedgerInputError, PolicyUnmet, ProofError, ProofMalformed
from ledger.note import Note, format_note
from ledger.policy import Policy
from ledger.proof import (
    PROOF_BYTES_MAX,
    LogProof,
    check_proof,
    check_witnessed_proof,
    format_proof,
    parse_proof,
)
from ledger.tree import SIZE_MAX, leaf_hash, prove_inclusion
from tests.support.merkle import KnownTree
from tests.vectors.generate import CHECKPOINT, ENTRIES, LOG, PATH, POLICY, PROVED, WITNESSES

PROOF = LogProof(PROVED, PATH, sign_checkpoint(CHECKPOINT, [LOG]))


@given(
    index=st.integers(0, SIZE_MAX - 1),
    path=st.lists(st.binary(min_size=32, max_size=32), max_size=63),
    checkpoint=st.binary(min_size=1, max_size=60),
    extra=st.none() | st.binary(max_size=60),
)
def test_proofs_round_trip(index: int, path: list[bytes], checkpoint: bytes, extra: bytes | None) -> None:
    proof = LogProof(index, tuple(path), checkpoint, extra)
    assert parse_proof(format_proof(proof)) == proof


@given(data=st.data())
def test_a_bent_proof_is_refused_or_says_the_same(data: st.DataObject) -> None:
    raw = bytearray(format_proof(PROOF))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3) | st.sampled_from([b"\r", b"\n\n"]))
    try:
        proof = parse_proof(bytes(raw))
        assert format_proof(proof) == raw
        checked = check_proof(proof, entry=ENTRIES[PROVED], log=LOG.verifier)
    except LedgerInputError:
        return
    assert (proof.index, proof.path, checked) == (PROOF.index, PROOF.path, CHECKPOINT)


@pytest.mark.parametrize("size", [1, 2, 3, 100, 256, 300])
def test_an_entry_is_proved_in_a_log_of_any_size(size: int) -> None:
    entries = [f"entry {number}".encode() for number in range(size)]
    tree = KnownTree([leaf_hash(entry) for entry in entries])
    checkpoint = Checkpoint(LOG.name, size, tree.roots[size])
    note = sign_checkpoint(checkpoint, [LOG])
    for index in {0, size // 2, size - 1}:
        proof = parse_proof(format_proof(LogProof(index, prove_inclusion(tree.read, index, size), note)))
        assert check_proof(proof, entry=entries[index], log=LOG.verifier) == checkpoint
        with pytest.raises(ProofError):
            check_proof(proof, entry=entries[index] + b" ", log=LOG.verifier)


def test_another_entry_of_the_log_is_not_proved() -> None:
    for entry in [ENTRIES[0], ENTRIES[2], b"", PATH[0] + PATH[1]]:
        with pytest.raises(ProofError):
            check_proof(PROOF, entry=entry, log=LOG.verifier)


def test_a_policy_wants_the_quorum_too() -> None:
    policy = Policy.parse(POLICY)
    with pytest.raises(PolicyUnmet):
        check_witnessed_proof(PROOF, entry=ENTRIES[PROVED], policy=policy)
    text = format_checkpoint(CHECKPOINT)
    seen = tuple(witness.cosign(text, at=7) for witness in WITNESSES[:2])
    proof = LogProof(PROVED, PATH, format_note(Note(text, (LOG.sign(text), *seen))))
    witnessed = check_witnessed_proof(proof, entry=ENTRIES[PROVED], policy=policy)
    assert witnessed.checkpoint == CHECKPOINT
    assert [(seen.witness.name, seen.at) for seen in witnessed.verdict.cosigned] == [("w1", 7), ("w2", 7)]
    with pytest.raises(ProofError):
        check_witnessed_proof(proof, entry=ENTRIES[0], policy=policy)
    assert check_proof(proof, entry=ENTRIES[PROVED], log=LOG.verifier) == CHECKPOINT


@pytest.mark.parametrize(
    "proof",
    [
        LogProof(-1, (), b"c"),
        LogProof(SIZE_MAX, (), b"c"),
        LogProof(0, (b"x" * 31,), b"c"),
        LogProof(0, (b"x" * 32,) * 64, b"c"),
        LogProof(0, (), b""),
        LogProof(0, (), b"c" * PROOF_BYTES_MAX),
        LogProof(0, (), b"c", extra=b"x" * PROOF_BYTES_MAX),
    ],
)
def test_a_proof_out_of_form_is_not_written(proof: LogProof) -> None:
    with pytest.raises(ProofMalformed):
        format_proof(proof)
