"""A running service: fresh for a test that changes it, shared by a module whose tests leave no trace.

A module that uses `shared` runs its tests in one event loop: `pytestmark = pytest.mark.asyncio(loop_scope="module")`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.database import fresh_database
from tests.support.service import RunningService, config_for, running_service


@pytest.fixture
async def service(database: str, tmp_path: Path) -> AsyncIterator[RunningService]:
    """The service on a database and a folder of this test's own."""
    async with running_service(config_for(database, tmp_path / "data")) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningService]:
    """The service on a database and a folder of this module's own."""
    folder = tmp_path_factory.mktemp("service")
    async with (
        fresh_database(postgres) as database,
        running_service(config_for(database, folder / "data")) as running,
    ):
        yield running
