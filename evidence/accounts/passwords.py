"""Passwords: what is refused, and how they are kept (Argon2id, RFC 9106).

A password is read in NFC, so that the same characters typed on another keyboard are the same password; apart from that
as it was typed, blanks included. There is no rule about kinds of characters and no forced change (NIST SP 800-63B):
only a least length, the list of the worst, and nothing made of the account's own names.

Hashing takes memory and time on purpose, so it runs in threads, and only a few at once: whoever sends a flood of
attempts waits in line with himself, see `sign_in` for the pauses before that.
"""

from __future__ import annotations

import asyncio
import hashlib
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from evidence.accounts.errors import PasswordRefused

PASSWORD_BYTES_MAX = 1024
"""Longest password in bytes of UTF-8."""

HASHES_AT_ONCE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class HashSettings:
    """What a hash costs: passes, memory in KiB, lanes. RFC 9106's second choice by default."""

    passes: int = 3
    memory_kib: int = 65_536
    lanes: int = 4


class Passwords:
    """Makes and checks hashes, a few at once."""

    def __init__(self, settings: HashSettings | None = None, *, characters_min: int = 12) -> None:
        chosen = settings or HashSettings()
        self._hasher = PasswordHasher(time_cost=chosen.passes, memory_cost=chosen.memory_kib, parallelism=chosen.lanes)
        self._characters_min = characters_min
        self._room = asyncio.Semaphore(HASHES_AT_ONCE)
        self._nobody: str | None = None

    async def hash(self, password: str) -> str:
        """Return the hash of a password with a fresh salt, as a PHC string."""
        async with self._room:
            return await asyncio.to_thread(self._hasher.hash, _prepared(password))

    async def verify(self, stored: str | None, password: str) -> bool:
        """Tell whether a password is the one behind a hash; takes as long where there is none."""
        if stored is None and self._nobody is None:
            self._nobody = await self.hash("nobody's")
        async with self._room:
            same = await asyncio.to_thread(self._verify, stored or self._nobody or "", password)
        return same and stored is not None

    def is_outgrown(self, stored: str) -> bool:
        """Tell whether a hash was made with other settings than are in force."""
        return self._hasher.check_needs_rehash(stored)

    def check(self, password: str, *, login: str, name: str) -> None:
        """Refuse a password that would be found soon.

        Raises:
            PasswordRefused: See the class.
        """
        text = unicodedata.normalize("NFC", password)
        if len(text) < self._characters_min:
            raise PasswordRefused(
                f"a password has at least {self._characters_min} characters", characters_min=self._characters_min
            )
        if len(text.encode("utf-8", "surrogatepass")) > PASSWORD_BYTES_MAX:
            raise PasswordRefused(f"a password has at most {PASSWORD_BYTES_MAX} bytes", bytes_max=PASSWORD_BYTES_MAX)
        plain = text.casefold()
        if _core(plain) in worst() or len(set(plain)) <= len(plain) // 4:
            raise PasswordRefused("the password is among those that are tried first")
        for own in (login, name.casefold()):
            if own in plain and len(plain.replace(own, "")) < self._characters_min // 2:
                raise PasswordRefused("the password is made of the account's own name")

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, _prepared(password))
        except (VerificationError, InvalidHashError):
            return False


def digest_of(stored: str) -> bytes:
    """Return the SHA-256 of a PHC string, what goes on record; its salt keeps anybody from guessing behind it."""
    return hashlib.sha256(stored.encode()).digest()


@cache
def worst() -> frozenset[str]:
    """Return what is tried first: words and rows of keys, without the digits that people put behind them."""
    text = (files("evidence.accounts") / "worst.txt").read_text(encoding="utf-8")
    return frozenset(line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#"))


def _core(plain: str) -> str:
    """Return a password without the decoration that guesses put around a word: digits and signs at its ends."""
    stripped = plain.strip("0123456789!@#$%^&*()_+-=.,;:?/\\|~`'\"<>[]{} ")
    halves = stripped[: len(stripped) // 2]
    return halves if halves and halves * 2 == stripped else stripped


def _prepared(password: str) -> bytes:
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
