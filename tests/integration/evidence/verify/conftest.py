"""The page `verify.html` in a real browser."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from evidence.verify.page.assemble import PAGE
from tests.support.browser import Tab, chromium, open_tab


@pytest.fixture(scope="module")
def browser() -> Iterator[str]:
    with chromium() as address:
        yield address


@pytest.fixture
async def tab(browser: str) -> AsyncIterator[Tab]:
    async with open_tab(browser) as opened:
        await opened.go(PAGE.as_uri())
        yield opened
        assert opened.complaints == []
        assert [url for url in opened.requests if not url.startswith(("file:", "blob:"))] == []
