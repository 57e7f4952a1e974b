"""Fixtures of the ledger's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.ledger import TestLog, opened_log


@pytest.fixture
async def log(database: str, tmp_path: Path) -> AsyncIterator[TestLog]:
    """A log of this test's own, nothing in it yet."""
    async with opened_log(database, tmp_path / "log") as opened:
        yield opened
