"""Cosignatures of both types: the signed bytes are those of the specification, and only those verify."""

from __future__ import annotations

import struct

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.checkpoint import Checkpoint, format_checkpoint, open_checkpoint
from ledger.cosignature import TIME_MAX, CosignatureVerifier, Cosigner, cosigned_at
from ledger.errors import CheckpointMalformed
from ledger.keys import KeyType, PrivateKey
from ledger.note import Note, Signature, format_note, open_note
from tests.vectors.generate import CHECKPOINT, FOLDER, LOG

TEXT = format_checkpoint(CHECKPOINT)
AT = 1_795_303_283
SEED = bytes(range(32))
NAME = "witness.example/一"
COSIGNERS = [
    Cosigner(PrivateKey(NAME, KeyType.COSIGNATURE_ED25519, SEED)),
    Cosigner(PrivateKey(NAME, KeyType.COSIGNATURE_MLDSA44, SEED)),
]

both_types = pytest.mark.parametrize("cosigner", COSIGNERS, ids=["ed25519", "ml-dsa-44"])


@both_types
@pytest.mark.parametrize("at", [0, 1, AT, TIME_MAX])
def test_a_cosignature_is_opened_with_its_time(cosigner: Cosigner, at: int) -> None:
    raw = format_note(Note(TEXT, (LOG.sign(TEXT), cosigner.cosign(TEXT, at=at))))
    note = open_note(raw, [cosigner.verifier])
    assert note.signed_by == (cosigner.verifier,)
    assert [cosigned_at(value) for _, value in note.proofs] == [at]


@both_types
def test_keys_travel_as_text(cosigner: Cosigner) -> None:
    assert Cosigner.parse(cosigner.encoded()) == cosigner
    assert CosignatureVerifier.parse(cosigner.verifier.vkey) == cosigner.verifier


def test_ed25519_signs_the_text_of_the_specification() -> None:
    value = COSIGNERS[0].cosign(TEXT, at=AT).value
    message = f"cosignature/v1\ntime {AT}\n{TEXT}".encode()
    assert value == struct.pack(">Q", AT) + Ed25519PrivateKey.from_private_bytes(SEED).sign(message)
    assert len(COSIGNERS[0].verifier.key_id + value) == 76


def test_ml_dsa_signs_the_structure_of_the_specification() -> None:
    value = COSIGNERS[1].cosign(TEXT, at=AT).value
    message = (
        b"subtree/v1\n\x00"
        + bytes([len(NAME.encode())])
        + NAME.encode()
        + struct.pack(">Q", AT)
        + bytes([len(LOG.name.encode())])
        + LOG.name.encode()
        + struct.pack(">QQ", 0, CHECKPOINT.size)
        + CHECKPOINT.root
    )
    assert value[:8] == struct.pack(">Q", AT)
    assert len(value) == 8 + 2420
    MLDSA44PrivateKey.from_seed_bytes(SEED).public_key().verify(value[8:], message)


def test_a_foreign_ml_dsa_checkpoint_is_opened() -> None:
    vkey = (FOLDER / "foreign" / "ml-dsa-44.vkey").read_text(encoding="utf-8").strip()
    raw = (FOLDER / "foreign" / "ml-dsa-44.checkpoint").read_bytes()
    checkpoint = open_checkpoint(raw, CosignatureVerifier.parse(vkey))
    assert (checkpoint.origin, checkpoint.size) == ("example.com/mldsa-log", 1)


@both_types
@settings(max_examples=40)
@given(data=st.data())
def test_a_bent_cosignature_is_false(cosigner: Cosigner, data: st.DataObject) -> None:
    value = bytearray(cosigner.cosign(TEXT, at=AT).value)
    match data.draw(st.sampled_from(["bit", "cut", "longer"])):
        case "bit":
            value[data.draw(st.integers(0, len(value) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        case "cut":
            del value[data.draw(st.integers(0, len(value) - 1)) :]
        case _:
            value += data.draw(st.binary(min_size=1, max_size=3))
    assert not cosigner.verifier.verifies(TEXT, bytes(value))


@both_types
@pytest.mark.parametrize(
    "other",
    [
        Checkpoint("other.example", CHECKPOINT.size, CHECKPOINT.root),
        Checkpoint(CHECKPOINT.origin, CHECKPOINT.size + 1, CHECKPOINT.root),
        Checkpoint(CHECKPOINT.origin, CHECKPOINT.size, bytes(32)),
    ],
)
def test_a_cosignature_holds_for_one_checkpoint(cosigner: Cosigner, other: Checkpoint) -> None:
    value = cosigner.cosign(TEXT, at=AT).value
    assert cosigner.verifier.verifies(TEXT, value)
    assert not cosigner.verifier.verifies(format_checkpoint(other), value)


def test_ml_dsa_binds_the_name_of_the_witness() -> None:
    value = COSIGNERS[1].cosign(TEXT, at=AT).value
    renamed = Cosigner(PrivateKey("other.example", KeyType.COSIGNATURE_MLDSA44, SEED))
    assert not renamed.verifier.verifies(TEXT, value)


@both_types
def test_only_checkpoints_are_cosigned(cosigner: Cosigner) -> None:
    for text in ["", "hello\n", TEXT + "extension\n", TEXT.removesuffix("\n")]:
        with pytest.raises(CheckpointMalformed):
            cosigner.cosign(text, at=AT)
        assert not cosigner.verifier.verifies(text, cosigner.cosign(TEXT, at=AT).value)


@both_types
@pytest.mark.parametrize("at", [-1, TIME_MAX + 1])
def test_a_time_out_of_bounds_is_not_signed(cosigner: Cosigner, at: int) -> None:
    with pytest.raises(ValueError, match="no time"):
        cosigner.cosign(TEXT, at=at)


def test_a_time_beyond_the_limit_is_false_even_if_signed() -> None:
    message = f"cosignature/v1\ntime {TIME_MAX + 1}\n{TEXT}".encode()
    value = struct.pack(">Q", TIME_MAX + 1) + Ed25519PrivateKey.from_private_bytes(SEED).sign(message)
    assert not COSIGNERS[0].verifier.verifies(TEXT, value)


def test_a_type_does_not_pass_for_another() -> None:
    plain, post_quantum = COSIGNERS
    assert plain.verifier.key_id != post_quantum.verifier.key_id
    assert not plain.verifier.verifies(TEXT, post_quantum.cosign(TEXT, at=AT).value)
    assert not post_quantum.verifier.verifies(TEXT, plain.cosign(TEXT, at=AT).value)
    assert not plain.verifier.verifies(TEXT, LOG.sign(TEXT).value)


def test_a_line_without_room_for_a_time_is_false() -> None:
    for cosigner in COSIGNERS:
        assert not cosigner.verifier.verifies(TEXT, Signature(NAME, b"abcd", b"short").value)
