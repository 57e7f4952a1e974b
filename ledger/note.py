"""Signed notes (C2SP signed-note): text signed by one or more keys, readable by people and by anybody's programs.

    <text, ends with a newline>
                                                            (empty line)
    — <key name> <base64(4-byte key ID || signature)>       (em dash; one line per signature)

The text ends at the *last* empty line, so it may hold empty lines itself. A note is UTF-8 without control characters
but newline. Do not act on the text before `open_note` has returned it: parsing alone proves nothing.

`open_note` has three obligations:
1. the bytes are a note, whole, within `NOTE_BYTES_MAX` and `SIGNATURES_MAX` (the specification asks for at least 16);
2. every line whose key name *and* key ID belong to a given verifier is a true signature of that key; one false line
   condemns the note, as it means that somebody tampered or a signer is broken;
3. at least one such line is there. Lines of unknown keys are ignored: that is how keys rotate and witnesses join.
The caller still owes the question whether *enough* and the *right* keys signed; `OpenedNote.signed_by` answers it.

Plain notes here are signed with Ed25519 (type 0x01). What signs otherwise derives from `NoteVerifier`, see
`ledger.cosignature`.
"""

from __future__ import annotations

import re
import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar, Protocol, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ledger.errors import KeyMalformed, NoteMalformed, NoteSignatureFalse, NoteUnsigned
from ledger.keys import SEED_BYTES, KeyType, PrivateKey, PublicKey, check_name, parse_private_key, parse_public_key
from ledger.lexemes import format_base64, parse_base64

NOTE_BYTES_MAX = 16 * 1024 * 1024
"""Longest note in bytes, signatures included."""

SIGNATURES_MAX = 100
"""Most signature lines in one note."""

KEY_ID_BYTES = 4

_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_LINE_START = "— "


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: who claims to have signed, and the bytes that may prove it."""

    name: str
    key_id: bytes
    value: bytes

    def line(self) -> str:
        """Return the line, newline included."""
        return f"{_LINE_START}{self.name} {format_base64(self.key_id + self.value)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A note as parsed; nothing is proved yet."""

    text: str
    signatures: tuple[Signature, ...]


@dataclass(frozen=True, slots=True)
class NoteVerifier(ABC):
    """A public key that can tell true signatures of its kind from false ones.

    Raises:
        KeyMalformed: The key is of another type.
    """

    key: PublicKey

    types: ClassVar[frozenset[KeyType]]

    def __post_init__(self) -> None:
        if self.key.type not in self.types:
            raise KeyMalformed(f"a key of type {self.key.type:#04x} does not sign this way")

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """Read a verifier key.

        Raises:
            KeyMalformed: It is not one, or of another type.
        """
        return cls(parse_public_key(vkey))

    @property
    def name(self) -> str:
        """The key name."""
        return self.key.name

    @property
    def key_id(self) -> bytes:
        """The computed key ID, 4 bytes."""
        return self.key.key_id

    @property
    def vkey(self) -> str:
        """The verifier key as text."""
        return self.key.vkey

    @abstractmethod
    def verifies(self, text: str, signature: bytes) -> bool:
        """Tell whether the bytes after the key ID are this key's signature over the note's text."""


class Verifier(NoteVerifier):
    """Verifies Ed25519 note signatures (type 0x01)."""

    __slots__ = ()
    types = frozenset({KeyType.ED25519})

    def verifies(self, text: str, signature: bytes) -> bool:
        """Tell whether the signature, 64 bytes, is over the text as it stands."""
        return ed25519_verifies(self.key, text.encode(), signature)


