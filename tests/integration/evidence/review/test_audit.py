"""What the audit says of reviews and decisions that no program of this house made, though their payloads replay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from evidence.audit.reviews import judge_reviews
from evidence.review.store import steps_of
from tests.support.payloads import Scribe
from tests.support.reviews import Chamber, heard_case, keep_reviews


async def findings(scribe: Scribe) -> list[str]:
    return [one.code async for one in judge_reviews(scribe.conn)]


async def test_an_honest_house_has_nothing_to_name(scribe: Scribe) -> None:
    await keep_reviews(scribe, await scribe.seal())
    assert await findings(scribe) == []


def turned(payload: dict[str, Any]) -> None:
    """An opinion that was turned into an approval, signature and all left as they were."""
    payload["statement"]["declares"] = "别的话"


def other_root(payload: dict[str, Any]) -> None:
    payload["manifest"]["title"] = "另一案"


def foreign_key(payload: dict[str, Any]) -> None:
    payload["key"] = "A" * 43 + "="


@pytest.mark.parametrize(
    ("forge", "code"),
    [
        (turned, "review.signature_invalid"),
        (other_root, "review.root_differs"),
        (foreign_key, "review.signature_invalid"),
    ],
)
async def test_a_round_that_does_not_hold_is_named(
    scribe: Scribe, house: Chamber, forge: Callable[[dict[str, Any]], None], code: str
) -> None:
    """Recorded past the functions of this wing: entry, payload and row agree with each other."""
    case, _ = await heard_case(scribe)
    other, _ = await heard_case(scribe, "10号")
    await house.submit(case)
    payload: dict[str, Any] = dict((await steps_of(scribe.conn, case))[0].content)
    forge(payload)
    await record_as_handler(scribe, "review.submitted", payload | {"case": str(other)})
    assert code in await findings(scribe)


async def record_as_handler(scribe: Scribe, event: str, payload: dict[str, Any]) -> None:
    from evidence.custody.record import record
    from tests.support.payloads import STAFF

    async with scribe.conn.transaction():
        await record(
            scribe.conn,
            type=event,
            actor=STAFF,
            subject=f"case:{payload['case']}",
            payload=payload,
            clock=scribe.clock,
            entropy=scribe.entropy,
        )


async def test_steps_out_of_order_and_decisions_without_approval_are_named(scribe: Scribe, house: Chamber) -> None:
    case, _ = await heard_case(scribe)
    await record_as_handler(scribe, "review.resumed", {"case": str(case), "step": 1, "answer": "无"})
    assert await findings(scribe) == ["review.out_of_order"]
    other, _ = await heard_case(scribe, "10号")
    standing = await house.standing(other)
    for number, (in_scope, wrong) in enumerate(((True, None), (False, str(UUID(int=3)))), 11):
        decided = {
            "case": str(other),
            "decision": str(scribe.new_id()),
            "number": "罚1号",
            "kind": None,
            "summary": "罚款",
            "rules": str(standing.rules.rules),
            "scope": {"in_scope": in_scope, "rule": None, "source": "某发", "because": "无"},
            "root": standing.root.hex(),
            "approval": wrong,
        }
        await record_as_handler(scribe, "case.decided", decided)
        assert (await findings(scribe)).count("decision.unapproved") == (1 if in_scope else 2)
        other, _ = await heard_case(scribe, f"{number}号")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("content = '{}'", "review.out_of_order"),
        ("content = '[]'", "review.out_of_order"),
        ("content = '7'", "review.out_of_order"),
        ("content = jsonb_set(content, '{statement}', 'null')", "review.out_of_order"),
        ("kind = 'nothing'", "review.out_of_order"),
        ("stated_by = 'staff:x'", "review.signature_invalid"),
        ("stated_by = ''", "review.signature_invalid"),
    ],
)
async def test_rows_that_somebody_wrote_are_named_and_end_nothing(
    scribe: Scribe, house: Chamber, change: str, code: str
) -> None:
    case, _ = await heard_case(scribe)
    await house.submit(case)
    await scribe.conn.execute("ALTER TABLE review_step DISABLE TRIGGER USER")
    await scribe.conn.execute(f"UPDATE review_step SET {change}")
    assert await findings(scribe) == [code]
