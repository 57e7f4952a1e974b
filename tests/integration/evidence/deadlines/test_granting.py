"""Who may grant more days: by accounts and acts on record, not by names alone."""

from __future__ import annotations

from uuid import UUID

import pytest

from evidence.deadlines import statements
from evidence.deadlines.errors import ExtensionRefused
from tests.support.payloads import STAFF, Scribe
from tests.support.reviews import COORDINATOR, HAND, OTHER_REVIEWER, REVIEWER, chamber, heard_case, publish_items


async def granted(scribe: Scribe, case: UUID, key: str, actor: str) -> None:
    async with scribe.conn.transaction():
        await statements.extend(
            scribe.conn,
            key=key,
            case=case,
            days=1,
            reason="案情重大",
            asked_by=None,
            actor=actor,
            clock=scribe.clock,
            entropy=scribe.entropy,
        )


async def started(scribe: Scribe, case: UUID, kind: str) -> str:
    async with scribe.conn.transaction():
        key, _ = await statements.start(
            scribe.conn,
            case=case,
            kind=kind,
            started_at=scribe.clock(),
            note="送审",
            actor=STAFF,
            clock=scribe.clock,
            entropy=scribe.entropy,
        )
    return key


async def test_r31_whoever_worked_on_the_case_or_reviews_it_grants_no_days(scribe: Scribe) -> None:
    await publish_items(scribe)
    house = chamber(scribe)
    await house.prepare()
    case, _ = await heard_case(scribe)
    await house.submit(case)
    key = await started(scribe, case, "review")
    await house.pause(case)  # the reviewer asks for a supplement
    for person in (STAFF, HAND.actor, REVIEWER.actor):
        with pytest.raises(ExtensionRefused):
            await granted(scribe, case, key, person)
    for stranger in (OTHER_REVIEWER, COORDINATOR):
        await granted(scribe, case, key, stranger.actor)
