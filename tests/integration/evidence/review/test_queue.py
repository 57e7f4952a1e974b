"""The queue of reviews: where each stands, whom it waits for, in which order, and what ten thousand cases cost."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from evidence.access.scope import WHOLE, Scope
from evidence.review.machine import State
from evidence.review.queue import LOOKED_MAX, Place, queue_page
from evidence.review.queue_store import (
    Asker,
    QueueQuestion,
    QueueRow,
    clocked_statement,
    count_reviews,
    unclocked_statement,
)
from tests.support.case_files import opened
from tests.support.payloads import Scribe
from tests.support.reviews import COORDINATOR, HAND, OTHER_REVIEWER, REVIEWER, Chamber, Signer, heard_case

TODAY = date(2026, 6, 1)
ALL = QueueQuestion()
SIZE = 10_000
UNIT = UUID(int=77)


def asker(who: Signer, *, handles: bool = False, reviews: bool = False) -> Asker:
    return Asker(staff=who.staff, handles=handles, reviews=reviews)


HANDLES = asker(HAND, handles=True)
REVIEWS = asker(REVIEWER, reviews=True)
COORDINATES = asker(COORDINATOR, handles=True, reviews=True)


async def listed(scribe: Scribe, question: QueueQuestion = ALL, scope: Scope = WHOLE) -> list[QueueRow]:
    """Return the whole queue, read two at a time."""
    found: list[QueueRow] = []
    place: Place | None = None
    while True:
        page = await queue_page(scribe.conn, question, after=place, limit=2, today=TODAY, scope=scope)
        found.extend(page.rows)
        if page.next is None:
            return found
        place = page.next


async def mine(scribe: Scribe, who: Asker) -> list[UUID]:
    return [row.case_id for row in await listed(scribe, QueueQuestion(mine=who))]


async def clock(scribe: Scribe, case: UUID, due_on: date, status: str = "open") -> None:
    """Have the clock of a case's last submission, as the log's follower writes it."""
    entry = await scribe.conn.fetchval(
        "SELECT entry_id FROM review_step WHERE case_id = $1 AND kind = 'submitted' ORDER BY step DESC LIMIT 1", case
    )
    await scribe.conn.execute(
        """INSERT INTO deadline_clock (clock, kind, case_id, name, content, due_on, warn_on, provisional, status, late,
                                       explained)
           VALUES ('review/' || $1::uuid, 'review', $2, '', '{}', $3, $3, false, $4, false, false)""",
        *(entry, case, due_on, status),
    )


async def test_it_says_of_every_step_what_the_machine_says(scribe: Scribe, house: Chamber) -> None:
    case, _ = await heard_case(scribe)

    async def agrees(expected: State) -> QueueRow:
        (row,) = await listed(scribe)
        review = (await house.standing(case)).review
        assert row.state is review.state is expected
        assert row.rounds == len(review.rounds)
        return row

    await agrees(State.NOT_SUBMITTED)
    await house.submit(case)
    assert (await agrees(State.UNDER_REVIEW)).submitted_by == HAND.actor
    await house.pause(case)
    await agrees(State.PAUSED)
    await house.submit(case)
    await house.opine(case, bad={"facts": "事实不清"})
    await agrees(State.RETURNED)
    await house.disagree(case)
    assert (await agrees(State.COORDINATING)).coordinator == COORDINATOR.staff
    await house.coordinate(case, "uphold")
    assert (await agrees(State.RETURNED)).coordinator is None
    await house.disagree(case)
    await house.coordinate(case, "reopen")
    await agrees(State.REOPENED)
    await house.submit(case)
    await house.opine(case)
    await agrees(State.APPROVED)
    await house.decide(case)
    assert await listed(scribe) == []


async def test_r32_it_waits_for_whoever_may_take_the_next_step(scribe: Scribe, house: Chamber) -> None:
    case, _ = await heard_case(scribe)
    other = asker(OTHER_REVIEWER, handles=True)
    assert (await mine(scribe, HANDLES), await mine(scribe, other), await mine(scribe, REVIEWS)) == ([case], [], [])
    await house.submit(case)
    assert (await mine(scribe, HANDLES), await mine(scribe, REVIEWS)) == ([], [case])
    # Whoever worked on the case does not judge it, whatever their role: here by a remark on an exhibit.
    both = asker(HAND, handles=True, reviews=True)
    assert await mine(scribe, both) == []
    await house.opine(case, bad={"facts": "事实不清"})
    assert (await mine(scribe, HANDLES), await mine(scribe, REVIEWS)) == ([case], [])
    await house.disagree(case)
    assert await mine(scribe, COORDINATES) == [case]
    assert (await mine(scribe, HANDLES), await mine(scribe, REVIEWS)) == ([], [])


async def test_those_due_first_are_in_front_and_pages_meet(scribe: Scribe, house: Chamber) -> None:
    cases = [(await heard_case(scribe, f"{number}号"))[0] for number in range(7)]
    for case in cases[:5]:
        await house.submit(case)
    for case, due in zip(cases[:4], (9, 3, 3, 20), strict=True):
        await clock(scribe, case, date(2026, 6, due))
    await scribe.conn.execute("UPDATE deadline_clock SET due_on = $1 WHERE case_id = $2", date(2026, 5, 20), cases[3])
    order = [row.case_id for row in await listed(scribe)]
    assert order[0] == cases[3]
    assert set(order[1:3]) == {cases[1], cases[2]}
    assert order[3:] == [cases[0], *cases[4:]]
    assert [row.case_id for row in await listed(scribe, QueueQuestion(late=True))] == [cases[3]]
    assert [row.case_id for row in await listed(scribe, QueueQuestion(state=State.NOT_SUBMITTED))] == cases[5:]
    states, waiting, late = await count_reviews(scribe.conn, ALL, REVIEWS, today=TODAY, scope=WHOLE)
    assert (states, waiting, late) == ({"under_review": 5}, 5, 1)


@pytest.mark.usefixtures("house")
async def test_r26_what_needs_no_review_is_not_in_it(scribe: Scribe) -> None:
    await opened(scribe, "无听证", kind="penalty", facts={"hearing_held": False})
    heard, _ = await heard_case(scribe)
    assert [row.case_id for row in await listed(scribe)] == [heard]


async def test_nobody_is_told_of_cases_out_of_reach(scribe: Scribe, house: Chamber) -> None:
    case, _ = await heard_case(scribe)
    await house.submit(case)
    await clock(scribe, case, TODAY)
    fresh, _ = await heard_case(scribe, "10号")
    stranger = Scope(staff=REVIEWER.staff, units=frozenset({UNIT}), classes=None)
    assert await listed(scribe, scope=stranger) == []
    assert await count_reviews(scribe.conn, ALL, REVIEWS, today=TODAY, scope=stranger) == ({}, 0, 0)
    granted = Scope(staff=REVIEWER.staff, units=frozenset(), cases=frozenset({case}), classes=None)
    assert [row.case_id for row in await listed(scribe, scope=granted)] == [case]
    opener = Scope(staff=HAND.staff, units=frozenset(), classes=None)
    assert [row.case_id for row in await listed(scribe, scope=opener)] == [case, fresh]


@pytest.fixture
async def many(scribe: Scribe) -> None:
    """Ten thousand open cases of one handler; every fifth was submitted, and every tenth has a clock."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    ids = [UUID(int=(7 << 76) | number) for number in range(SIZE)]
    entries = {case: UUID(int=(8 << 76) | number) for number, case in enumerate(ids) if number % 5 == 0}
    await scribe.conn.executemany(
        """INSERT INTO case_file (case_id, number, number_key, title, opened_by, opened_at, entry_id, kind, unit,
                                  handlers, facts)
           VALUES ($1, $2, $2, '案', $3, $4, $1, 'penalty', $5, '{}', '{}')""",
        [(case, f"案{number}", HAND.actor, at, UNIT if number % 100 == 0 else None) for number, case in enumerate(ids)],
    )
    content: dict[str, Any] = {"statement": {"root": "00" * 32}, "manifest": {"exhibits": ["x" * 40] * 50}}
    await scribe.conn.executemany(
        """INSERT INTO review_step (case_id, step, kind, content, stated_by, stated_at, entry_id)
           VALUES ($1, 1, 'submitted', $2, $3, $4, $5)""",
        [(case, content, HAND.actor, at, entry) for case, entry in entries.items()],
    )
    await scribe.conn.executemany(
        """INSERT INTO deadline_clock (clock, kind, case_id, name, content, due_on, warn_on, provisional, status, late,
                                       explained)
           VALUES ('review/' || $1::uuid, 'review', $2, '', '{}', $3, $3, false, 'open', false, false)""",
        [(entry, case, date(2026, 5, 1 + number % 28)) for number, (case, entry) in enumerate(entries.items())][::2],
    )
    await scribe.conn.execute("ANALYZE case_file, review_step, deadline_clock")


