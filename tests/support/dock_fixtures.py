"""Fixtures shared by the dock's integration and fault tests: a strict service and a station enrolled with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.dock_server import FakeService
from tests.support.dock_station import TestStation, enrolled


@pytest.fixture
async def service() -> AsyncIterator[FakeService]:
    """A service in memory; at the end of the test nothing may have happened that a well-behaved dock never does."""
    service = FakeService()
    yield service
    assert service.violations == []


@pytest.fixture
async def url(service: FakeService) -> AsyncIterator[str]:
    """Where the service listens."""
    async with service.serving() as url:
        yield url


@pytest.fixture
async def station(url: str, tmp_path: Path) -> TestStation:
    """A station enrolled with the service."""
    return await enrolled(tmp_path / "state", url)
