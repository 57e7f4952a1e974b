"""Legal review: rules, people, the steps of a case's review, its decision."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from aiohttp import web
from pydantic import BaseModel

from api.answers import json_answer
from api.call import Call
from api.models.common import PageQuery, Recorded
from api.models.review import (
    AdoptRules,
    AnswerSupplement,
    AskSupplement,
    Coordinate,
    CorrectFact,
    DecideCase,
    DecisionItem,
    Disagree,
    GiveOpinion,
    OpinionMade,
    QualificationItem,
    QualificationItems,
    Qualify,
    ReviewPage,
    ReviewRulesItem,
    ReviewRulesItems,
    RevokeDecision,
    StateKey,
    SubmitCase,
    Transfer,
)
from api.preconditions import once
from api.review_pages import decision_item, review_page, round_page, rules_item
from api.route import NoQuery
from evidence.custody.record import Recorded as Entry
from evidence.db.pool import Connection
from evidence.review import rounds
from evidence.review.adopting import adopt_rules
from evidence.review.decisions import decide, decision_of, get_decision
from evidence.review.errors import SignatureInvalid
from evidence.review.persons import qualify, state_key
from evidence.review.revocation_store import revocations_of
from evidence.review.revocations import revoke_decision
from evidence.review.standing import standing_of
from evidence.review.store import qualifications_before, rules_before
from evidence.review.submissions import submit

BodyT = TypeVar("BodyT", bound=BaseModel)
"""A body of one of the steps."""

Act = Callable[..., Awaitable[Entry]]


async def adopt(call: Call[AdoptRules, NoQuery]) -> web.Response:
    """Adopt a version of an agency's rules."""

    async def work(conn: Connection) -> ReviewRulesItem:
        row = await adopt_rules(conn, rules=call.body.rules, effective_from=call.body.effective_from, **_who(call))
        return rules_item(row)

    return await once(call, route="adopt_review_rules", work=work)


async def list_rules(call: Call[None, PageQuery]) -> web.Response:
    """List versions of rules."""
    limit = call.query.limit
    async with call.services.pool.acquire() as conn:
        rows = await rules_before(conn, before=call.query.after_id(), limit=limit + 1)
    items = [rules_item(row) for row in rows[:limit]]
    return json_answer(ReviewRulesItems(items=items, next=str(items[-1].rules) if len(rows) > limit else None))


async def own_key(call: Call[StateKey, NoQuery]) -> web.Response:
    """State the key that the caller signs with."""
    services = call.services

    async def work(conn: Connection) -> Recorded:
        entry = await state_key(
            conn,
            staff=call.staff.staff,
            key=call.body.key,
            proof=call.body.proof,
            clock=services.clock,
            entropy=services.entropy,
        )
        return Recorded(entry=entry)

    return await once(call, route="state_signing_key", work=work)


async def qualify_person(call: Call[Qualify, NoQuery]) -> web.Response:
    """Say what qualifies a person."""

    async def work(conn: Connection) -> Recorded:
        return Recorded(entry=await qualify(conn, **call.body.model_dump(), **_who(call)))

    return await once(call, route="qualify_reviewer", work=work)


async def list_qualifications(call: Call[None, PageQuery]) -> web.Response:
    """List what qualifies people."""
    limit = call.query.limit
    async with call.services.pool.acquire() as conn:
        rows = await qualifications_before(conn, before=call.query.after_id(), limit=limit + 1)
    items = [
        QualificationItem(
            staff=row.staff,
            certificate=row.certificate,
            valid_from=row.valid_from,
            valid_until=row.valid_until,
            source=row.source,
            stated_by=row.stated_by,
            stated_at=row.stated_at,
            entry=row.entry_id,
        )
        for row in rows[:limit]
    ]
    return json_answer(QualificationItems(items=items, next=str(items[-1].entry) if len(rows) > limit else None))


async def read(call: Call[None, NoQuery]) -> web.Response:
    """Return a case in its review."""
    case = call.id("case")
    async with call.services.pool.acquire() as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        standing = await standing_of(conn, case, call.services.clock())
        made = await decision_of(conn, case)
        shown = None if made is None else decision_item(made, await revocations_of(conn, case))
    page: ReviewPage = review_page(standing, shown)
    return json_answer(page)