@pytest.mark.usefixtures("house", "many")
async def test_a_page_of_ten_thousand_cases_reads_little(scribe: Scribe) -> None:
    reviewer = Scope(staff=REVIEWER.staff, units=frozenset({UNIT}), classes=None)
    for question, most in ((ALL, 2_000), (QueueQuestion(mine=REVIEWS), 4_000)):
        first = await _plan(scribe, *clocked_statement(question, None, 51, TODAY, WHOLE))
        assert "deadline_clock_open" in json.dumps(first), question
        assert not list(_scans(first, "Seq Scan")), question
        assert _blocks(first) < most, question
    assert _blocks(await _plan(scribe, *clocked_statement(ALL, None, 51, TODAY, reviewer))) < 10_000
    second = await _plan(scribe, *unclocked_statement(ALL, None, 200, WHOLE))
    assert second["Plans"][0]["Node Type"] != "Sort"
    assert "Hash Join" not in {node["Node Type"] for node in _nodes(second)}
    assert not list(_scans(second, "Seq Scan"))
    assert _blocks(second) < 8_000
    counted = await count_reviews(scribe.conn, ALL, REVIEWS, today=TODAY, scope=reviewer)
    assert counted[0] == {"under_review": 100}


@pytest.mark.usefixtures("house", "many")
async def test_a_page_looks_at_so_many_cases_and_no_more(scribe: Scribe) -> None:
    fresh = QueueQuestion(state=State.NOT_SUBMITTED)
    page = await queue_page(scribe.conn, fresh, after=None, limit=50, today=TODAY, scope=WHOLE)
    assert (page.rows, page.next is None) == ([], False)
    looked = await scribe.conn.fetchval(
        """SELECT count(*) FROM case_file c WHERE case_id <= $1
             AND NOT EXISTS (SELECT FROM review_step s WHERE s.case_id = c.case_id)""",
        page.next and page.next.case,
    )
    assert looked == LOOKED_MAX
    statements: list[str] = []
    scribe.conn.add_query_logger(lambda record: statements.append(record.query))
    full = await queue_page(scribe.conn, ALL, after=None, limit=200, today=TODAY, scope=WHOLE)
    assert len(full.rows) == 200
    assert len(statements) <= 2


async def _plan(scribe: Scribe, statement: str, *values: object) -> dict[str, Any]:
    told = await scribe.conn.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", *values)
    plan = json.loads(told)[0]["Plan"]
    assert isinstance(plan, dict)
    return plan


def _blocks(plan: dict[str, Any]) -> int:
    return int(plan["Shared Hit Blocks"]) + int(plan["Shared Read Blocks"])


def _nodes(node: dict[str, Any]) -> list[dict[str, Any]]:
    return [node, *(below for child in node.get("Plans", ()) for below in _nodes(child))]


def _scans(node: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    large = {"case_file", "review_step", "deadline_clock"}
    return [one for one in _nodes(node) if one["Node Type"] == kind and one.get("Relation Name") in large]
