"""Random samples for 案卷评查 that nobody can steer, and that anybody can draw again. Pure.

1. Whoever samples chooses 32 random bytes, the seed, and shows only their SHA-256: the entry `sample.committed`, with
   the population (all cases opened within a checkpoint of the log) and how many are to be drawn.
2. The first checkpoint published behind that entry has a root that nobody knew when the seed was chosen.
3. The seed is revealed (`sample.drawn`), and both together decide:

       key    = SHA-256("shilu-sample-v1\\n" || seed || root)             32 bytes each
       rank   = SHA-256(key || id)                       id: the case's UUID in ASCII, lower case, with dashes
       sample = the `draw` cases of lowest rank, compared as bytes, the lowest first

So who samples cannot choose the seed to suit, as the root is not known, nor who runs the log the root, as the seed is
not. The population can be read from the log itself: subjects of its entries `case.opened`, in order.
`tests/vectors/sample.json` is a worked example; the test beside it draws it in a dozen lines of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from uuid import UUID

RULE = "shilu-sample-v1"

DRAW_MAX = 10_000


def commitment_of(seed: bytes) -> bytes:
    """Return what is shown of a seed before it is revealed."""
    return hashlib.sha256(seed).digest()


def population_digest(cases: Iterable[UUID]) -> bytes:
    """Return the digest of a population in order."""
    whole = hashlib.sha256()
    for case in cases:
        whole.update(f"{case}\n".encode("ascii"))
    return whole.digest()


def drawn(cases: Sequence[UUID], *, seed: bytes, root: bytes, draw: int) -> list[UUID]:
    """Draw a sample.

    Args:
        cases: The population, in any order, each once.
        seed, root: 32 bytes each.
        draw: How many; all of them, in order of rank, where there are fewer.
    """
    key = hashlib.sha256(f"{RULE}\n".encode("ascii") + seed + root).digest()
    return sorted(cases, key=lambda case: hashlib.sha256(key + str(case).encode("ascii")).digest())[:draw]
