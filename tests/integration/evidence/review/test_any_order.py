"""No sequence of calls reaches a decision without a valid approval: random sequences over the real functions (R25).

The model knows nothing of states. It remembers what it was told: which root was approved, whether a coordination is
open, what the root is now; and holds every decision, and every refusal of one, against that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from evidence.cases.archive import evidence_root
from evidence.core.clock import utc_now
from evidence.db.pool import Connection, connect
from evidence.errors import EvidenceError
from evidence.review.rounds import answer_request
from evidence.review.store import find_decision
from tests.support.case_files import activity, say
from tests.support.clock import SeededEntropy, SteppingClock
from tests.support.payloads import Scribe
from tests.support.reviews import (
    HAND,
    OTHER_REVIEWER,
    REVIEWER,
    Chamber,
    Signer,
    chamber,
    heard_case,
    publish_items,
    signer,
)

STRANGER = signer(0x77)
FEW = 20
JUDGES = st.sampled_from([REVIEWER, REVIEWER, OTHER_REVIEWER, HAND, STRANGER])


class ReviewMachine(RuleBasedStateMachine):
    """Any order of submissions, opinions, pauses, disagreements, changes and attempts to decide, by any person."""

    run: Callable[[Awaitable[Any]], Any]
    conn: Connection
    scribe: Scribe
    house: Chamber

    def attempt(self, act: Awaitable[object]) -> bool:
        """Whether it was done and not refused."""

        async def guarded() -> bool:
            try:
                await act
            except EvidenceError:
                return False
            return True

        done: bool = self.run(guarded())
        return done

    @initialize()
    def begin(self) -> None:
        self.case, self.clips = self.run(heard_case(self.scribe, f"序{uuid4()}"))
        self.version = 1
        self.submitted: bytes | None = None
        self.approved: bytes | None = None
        self.waits = False

    @property
    def root(self) -> bytes:
        found: bytes = self.run(evidence_root(self.conn, self.case))
        return found

    @rule()
    def submit(self) -> None:
        root = self.root
        if self.attempt(self.house.submit(self.case)):
            assert not self.waits
            self.submitted, self.approved = root, None

    @precondition(lambda self: self.submitted is not None)
    @rule(by=JUDGES, fine=st.booleans())
    def opine(self, by: Signer, fine: bool) -> None:
        root = self.root
        if self.attempt(self.house.opine(self.case, by, None if fine else {"facts": "不清"})):
            assert by in (REVIEWER, OTHER_REVIEWER)
            assert not fine or root == self.submitted
            self.approved = root if fine else None

    @rule(by=st.sampled_from([REVIEWER, OTHER_REVIEWER]))
    def approve(self, by: Signer) -> None:
        """Take both steps at once, so that changes and decisions often meet an approval."""
        self.submit()
        if self.submitted is not None:
            self.opine(by=by, fine=True)

    @rule(by=JUDGES)
    def pause(self, by: Signer) -> None:
        self.attempt(self.house.pause(self.case, by))

    @rule()
    def answer(self) -> None:
        self.attempt(self._answer())

    async def _answer(self) -> None:
        async with self.conn.transaction():
            await answer_request(self.conn, case_id=self.case, answer="无", actor=HAND.actor, **self.house.tools)

    @rule()
    def disagree(self) -> None:
        if self.attempt(self.house.disagree(self.case)):
            assert self.approved is None
            self.waits = True

    @rule(outcome=st.sampled_from(["uphold", "reopen"]))
    def coordinate(self, outcome: str) -> None:
        if self.attempt(self.house.coordinate(self.case, outcome)):
            assert self.waits
            self.waits = False

    @rule()
    def annotate(self) -> None:
        more: dict[str, Any] = {"remark": f"第{self.version}版", "item": "visit", "place": "厂区"}
        if self.attempt(self.scribe.annotate(self.clips[0], expected_version=self.version, **more)):
            self.version += 1

    @rule()
    def state(self) -> None:
        self.attempt(say(self.scribe, self.case, activity("visit", 0, 1)))

    @rule()
    def decide(self) -> None:
        root, before = self.root, self.run(find_decision(self.conn, self.case))
        made = self.attempt(self.house.decide(self.case))
        assert made is (before is None and self.approved == root)
        if made:
            assert self.run(find_decision(self.conn, self.case)).root == root


def explore(database: str, *, examples: int, steps: int) -> None:
    """Run the machine over one database and one connection; each example has a case of its own."""
    with asyncio.Runner() as runner:
        conn = runner.run(connect(database))
        try:
            scribe = Scribe(conn=conn, clock=SteppingClock(utc_now()), entropy=SeededEntropy(7))
            house = chamber(scribe)
            runner.run(publish_items(scribe))
            runner.run(house.prepare())
            parts = {"run": staticmethod(runner.run), "conn": conn, "scribe": scribe, "house": house}
            machine = type("BoundReviewMachine", (ReviewMachine,), parts)
            run_state_machine_as_test(
                machine,
                settings=settings(
                    max_examples=examples,
                    stateful_step_count=steps,
                    deadline=None,
                    derandomize=examples <= FEW,  # what runs every time runs the same, and is known to find the faults
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            runner.run(conn.close())


def test_r25_no_short_sequence_reaches_a_decision_without_an_approval(database: str) -> None:
    explore(database, examples=20, steps=15)


@pytest.mark.slow
def test_r25_no_long_sequence_reaches_a_decision_without_an_approval(database: str) -> None:
    explore(database, examples=60, steps=40)
