"""How many rounds a seeded test plays: enough for every change, many more when a machine has the night.

`make soak` plays them all.
"""

from __future__ import annotations

import os

SOAKING = os.environ.get("SOAK") == "1"


def rounds(*, everyday: int, soak: int) -> int:
    """Return the number of seeds to play in this run."""
    return soak if SOAKING else everyday
