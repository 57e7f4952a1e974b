"""Keys of one log that follow each other, for tests: statements and checkpoints made as a log makes them."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.checkpoint import Checkpoint, sign_checkpoint
from ledger.key_history import KeyHistory
from ledger.key_statement import Retirement, Succession, sign_retirement, sign_succession
from ledger.keys import KeyType, PrivateKey
from ledger.note import Signer

ORIGIN = "evidence.example/log"


def key(number: int, *, origin: str = ORIGIN) -> Signer:
    """Return the same key for the same number every time."""
    return Signer(PrivateKey(origin, KeyType.ED25519, bytes([number + 40]) * 32))


KEYS = tuple(key(number) for number in range(4))
"""Keys that follow each other: `KEYS[1]` follows `KEYS[0]`, and so on."""


def succession(number: int, *, size: int, old: Signer | None = None, new: Signer | None = None) -> bytes:
    """Return the note by which `KEYS[number]` follows the key before it."""
    old, new = old or KEYS[number - 1], new or KEYS[number]
    return sign_succession(Succession(number, old.verifier, new.verifier, size), old=old, new=new)


def retirement(number: int, *, size: int, retired: Signer | None = None, by: Signer | None = None) -> bytes:
    """Return the note by which `KEYS[number]` retires the key before it."""
    retired, by = retired or KEYS[number - 1], by or KEYS[number]
    return sign_retirement(Retirement(number, retired.verifier, by.verifier, size), by=by)


CHAIN = (
    succession(1, size=10),
    retirement(1, size=20),
    succession(2, size=30),
    retirement(2, size=30),
    succession(3, size=50),
)
"""Key 0 speaks up to 20 entries, key 1 for 11 to 30, key 2 from 31 on, key 3 from 51 on."""

HISTORY = KeyHistory.made(KEYS[0].verifier, CHAIN)


def checkpoint(size: int, signers: Sequence[Signer], *, origin: str = ORIGIN, root: bytes = bytes(32)) -> bytes:
    """Return a signed checkpoint; its root is not that of any tree."""
    return sign_checkpoint(Checkpoint(origin, size, root), signers)
