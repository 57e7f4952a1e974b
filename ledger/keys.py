"""Keys of notes as text, and the key ID that ties a signature line to one of them (C2SP signed-note).

    verifier key   <name>+<8 hex>+base64(type byte || public key)
    signer key     PRIVATE+KEY+<name>+<8 hex>+base64(type byte || seed)
    key ID         first 4 bytes of SHA-256(name || 0x0A || type byte || public key), the 8 hex digits

A name is not empty, has at most 255 bytes of UTF-8 (so that it fits an ML-DSA cosignature), no Unicode space, no
control character and no plus. The key ID is short: it finds the key, the signature proves it. Therefore it is always
computed, and a text that states another one is refused.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import IntEnum

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from ledger.errors import KeyMalformed
from ledger.lexemes import format_base64, parse_base64

NAME_BYTES_MAX = 255
"""Longest key name in bytes of UTF-8; the length prefix in a tlog-cosignature is one byte."""

SEED_BYTES = 32
"""Length of every private key in bytes: the seed of Ed25519 and of ML-DSA alike."""

_SIGNER_PREFIX = "PRIVATE+KEY+"


class KeyType(IntEnum):
    """Signature type identifier bytes (C2SP signed-note) known here."""

    ED25519 = 0x01
    COSIGNATURE_ED25519 = 0x04
    COSIGNATURE_MLDSA44 = 0x06


PUBLIC_KEY_BYTES = {KeyType.ED25519: 32, KeyType.COSIGNATURE_ED25519: 32, KeyType.COSIGNATURE_MLDSA44: 1312}


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A named public key and what its signatures are.

    Raises:
        KeyMalformed: The name or the length of the key is not allowed.
    """

    name: str
    type: KeyType
    raw: bytes

    def __post_init__(self) -> None:
        check_name(self.name)
        if len(self.raw) != PUBLIC_KEY_BYTES[self.type]:
            raise KeyMalformed(f"a public key of type {self.type:#04x} does not have {len(self.raw)} bytes")

    @property
    def key_id(self) -> bytes:
        """Four bytes that stand before the signature in its line."""
        head = self.name.encode() + b"\n" + bytes([self.type])
        return hashlib.sha256(head + self.raw).digest()[:4]

    @property
    def vkey(self) -> str:
        """The verifier key as text."""
        return f"{self.name}+{self.key_id.hex()}+{format_base64(bytes([self.type]) + self.raw)}"


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A named private key; its text form is a secret.

    Raises:
        KeyMalformed: The name or the length of the seed is not allowed.
    """

    name: str
    type: KeyType
    seed: bytes

    def __post_init__(self) -> None:
        check_name(self.name)
        if len(self.seed) != SEED_BYTES:
            raise KeyMalformed(f"a seed has {SEED_BYTES} bytes, not {len(self.seed)}")

    def __repr__(self) -> str:
        return f"PrivateKey(name={self.name!r}, type={self.type!r})"

    @property
    def public(self) -> PublicKey:
        """The key that verifies."""
        private = (
            MLDSA44PrivateKey.from_seed_bytes
            if self.type is KeyType.COSIGNATURE_MLDSA44
            else (Ed25519PrivateKey.from_private_bytes)
        )
        return PublicKey(self.name, self.type, private(self.seed).public_key().public_bytes_raw())

    def encoded(self) -> str:
        """Return the signer key as text; keep it secret."""
        material = format_base64(bytes([self.type]) + self.seed)
        return f"{_SIGNER_PREFIX}{self.name}+{self.public.key_id.hex()}+{material}"


def parse_public_key(vkey: str) -> PublicKey:
    """Read a verifier key of any known type.

    Raises:
        KeyMalformed: Another form, an unknown type, or a key ID that is not the computed one.
    """
    name, key_id, key_type, raw = _split(vkey)
    key = PublicKey(name, key_type, raw)
    if key.key_id.hex() != key_id:
        raise KeyMalformed("the key ID is not that of the key")
    return key


def parse_private_key(text: str) -> PrivateKey:
    """Read a signer key of any known type.

    Raises:
        KeyMalformed: Another form, an unknown type, or a key ID that is not the computed one.
    """
    if not text.startswith(_SIGNER_PREFIX):
        raise KeyMalformed("not a signer key")
    name, key_id, key_type, seed = _split(text.removeprefix(_SIGNER_PREFIX))
    key = PrivateKey(name, key_type, seed)
    if key.public.key_id.hex() != key_id:
        raise KeyMalformed("the key ID is not that of the key")
    return key


def check_name(name: str) -> None:
    """Refuse what cannot stand as a key name in a signature line.

    Raises:
        KeyMalformed: Empty, over-long, or with a space, a control character, a plus or a lone surrogate.
    """
    try:
        length = len(name.encode())
    except UnicodeEncodeError as error:
        raise KeyMalformed("a key name is Unicode text") from error
    if not 0 < length <= NAME_BYTES_MAX or "+" in name or any(c.isspace() or c < " " for c in name):
        raise KeyMalformed(f"a key name has 1 to {NAME_BYTES_MAX} bytes, no space and no plus")


def _split(text: str) -> tuple[str, str, KeyType, bytes]:
    try:
        name, key_id, encoded = text.split("+", 2)
        material = parse_base64(encoded)
        return name, key_id, KeyType(material[0]), material[1:]
    except (ValueError, IndexError) as error:
        raise KeyMalformed("not <name>+<key ID>+<base64 of a known key type>") from error
