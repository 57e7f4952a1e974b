"""The gate before a decision (R25) on a real database: after rejection, after changes, in every order of events."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest

from evidence.cases.archive import evidence_root
from evidence.cases.file import Amendment, amend
from evidence.db.pool import Connection, open_pool
from evidence.errors import EvidenceError
from evidence.review.decisions import decision_of, get_decision
from evidence.review.errors import (
    ClockBehind,
    DecisionMade,
    DecisionRefused,
    DecisionUnknown,
    EvidenceChanged,
    RulesUnknown,
    SamePerson,
    StepRefused,
)
from evidence.review.machine import State
from tests.support.case_files import activity, item, item_list, opened, publish, say
from tests.support.clock import SteppingClock
from tests.support.payloads import STAFF, Scribe
from tests.support.reviews import (
    OTHER_REVIEWER,
    REVIEWER,
    Chamber,
    chamber,
    heard_case,
    keep_reviews,
    publish_items,
    rules,
    signer,
)


async def obstacles(house: Chamber, case: UUID) -> list[str]:
    with pytest.raises(DecisionRefused) as caught:
        await house.decide(case)
    found: Any = caught.value.details["reasons"]
    return [one["code"] for one in found]


async def test_r25_no_decision_without_review_or_after_rejection(scribe: Scribe, house: Chamber) -> None:
    case, _ = await heard_case(scribe)
    assert await obstacles(house, case) == ["never_submitted"]
    await house.submit(case)
    assert await obstacles(house, case) == ["under_review"]
    await house.pause(case)
    assert await obstacles(house, case) == ["paused"]
    await scribe.annotate((await scribe.seal()), remark="别的")
    await say(scribe, case, activity("visit", 0, 1))
    await house.submit(case)
    await house.opine(case, bad={"facts": "事实不清"})
    assert await obstacles(house, case) == ["returned"]
    await house.disagree(case)
    assert await obstacles(house, case) == ["coordinating"]
    await house.coordinate(case, "reopen")
    assert await obstacles(house, case) == ["reopened"]
    await house.submit(case)
    await house.opine(case, OTHER_REVIEWER)
    made = await house.decide(case)
    assert made.approval == (await house.standing(case)).review.rounds[-1].opinion.entry_id  # type: ignore[union-attr]
    assert made.root == await evidence_root(scribe.conn, case)
    assert made.scope["rule"] == "hearing"


async def annotate_again(scribe: Scribe, case: UUID, clip: UUID) -> None:
    await scribe.annotate(clip, expected_version=1, remark="改过", item="visit", place="厂区")


async def link_another(scribe: Scribe, case: UUID, clip: UUID) -> None:
    await scribe.link(case, await scribe.seal())


async def state_something(scribe: Scribe, case: UUID, clip: UUID) -> None:
    await say(scribe, case, activity("visit", 0, 1))


async def file_document(scribe: Scribe, case: UUID, clip: UUID) -> None:
    filed = await scribe.seal(name="笔录.pdf")
    await say(scribe, case, {"kind": "document", "document": str(filed), "name": "笔录", "title": "现场笔录"})


async def rename(scribe: Scribe, case: UUID, clip: UUID) -> None:
    async with scribe.conn.transaction():
        more: dict[str, Any] = {"actor": STAFF, "clock": scribe.clock, "entropy": scribe.entropy}
        amendment = Amendment(reason="更名", title="另一案")
        await amend(scribe.conn, case_id=case, amendment=amendment, expected_version=1, **more)


Change = Callable[[Scribe, UUID, UUID], Awaitable[None]]
CHANGES: dict[Change, str] = {
    annotate_again: "exhibits",
    link_another: "exhibits",
    state_something: "statements",
    file_document: "documents",
    rename: "case",
}


@pytest.mark.parametrize(
    "change",
    [annotate_again, *(pytest.param(one, marks=pytest.mark.slow) for one in list(CHANGES)[1:])],
    ids=lambda change: change.__name__,
)
async def test_r25_any_change_since_the_approval_closes_the_gate(
    scribe: Scribe, house: Chamber, change: Change
) -> None:
    case, clips = await heard_case(scribe)
    await house.submit(case)
    await house.opine(case)
    assert (await house.standing(case)).verdict.is_open
    await change(scribe, case, clips[0])
    with pytest.raises(DecisionRefused) as caught:
        await house.decide(case)
    details: Any = caught.value.details
    assert [one["code"] for one in details["reasons"]] == ["evidence_changed"]
    assert CHANGES[change] in {one["what"] for one in details["changes"]}
    await house.submit(case)
    assert await obstacles(house, case) == ["under_review"]
    await house.opine(case)
    assert (await house.decide(case)).number == "罚字〔2026〕1号"


async def test_out_of_scope_cases_decide_freely_and_the_record_names_the_rules(scribe: Scribe, house: Chamber) -> None:
    case = await opened(scribe, "小1号", kind="penalty")
    made = await house.decide(case)
    assert (made.approval, made.scope["in_scope"], made.scope["rule"]) == (None, False, None)
    assert made.rules == (await house.standing(case)).rules.rules
    with pytest.raises(DecisionMade):
        await house.decide(case)
    with pytest.raises(DecisionMade):
        await house.submit(case)
    assert await decision_of(scribe.conn, UUID(int=5)) is None
    with pytest.raises(DecisionUnknown):
        await get_decision(scribe.conn, UUID(int=5))


async def test_without_rules_in_force_nothing_is_decided(scribe: Scribe) -> None:
    await publish_items(scribe)
    case = await opened(scribe, "小1号", kind="penalty")
    with pytest.raises(RulesUnknown):
        await chamber(scribe).decide(case)
    await chamber(scribe).prepare(rules(agency="另一局"))
    with pytest.raises(RulesUnknown):
        await chamber(scribe).decide(case)


@pytest.mark.slow
async def test_who_approved_does_not_decide(scribe: Scribe, house: Chamber) -> None:
    case, _ = await heard_case(scribe)
    await house.submit(case)
    await house.opine(case)
    with pytest.raises(SamePerson):
        await house.decide(case, REVIEWER)


async def test_a_clock_that_was_set_back_decides_nothing(scribe: Scribe, house: Chamber, clock: SteppingClock) -> None:
    case, _ = await heard_case(scribe)
    await house.submit(case)
    clock.advance(-timedelta(hours=1))
    with pytest.raises(ClockBehind):
        await house.opine(case)
    clock.advance(timedelta(hours=1))
    await house.opine(case)
    clock.advance(-timedelta(days=400))
    with pytest.raises(ClockBehind):
        await house.decide(case)
    assert await decision_of(scribe.conn, case) is None


async def test_rows_that_were_altered_approve_nothing(scribe: Scribe, house: Chamber) -> None:
    """Whoever lifts the trigger and turns an opinion round has no signature for it."""
    case, _ = await heard_case(scribe)
    await house.submit(case)
    await house.opine(case, bad={"facts": "事实不清"})
    async with scribe.conn.transaction():
        await scribe.conn.execute("SET LOCAL session_replication_role = replica")
        await scribe.conn.execute(
            """UPDATE review_step SET content = jsonb_set(content, '{statement,conclusion}', '"approve"')
               WHERE case_id = $1 AND kind = 'opined'""",
            case,
        )
    assert (await house.standing(case)).review.state is State.APPROVED
    assert await obstacles(house, case) == ["signature_invalid"]


@pytest.mark.parametrize("first", ["change", "decide"])
@pytest.mark.parametrize(
    "change",
    [annotate_again, *(pytest.param(one, marks=pytest.mark.slow) for one in (link_another, state_something))],
    ids=lambda one: one.__name__,
)
async def test_r25_a_change_and_a_decision_at_once_wait_for_each_other(
    scribe: Scribe, house: Chamber, database: str, first: str, change: Change
) -> None:
    """Whoever comes second waits for the lock, and then sees what the first has done."""
    case, clips = await heard_case(scribe)
    await house.submit(case)
    await house.opine(case)
    approved = (await house.standing(case)).root
    async with open_pool(database) as pool, pool.acquire() as one, pool.acquire() as two:
        hand = Scribe(conn=one, clock=scribe.clock, entropy=scribe.entropy)
        seat = chamber(scribe, two)
        order: list[tuple[Connection, Callable[[], Awaitable[object]]]] = [
            (one, lambda: change(hand, case, clips[0])),
            (two, lambda: seat.decide(case)),
        ]
        if first == "decide":
            order.reverse()
        (early, act), (_, react) = order
        async with early.transaction():
            await act()
            waiting = asyncio.create_task(_outcome(react))
            await _blocked(scribe.conn)
            assert not waiting.done()
        outcome = await waiting
    made = await decision_of(scribe.conn, case)
    if first == "change":
        assert (type(outcome), made) == (DecisionRefused, None)
    else:
        assert made is not None
        assert made.root == approved
        assert outcome is None
        assert (await house.standing(case)).root != approved


async def _outcome(act: Callable[[], Awaitable[object]]) -> EvidenceError | None:
    try:
        await act()
    except EvidenceError as error:
        return error
    return None


async def _blocked(conn: Connection) -> None:
    """Wait until somebody waits for a lock."""
    for _ in range(500):
        if await conn.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory'"):
            return
        await asyncio.sleep(0.01)
    raise AssertionError("nobody waits")


async def test_r25_every_order_of_approval_change_and_decision(scribe: Scribe, house: Chamber, database: str) -> None:
    """Begun in each order over three connections; a decision rests on an approval of what there is, or is none."""
    async with open_pool(database) as pool, pool.acquire() as one, pool.acquire() as two, pool.acquire() as three:
        for order in permutations(("approve", "change", "decide")):
            case, clips = await heard_case(scribe, "-".join(order))
            await house.submit(case)
            acts = acts_over(scribe, case, clips[0], one, two, three)
            tasks = []
            for name in order:
                tasks.append(asyncio.create_task(_outcome(acts[name])))
                await asyncio.sleep(0.005)
            outcomes = dict(zip(order, await asyncio.gather(*tasks), strict=True))
            await judge_outcomes(house, case, outcomes)


def acts_over(scribe: Scribe, case: UUID, clip: UUID, *conns: Connection) -> dict[str, Callable[[], Awaitable[object]]]:
    one, two, three = conns
    hand = Scribe(conn=one, clock=scribe.clock, entropy=scribe.entropy)
    return {
        "change": lambda: annotate_again(hand, case, clip),
        "approve": lambda: chamber(scribe, two).opine(case),
        "decide": lambda: chamber(scribe, three).decide(case),
    }


async def judge_outcomes(house: Chamber, case: UUID, outcomes: dict[str, EvidenceError | None]) -> None:
    made, now = await decision_of(house.conn, case), await house.standing(case)
    assert outcomes["change"] is None
    assert type(outcomes["approve"]) in {type(None), EvidenceChanged, StepRefused, DecisionMade}
    if made is None:
        assert isinstance(outcomes["decide"], DecisionRefused)
    else:
        assert now.review.round is not None
        assert now.review.round.opinion is not None
        assert (made.root, made.approval) == (now.review.round.root, now.review.round.opinion.entry_id)


@pytest.mark.slow
async def test_two_decisions_at_once_are_one(scribe: Scribe, house: Chamber, database: str) -> None:
    case, _ = await heard_case(scribe)
    await house.submit(case)
    await house.opine(case)
    async with open_pool(database) as pool, pool.acquire() as one, pool.acquire() as two:
        outcomes = await asyncio.gather(
            *(
                _outcome(lambda conn=conn, number=number: chamber(scribe, conn).decide(case, number=number))  # type: ignore[misc]
                for conn, number in ((one, "甲"), (two, "乙"))
            )
        )
    assert sorted(type(one).__name__ for one in outcomes) == ["DecisionMade", "NoneType"]


@pytest.mark.slow
async def test_opinions_are_numbered_without_gaps_under_many_at_once(
    scribe: Scribe, house: Chamber, database: str
) -> None:
    cases = [(await heard_case(scribe, f"并{number}号"))[0] for number in range(8)]
    for case in cases:
        await house.submit(case)
    async with open_pool(database) as pool:

        async def give(case: UUID, place: int) -> str | None:
            async with pool.acquire() as conn:
                if place % 4 == 3:
                    # One that fails after it had a number gives it back.
                    await _outcome(lambda: chamber(scribe, conn).opine(case, signer(0xBAD)))
                    return None
                return (await chamber(scribe, conn).opine(case, (REVIEWER, OTHER_REVIEWER)[place % 2]))[0]

        numbers = await asyncio.gather(*(give(case, place) for place, case in enumerate(cases)))
    assert sorted(filter(None, numbers)) == [f"法审〔2026〕{place}号" for place in range(1, 7)]


async def test_every_step_is_replayed_to_the_same_rows(scribe: Scribe) -> None:
    from evidence.custody.replay import replay

    await keep_reviews(scribe, await scribe.seal())
    assert [one async for one in replay(scribe.conn)] == []
    for table in ("review_rules", "person_key", "reviewer_qualification", "review_step", "decision"):
        assert await scribe.conn.fetchval(f"SELECT count(*) FROM {table}") > 0, table


@pytest.mark.slow
async def test_a_list_of_another_agency_brings_its_own_rules(scribe: Scribe, house: Chamber) -> None:
    await publish(scribe, item_list(item("visit"), agency="另一局"))
    await house.prepare(rules(agency="另一局", quote="另一局的话"))
    case = await opened_for(scribe, "另一局")
    assert (await house.standing(case)).rules.agency == "另一局"


async def opened_for(scribe: Scribe, agency: str) -> UUID:
    from evidence.cases.cases import Opening, open_case

    async with scribe.conn.transaction():
        more = Opening(kind="penalty", agency=agency)
        made = await open_case(
            scribe.conn,
            number="他1号",
            title="案",
            actor=STAFF,
            clock=scribe.clock,
            entropy=scribe.entropy,
            more=more,
        )
    return made.case_id