class NoteSigner(Protocol):
    """Whatever can sign a note's text."""

    def sign(self, text: str) -> Signature:
        """Return the signature over the text."""
        ...


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs notes with Ed25519 (type 0x01).

    Raises:
        KeyMalformed: The key is of another type.
    """

    key: PrivateKey

    def __post_init__(self) -> None:
        if self.key.type is not KeyType.ED25519:
            raise KeyMalformed(f"a key of type {self.key.type:#04x} does not sign this way")

    @classmethod
    def generate(cls, name: str, entropy: Callable[[int], bytes] = secrets.token_bytes) -> Self:
        """Make a new key of that name; `entropy` returns that many random bytes.

        Raises:
            KeyMalformed: The name is not allowed.
        """
        return cls(PrivateKey(name, KeyType.ED25519, entropy(SEED_BYTES)))

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
    def verifier(self) -> Verifier:
        """The public half."""
        return Verifier(self.key.public)

    def sign(self, text: str) -> Signature:
        """Return the signature over the text; a note is made by `sign_note`."""
        value = Ed25519PrivateKey.from_private_bytes(self.key.seed).sign(text.encode())
        return Signature(self.name, self.key.public.key_id, value)


@dataclass(frozen=True, slots=True)
class OpenedNote:
    """A note's text with the proof of who signed it.

    Attributes:
        text: The text, final newline included.
        proofs: Each verified line: the key, and the bytes after the key ID (a cosignature carries its time in them).
    """

    text: str
    proofs: tuple[tuple[NoteVerifier, bytes], ...]

    @property
    def signed_by(self) -> tuple[NoteVerifier, ...]:
        """The keys that signed, each once, in the order of their first line."""
        return tuple(dict.fromkeys(verifier for verifier, _ in self.proofs))


def sign_note(text: str, signers: Iterable[NoteSigner]) -> bytes:
    """Sign a text and return the note.

    Raises:
        NoteMalformed: The text cannot stand in a note, or there is no signer.
    """
    _check_text(text)
    return format_note(Note(text, tuple(signer.sign(text) for signer in signers)))


def format_note(note: Note) -> bytes:
    """Write a note.

    Raises:
        NoteMalformed: It could not be read back: the text cannot stand in a note, or too many or no signatures.
    """
    _check_text(note.text)
    if not 0 < len(note.signatures) <= SIGNATURES_MAX:
        raise NoteMalformed(f"a note has 1 to {SIGNATURES_MAX} signatures, not {len(note.signatures)}")
    raw = (note.text + "\n" + "".join(signature.line() for signature in note.signatures)).encode()
    if len(raw) > NOTE_BYTES_MAX:
        raise NoteMalformed(f"a note has at most {NOTE_BYTES_MAX} bytes, not {len(raw)}")
    return raw


def parse_note(raw: bytes) -> Note:
    """Take a note apart without verifying anything.

    Raises:
        NoteMalformed: The bytes are not exactly one note, or exceed a limit.
    """
    if len(raw) > NOTE_BYTES_MAX:
        raise NoteMalformed(f"a note has at most {NOTE_BYTES_MAX} bytes, not {len(raw)}")
    try:
        whole = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NoteMalformed("a note is UTF-8") from error
    end = whole.rfind("\n\n")
    if end < 0 or not whole.endswith("\n"):
        raise NoteMalformed("no empty line before the signatures, or no newline at the end")
    text = whole[: end + 1]
    _check_text(text)
    lines = whole[end + 2 : -1].split("\n")
    if len(lines) > SIGNATURES_MAX:
        raise NoteMalformed(f"a note has at most {SIGNATURES_MAX} signatures, not {len(lines)}")
    return Note(text, tuple(parse_signature(line) for line in lines))


def open_note(raw: bytes, verifiers: Iterable[NoteVerifier]) -> OpenedNote:
    """Verify a note and return its text; obligations 1 to 3 of this module.

    Raises:
        NoteMalformed: The bytes are not a note.
        NoteSignatureFalse: A line of a known key is not its signature.
        NoteUnsigned: No line is of a known key.
    """
    note = parse_note(raw)
    known = [(verifier, verifier.name, verifier.key_id) for verifier in dict.fromkeys(verifiers)]
    proofs = []
    for signature in note.signatures:
        for verifier, name, key_id in known:
            if (name, key_id) != (signature.name, signature.key_id):
                continue
            if not verifier.verifies(note.text, signature.value):
                raise NoteSignatureFalse(f"the signature of {name} is false", name=name)
            proofs.append((verifier, signature.value))
    if not proofs:
        raise NoteUnsigned("no signature is by a known key", names=[s.name for s in note.signatures])
    return OpenedNote(note.text, tuple(proofs))


def parse_signature(line: str) -> Signature:
    """Read one signature line, given without its newline.

    Raises:
        NoteMalformed: It is not one.
    """
    try:
        name, encoded = line.removeprefix(_LINE_START).split(" ")
        data = parse_base64(encoded)
        check_name(name)
    except (ValueError, KeyMalformed) as error:
        raise NoteMalformed("a line is not a signature") from error
    if not line.startswith(_LINE_START) or len(data) <= KEY_ID_BYTES:
        raise NoteMalformed("a line is not a signature")
    return Signature(name, data[:KEY_ID_BYTES], data[KEY_ID_BYTES:])


def ed25519_verifies(key: PublicKey, message: bytes, signature: bytes) -> bool:
    """Tell whether an Ed25519 signature (RFC 8032) over the message is by the key."""
    try:
        Ed25519PublicKey.from_public_bytes(key.raw).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def _check_text(text: str) -> None:
    if not text.endswith("\n") or _CONTROL.search(text):
        raise NoteMalformed("a note's text ends in a newline and holds no other control character")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise NoteMalformed("a note's text is Unicode without lone surrogates") from error
