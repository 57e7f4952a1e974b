"""A running service: fresh for a test that changes it, shared by a module whose tests leave no trace.

A module that uses `shared` runs its tests in one event loop: `pytestmark = pytest.mark.asyncio(loop_scope="module")`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.browser import Tab, chromium, open_tab
from tests.support.console import House, console_house
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


@pytest.fixture(scope="module")
def browser() -> Iterator[str]:
    with chromium() as address:
        yield address


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(shared: RunningService, tmp_path_factory: pytest.TempPathFactory) -> House:
    return await console_house(shared, tmp_path_factory.mktemp("film"))


@pytest_asyncio.fixture(loop_scope="module")
async def tab(browser: str, house: House) -> AsyncIterator[Tab]:
    async with open_tab(browser) as opened:
        await opened.call(
            "Emulation.setDeviceMetricsOverride", width=1366, height=900, deviceScaleFactor=1, mobile=False
        )
        yield opened
