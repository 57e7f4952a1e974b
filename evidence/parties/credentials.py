"""Bearer credentials: how a staff token, a view ticket and an enrolment code are spelled, and how they are compared.

A staff token is `shilu_<32 hex>_<43 base64url>`: its public id and 32 random bytes. A view ticket is the same without
the prefix. An enrolment code is 25 characters of Crockford's base 32 in groups of five (125 bits), made to be typed by
hand: case, blanks and dashes do not matter, `O` reads as `0`, `I` and `L` as `1`.

Only SHA-256 digests are stored. That is enough without salt or stretching, for what is hashed has at least 125 random
bits. Digests are compared in constant time, although an attacker who cannot choose a digest learns nothing from timing.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from uuid import UUID

from evidence.core.clock import Entropy

SECRET_BYTES = 32
"""Random bytes in a token or ticket."""

CODE_CHARACTERS = 25
"""Characters of an enrolment code, dashes not counted; 5 bits each."""

STAFF_PREFIX = "shilu_"
_BEARER = re.compile(r"([0-9a-f]{32})_([A-Za-z0-9_-]{43})")
_CODE_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CODE_READING = str.maketrans("OIL", "011", "- ")


@dataclass(frozen=True, slots=True)
class Credential:
    """A public id and a secret; `text` is handed to its bearer once and stored nowhere."""

    id: UUID
    secret: str = field(repr=False)
    prefix: str = ""

    @property
    def text(self) -> str:
        """Spell it as its bearer presents it."""
        return f"{self.prefix}{self.id.hex}_{self.secret}"

    @property
    def digest(self) -> bytes:
        """SHA-256 of the whole spelling, 32 bytes: what is stored."""
        return hashlib.sha256(self.text.encode("ascii")).digest()

    def matches(self, digest: bytes) -> bool:
        """Compare with a stored digest in constant time."""
        return hmac.compare_digest(self.digest, digest)


def new_credential(id_: UUID, *, entropy: Entropy, prefix: str = "") -> Credential:
    """Make a credential with a fresh secret under a given id."""
    return Credential(id_, urlsafe_b64encode(entropy(SECRET_BYTES)).rstrip(b"=").decode("ascii"), prefix)


def parse_credential(text: str, *, prefix: str = "") -> Credential | None:
    """Read what `Credential.text` spells behind `prefix`; None when it is anything else."""
    if not text.startswith(prefix):
        return None
    match = _BEARER.fullmatch(text[len(prefix) :])
    return Credential(UUID(hex=match[1]), match[2], prefix) if match else None


@dataclass(frozen=True, slots=True)
class EnrolmentCode:
    """A one-time code; `characters` without dashes."""

    characters: str = field(repr=False)

    @property
    def text(self) -> str:
        """Spell it for a person, such as `7KQ2M-XV9TD-0BRFA-W3HJC-NE58S`."""
        return "-".join(self.characters[start : start + 5] for start in range(0, CODE_CHARACTERS, 5))

    @property
    def digest(self) -> bytes:
        """SHA-256 of the characters, 32 bytes: what is stored."""
        return hashlib.sha256(self.characters.encode("ascii")).digest()


def new_enrolment_code(*, entropy: Entropy) -> EnrolmentCode:
    """Make a fresh code."""
    return EnrolmentCode("".join(_CODE_ALPHABET[byte & 31] for byte in entropy(CODE_CHARACTERS)))


def parse_enrolment_code(typed: str) -> EnrolmentCode | None:
    """Read what a person typed; None when it cannot be a code."""
    characters = typed.strip().upper().translate(_CODE_READING)
    if len(characters) != CODE_CHARACTERS or not set(characters) <= set(_CODE_ALPHABET):
        return None
    return EnrolmentCode(characters)
