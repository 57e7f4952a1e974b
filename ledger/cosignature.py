"""Cosignatures (C2SP tlog-cosignature): a witness states when it saw a checkpoint, and that it was consistent.

A cosignature is a note signature whose bytes are

    u64 big-endian POSIX seconds, at most 2^63 - 1 || signature

Type 0x04, Ed25519 over `cosignature/v1\\ntime <seconds>\\n` and the checkpoint's text.
Type 0x06, ML-DSA-44 (FIPS 204, empty context) over

    "subtree/v1\\n\\0" || u8 length || cosigner name || u64 seconds || u8 length || origin
                      || u64 start (0) || u64 end (the size) || root

The second binds the witness's name, withstands quantum computers and is what the specification prefers; as it may be
made with time 0 (consistent, but not said to be the newest), logs sign their own checkpoints with it too. Witnesses of
today mostly use the first. One checkpoint is refused whatever the signature: one that `parse_checkpoint` refuses.

What a cosignature is worth is decided in `ledger.policy`. No clock is read here: the signer is told the time.
"""

from __future__ import annotations

import secrets
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

from ledger.checkpoint import parse_checkpoint
from ledger.errors import CheckpointMalformed, KeyMalformed
from ledger.keys import SEED_BYTES, KeyType, PrivateKey, PublicKey, parse_private_key
from ledger.note import NoteVerifier, Signature, ed25519_verifies

TIME_MAX = 2**63 - 1
"""Latest time of a cosignature in POSIX seconds."""

_COSIGNATURE_TYPES = frozenset({KeyType.COSIGNATURE_ED25519, KeyType.COSIGNATURE_MLDSA44})
_TIME = struct.Struct(">Q")
_RANGE = struct.Struct(">QQ")
_MLDSA_LABEL = b"subtree/v1\n\x00"


class CosignatureVerifier(NoteVerifier):
    """Verifies cosignatures of one witness (types 0x04 and 0x06)."""

    __slots__ = ()
    types: ClassVar[frozenset[KeyType]] = _COSIGNATURE_TYPES

    def verifies(self, text: str, signature: bytes) -> bool:
        """Tell whether the time and signature are this witness's over the checkpoint."""
        if cosigned_at(signature) > TIME_MAX:
            return False
        try:
            message = _message(self.key, text, cosigned_at(signature))
        except CheckpointMalformed:
            return False
        if self.key.type is KeyType.COSIGNATURE_MLDSA44:
            return _mldsa44_verifies(self.key, message, signature[_TIME.size :])
        return ed25519_verifies(self.key, message, signature[_TIME.size :])


@dataclass(frozen=True, slots=True)
class Cosigner:
    """Cosigns checkpoints (types 0x04 and 0x06); whether one *may* be cosigned is the witness's question.

    Raises:
        KeyMalformed: The key is of another type.
    """

    key: PrivateKey

    def __post_init__(self) -> None:
        if self.key.type not in _COSIGNATURE_TYPES:
            raise KeyMalformed(f"a key of type {self.key.type:#04x} does not cosign")

    @classmethod
    def generate(
        cls,
        name: str,
        *,
        key_type: KeyType = KeyType.COSIGNATURE_MLDSA44,
        entropy: Callable[[int], bytes] = secrets.token_bytes,
    ) -> Self:
        """Make a new key of that name; `entropy` returns that many random bytes.

        Raises:
            KeyMalformed: The name or the type is not allowed.
        """
        return cls(PrivateKey(name, key_type, entropy(SEED_BYTES)))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a signer key, as written by `encoded`.

        Raises:
            KeyMalformed: It is not one, or of another type.
        """
        return cls(parse_private_key(text))

    def encoded(self) -> str:
        """Return the signer key as text; keep it secret."""
        return self.key.encoded()

    @property
    def name(self) -> str:
        """The key name."""
        return self.key.name

    @property
    def verifier(self) -> CosignatureVerifier:
        """The public half."""
        return CosignatureVerifier(self.key.public)

    def cosign(self, text: str, *, at: int) -> Signature:
        """Return the signature line's content for a checkpoint's text, dated `at` POSIX seconds.

        Ed25519 always yields the same bytes; ML-DSA signs with fresh randomness.

        Raises:
            CheckpointMalformed: The text is not a checkpoint.
            ValueError: The time is out of bounds.
        """
        if not 0 <= at <= TIME_MAX:
            raise ValueError(f"{at} is no time of a cosignature")
        public = self.key.public
        message = _message(public, text, at)
        if self.key.type is KeyType.COSIGNATURE_MLDSA44:
            value = MLDSA44PrivateKey.from_seed_bytes(self.key.seed).sign(message)
        else:
            value = Ed25519PrivateKey.from_private_bytes(self.key.seed).sign(message)
        return Signature(self.name, public.key_id, _TIME.pack(at) + value)


def cosigned_at(signature: bytes) -> int:
    """Return the POSIX seconds stated in the bytes of a cosignature."""
    return int.from_bytes(signature[: _TIME.size], "big")


def _message(key: PublicKey, text: str, at: int) -> bytes:
    checkpoint = parse_checkpoint(text)
    if key.type is KeyType.COSIGNATURE_ED25519:
        return f"cosignature/v1\ntime {at}\n{text}".encode()
    return b"".join(
        (
            _MLDSA_LABEL,
            _short(key.name),
            _TIME.pack(at),
            _short(checkpoint.origin),
            _RANGE.pack(0, checkpoint.size),
            checkpoint.root,
        )
    )


def _short(text: str) -> bytes:
    """Prefix a text with its length; names and origins are held to 255 bytes where they are parsed."""
    data = text.encode()
    return bytes([len(data)]) + data


def _mldsa44_verifies(key: PublicKey, message: bytes, signature: bytes) -> bool:
    try:
        MLDSA44PublicKey.from_public_bytes(key.raw).verify(signature, message)
    except InvalidSignature:
        return False
    return True
