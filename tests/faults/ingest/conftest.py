"""Fixtures of the intake's fault tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from evidence.core.clock import utc_now
from evidence.db.pool import Pool
from tests.support.clock import SeededEntropy
from tests.support.intake import Intake, enrolled, open_intake
from tests.support.parties import PaperDock, paper_dock


@pytest.fixture
async def intake(pool: Pool, tmp_path: Path, entropy: SeededEntropy) -> AsyncIterator[Intake]:
    """The intake that will crash."""
    async with open_intake(pool, tmp_path, clock=utc_now, entropy=entropy) as opened:
        yield opened


@pytest.fixture
async def dock(intake: Intake) -> PaperDock:
    """An enrolled dock."""
    return await enrolled(intake, paper_dock())
