"""Keys as text: what is written is read again, and a key ID is computed, never believed."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.cosignature import Cosigner
from ledger.errors import KeyMalformed
from ledger.keys import (
    NAME_BYTES_MAX,
    PUBLIC_KEY_BYTES,
    KeyType,
    PrivateKey,
    PublicKey,
    check_name,
    parse_private_key,
    parse_public_key,
)
from ledger.note import Signer
from tests.support.clock import SeededEntropy

names = st.text(
    st.characters(codec="utf-8", exclude_categories=["Z", "Cc"], exclude_characters="+"), min_size=1
).filter(lambda name: len(name.encode()) <= NAME_BYTES_MAX)
types = st.sampled_from(KeyType)


@given(name=names, key_type=types, data=st.data())
def test_public_keys_round_trip(name: str, key_type: KeyType, data: st.DataObject) -> None:
    size = PUBLIC_KEY_BYTES[key_type]
    key = PublicKey(name, key_type, data.draw(st.binary(min_size=size, max_size=size)))
    assert parse_public_key(key.vkey) == key


@given(name=names, key_type=types, seed=st.binary(min_size=32, max_size=32))
def test_private_keys_round_trip(name: str, key_type: KeyType, seed: bytes) -> None:
    key = PrivateKey(name, key_type, seed)
    assert parse_private_key(key.encoded()) == key
    assert key.encoded().split("+")[3] == key.public.key_id.hex()


def test_the_key_id_is_that_of_the_specification() -> None:
    key = PublicKey("log.example", KeyType.COSIGNATURE_ED25519, b"p" * 32)
    assert key.key_id == hashlib.sha256(b"log.example\n\x04" + b"p" * 32).digest()[:4]


def test_a_key_of_another_type_has_another_id() -> None:
    key = PublicKey("log.example", KeyType.ED25519, b"p" * 32)
    assert key.key_id != replace(key, type=KeyType.COSIGNATURE_ED25519).key_id


def test_a_known_key_of_go_is_read() -> None:
    text = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
    signer = Signer.parse(text)
    assert signer.verifier.vkey == "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    assert signer.encoded() == text


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a b",
        "a+b",
        "a\tb",
        "a\nb",
        "a\x00b",
        "a\u00a0b",
        "a\u2028b",
        "a\u3000b",
        "a\x85b",
        "\ud800",
        "n" * 256,
        "长" * 86,
    ],
)
def test_a_name_that_cannot_stand_in_a_line_is_refused(name: str) -> None:
    with pytest.raises(KeyMalformed):
        check_name(name)


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_seed_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(KeyMalformed):
        PrivateKey("a", KeyType.ED25519, bytes(length))


@pytest.mark.parametrize("key_type", KeyType)
def test_a_public_key_of_another_length_is_refused(key_type: KeyType) -> None:
    with pytest.raises(KeyMalformed):
        PublicKey("a", key_type, bytes(PUBLIC_KEY_BYTES[key_type] + 1))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("PRIVATE+KEY+", ""),
        ("PRIVATE+KEY+", "PUBLIC+KEY+"),
        ("author", "editor"),
        ("+AQ", "+BA"),
        ("AAAA", ""),
        ("AQAA", "AQAB"),
    ],
)
def test_a_signer_key_with_a_flaw_is_refused(old: str, new: str) -> None:
    encoded = Signer(PrivateKey("author.example", KeyType.ED25519, bytes(32))).encoded()
    assert old in encoded
    with pytest.raises(KeyMalformed):
        parse_private_key(encoded.replace(old, new, 1))


def test_a_refusal_and_a_display_keep_the_seed_secret() -> None:
    signer = Signer.generate("log.example", entropy=SeededEntropy())
    secret = signer.encoded().split("+", 4)[4]
    assert secret not in repr(signer)
    assert repr(signer.key.seed) not in repr(signer)
    with pytest.raises(KeyMalformed) as caught:
        Signer.parse(signer.encoded().replace("log.example", "dog.example"))
    assert secret not in str(caught.value)


def test_generated_keys_come_from_the_entropy_given() -> None:
    assert Signer.generate("a", entropy=SeededEntropy()) == Signer.generate("a", entropy=SeededEntropy())
    assert Signer.generate("a") != Signer.generate("a")
    assert Cosigner.generate("a") != Cosigner.generate("a")


def test_keys_sign_only_their_own_way() -> None:
    plain = Signer.generate("a")
    cosigner = Cosigner.generate("a", key_type=KeyType.COSIGNATURE_ED25519)
    with pytest.raises(KeyMalformed):
        Signer.parse(cosigner.encoded())
    with pytest.raises(KeyMalformed):
        Cosigner.parse(plain.encoded())
    with pytest.raises(KeyMalformed):
        type(plain.verifier).parse(cosigner.verifier.vkey)
    with pytest.raises(KeyMalformed):
        type(cosigner.verifier).parse(plain.verifier.vkey)
