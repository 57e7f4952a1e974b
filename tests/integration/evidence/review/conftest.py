"""A chamber with rules and people on record, on a database of the test's own."""

from __future__ import annotations

import pytest

from tests.support.payloads import Scribe
from tests.support.reviews import Chamber, chamber, publish_items


@pytest.fixture
async def house(scribe: Scribe) -> Chamber:
    """Rules in force, the handler and two reviewers with keys, both qualified."""
    await publish_items(scribe)
    prepared = chamber(scribe)
    await prepared.prepare()
    return prepared
