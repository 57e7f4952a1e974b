"""Every kind of tampering, in the order of the table."""

from __future__ import annotations

from collections.abc import Sequence

from tests.drill import copies, database, disposals, dock, keyholder, keys, network, parts, registers, storage
from tests.drill.kinds import Adversary, Kind

_ALL = (
    *storage.KINDS,
    *copies.KINDS,
    *database.KINDS,
    *keyholder.KINDS,
    *dock.KINDS,
    *network.KINDS,
    *keys.KINDS,
    *parts.KINDS,
    *disposals.KINDS,
    *registers.KINDS,
)

KINDS: tuple[Kind, ...] = tuple(kind for adversary in Adversary for kind in _ALL if kind.adversary is adversary)
"""All kinds, grouped by adversary."""


def chosen(words: Sequence[str]) -> tuple[Kind, ...]:
    """Return the kinds whose name or adversary contains one of the words; all of them for no words."""
    return tuple(kind for kind in KINDS if not words or any(word in f"{kind.adversary}: {kind.name}" for word in words))
