"""Sample footage and vectors that some checkouts have beside them; elsewhere the tests skip, with the reason."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[3] / "shared"


def shared_folder(*parts: str) -> Path:
    """Return a path below the shared folder, or skip the test when it is not there."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"sample folder shared/{'/'.join(parts)} is not beside this checkout")
    return path