async def read_round(call: Call[None, NoQuery]) -> web.Response:
    """Return one round, whole."""
    number = int(call.request.match_info["place"])
    async with call.services.pool.acquire() as conn:
        standing = await standing_of(conn, call.id("case"), call.services.clock())
        page = await round_page(conn, call.services.reader, standing, number)
    return json_answer(page)


async def hand_in(call: Call[SubmitCase, NoQuery]) -> web.Response:
    """Submit a case."""
    _require_same_case(call, call.body.statement.case)
    act = partial(submit, declaration=call.body.statement, signature=call.body.signature)
    return await _step(call, "submit_for_review", act)


async def give_opinion(call: Call[GiveOpinion, NoQuery]) -> web.Response:
    """Give an opinion."""
    _require_same_case(call, call.body.statement.case)

    async def work(conn: Connection) -> OpinionMade:
        number, recorded = await rounds.opine(
            conn, opinion=call.body.statement, signature=call.body.signature, **_who(call)
        )
        return OpinionMade(number=number, entry=recorded.entry_id)

    return await once(call, route="give_opinion", work=work)


async def ask_supplement(call: Call[AskSupplement, NoQuery]) -> web.Response:
    """Ask for supplements."""
    act = partial(rounds.request_supplement, case_id=call.id("case"), request=call.body.request)
    return await _step(call, "ask_supplement", act)


async def answer_supplement(call: Call[AnswerSupplement, NoQuery]) -> web.Response:
    """Answer a request for supplements in words."""
    act = partial(rounds.answer_request, case_id=call.id("case"), answer=call.body.answer)
    return await _step(call, "answer_supplement", act)


async def object_to(call: Call[Disagree, NoQuery]) -> web.Response:
    """Hold another position than the opinion."""
    body = call.body
    act = partial(rounds.disagree, case_id=call.id("case"), position=body.position, coordinator=body.coordinator)
    return await _step(call, "disagree_with_opinion", act)


async def settle(call: Call[Coordinate, NoQuery]) -> web.Response:
    """Put the outcome of a coordination on record."""
    return await _step(
        call, "coordinate_review", partial(rounds.coordinate, case_id=call.id("case"), **call.body.model_dump())
    )


async def correct(call: Call[CorrectFact, NoQuery]) -> web.Response:
    """Correct a fact."""
    return await _step(
        call, "correct_fact", partial(rounds.correct_fact, case_id=call.id("case"), **call.body.model_dump())
    )


async def hand_over(call: Call[Transfer, NoQuery]) -> web.Response:
    """Say that a case was transferred."""
    return await _step(
        call, "transfer_case", partial(rounds.transfer, case_id=call.id("case"), **call.body.model_dump())
    )


async def make_decision(call: Call[DecideCase, NoQuery]) -> web.Response:
    """DecideCase a case."""

    async def work(conn: Connection) -> DecisionItem:
        made = await decide(
            conn, case_id=call.id("case"), number=call.body.number, summary=call.body.summary, **_who(call)
        )
        return decision_item(made)

    return await once(call, route="decide_case", work=work)


async def read_decision(call: Call[None, NoQuery]) -> web.Response:
    """Return the decision of a case."""
    async with call.services.pool.acquire() as conn:
        shown = decision_item(await get_decision(conn, call.id("case")), await revocations_of(conn, call.id("case")))
    return json_answer(shown)


async def revoke(call: Call[RevokeDecision, NoQuery]) -> web.Response:
    """Say what became of a decision."""
    return await _step(
        call, "revoke_decision", partial(revoke_decision, case_id=call.id("case"), **call.body.model_dump())
    )


async def _step(call: Call[BodyT, NoQuery], route: str, act: Act) -> web.Response:
    """Take one step of a review that answers with its entry."""

    async def work(conn: Connection) -> Recorded:
        recorded = await act(conn, **_who(call))
        return Recorded(entry=recorded.entry_id)

    return await once(call, route=route, work=work)


def _who(call: Call[Any, Any]) -> dict[str, Any]:
    return {"actor": call.actor, "clock": call.services.clock, "entropy": call.services.entropy}


def _require_same_case(call: Call[Any, Any], named: UUID) -> None:
    """Refuse a statement about another case than the address names: access was judged by the address.

    Raises:
        SignatureInvalid: It is.
    """
    if named != call.id("case"):
        raise SignatureInvalid("the statement is about another case than the address", case=str(named))
