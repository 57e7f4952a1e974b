"""Wishes about people, docks, recorders, registers, rules of the agency, subscriptions, and figures."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

from evidence.core.clock import utc_now
from evidence.custody.record import record
from evidence.parties.roles import Role
from tests.support.case_files import item, item_list
from tests.support.parties import enrol, paper_dock
from tests.support.people import make_account
from tests.support.reviews import rules
from tests.support.service import RunningService
from tests.support.wishes import (
    Wish,
    case,
    get,
    makes,
    officer,
    post,
    published,
    sealed,
    staff_of,
    today,
    unit,
    wish,
    word,
)

ADMIN, REVIEWER = Role.ADMINISTRATOR, Role.REVIEWER
PLATFORM = "http://127.0.0.1:9"
"""A platform that may be told and that nobody runs."""


@makes("create_account")
async def _(_: RunningService) -> Wish:
    return wish(ADMIN, {"login": word("a"), "name": word("王"), "roles": ["reviewer"]}, {"roles": ["auditor"]})


@makes("change_account")
async def _(service: RunningService) -> Wish:
    staff = await make_account(service, word("b"), Role.REVIEWER, name=word("张"))
    body = {"roles": ["auditor"], "enabled": True, "reason": "调岗"}
    return wish(ADMIN, body, {"roles": ["archivist"]}, seen=0, staff=staff)


@makes("grant_access")
async def _(service: RunningService) -> Wish:
    body = {"staff": await staff_of(service, REVIEWER), "all_units": True, "reason": word("专案")}
    return wish(ADMIN, body, {"reason": "别的"})


@makes("subscribe")
async def _(_: RunningService) -> Wish:
    body = {"name": word("平台"), "url": f"{PLATFORM}/x", "types": ["case.opened"]}
    return wish(ADMIN, body, {"types": ["clip.sealed"]})


@makes("explain_finding")
async def _(service: RunningService) -> Wish:
    recorder = word("R")
    finding = await _compared(service, recorder)
    body = {"recorder": recorder, "finding": str(finding), "place": 0, "text": "误操作"}
    return wish(Role.ARCHIVIST, body, {"text": "电池更换"})


async def _compared(service: RunningService, recorder: str) -> UUID:
    """Put a comparison with one finding on record, as the duty behind an inventory does."""
    dock, inventory, first = (str(UUID(bytes=hashlib.sha256(word().encode()).digest()[:16])) for _ in range(3))
    found: dict[str, Any] = {"code": "recorder.numbers_missing", "weight": "high", "facts": {"first_missing": 6}}
    payload: dict[str, Any] = {"recorder": recorder, "dock": dock, "inventory": inventory, "previous": first}
    async with service.services.pool.acquire() as conn, conn.transaction():
        made = await record(
            conn,
            type="recorder.compared",
            actor="service",
            subject=f"dock:{dock}",
            payload={**payload, "findings": [found]},
            clock=utc_now,
            entropy=service.services.entropy,
        )
    return made.entry_id


@makes("assign_recorder")
async def _(_: RunningService) -> Wish:
    return wish(ADMIN, {"recorder": word("R"), "officer": None}, {"recorder": word("Q")})


@makes("register_unit")
async def _(_: RunningService) -> Wish:
    return wish(ADMIN, {"name": word("队")}, {"name": word("组")})


@makes("change_unit")
async def _(service: RunningService) -> Wish:
    known, _name = await unit(service)
    return wish(ADMIN, {"name": word("新")}, {"name": word("再")}, seen=1, unit=known)


@makes("register_recorder")
async def _(_: RunningService) -> Wish:
    body = {"recorder": word("Z"), "kind": "body_worn", "state": "in_use"}
    return wish(ADMIN, body, {"state": "retired"}, seen=0)


@makes("place_dock")
async def _(service: RunningService) -> Wish:
    dock = paper_dock(int(word(), 16) % 2**32)
    await enrol(service.services.pool, dock, entropy=service.entropy)
    known, _name = await unit(service)
    return wish(ADMIN, {"unit": known}, {"unit": None}, dock=dock.dock)


@makes("register_officer")
async def _(service: RunningService) -> Wish:
    _known, where = await unit(service)
    return wish(ADMIN, {"number": word(), "name": "李四", "unit": where}, {"name": "李五"})


@makes("change_officer")
async def _(service: RunningService) -> Wish:
    known, _number, where = await officer(service)
    return wish(ADMIN, {"name": "张四", "unit": where}, {"name": "张五"}, seen=1, officer=known)


@makes("load_calendar")
async def _(_: RunningService) -> Wish:
    said = {"day": "2026-09-01", "is_working": False, "reason": word("通知")}
    return wish(ADMIN, {"days": [said]}, {"days": [{**said, "is_working": True}]})


@makes("state_price")
async def _(_: RunningService) -> Wish:
    return wish(ADMIN, {"hundredths": 1, "currency": "CNY", "citation": word("合同")}, {"hundredths": 2})


@makes("commit_sample")
async def _(service: RunningService) -> Wish:
    return wish(REVIEWER, await _sampling(service), {"purpose": "别的"})


@makes("score_case")
async def _(service: RunningService) -> Wish:
    seed = hashlib.sha256(word().encode()).digest()
    wanted = await _sampling(service) | {"commitment": hashlib.sha256(seed).hexdigest()}
    sample = (await post(service, REVIEWER, "/v1/samples", wanted))["sample"]
    await published(service)
    drawn = await post(service, REVIEWER, f"/v1/samples/{sample}/draw", {"seed": seed.hex()})
    body = {"case": drawn["cases"][0]["case"], "points": 80, "note": "缺告知"}
    return wish(REVIEWER, body, {"points": 70}, sample=sample)


async def _sampling(service: RunningService) -> dict[str, Any]:
    await case(service)
    await published(service)
    return {"commitment": hashlib.sha256(word().encode()).hexdigest(), "draw": 1, "purpose": word("评查")}


@makes("publish_items")
async def _(_: RunningService) -> Wish:
    content = item_list(item("visit", exemptible=True)).as_json()
    return wish(ADMIN, {"effective_from": today(), "list": content}, {"effective_from": "2099-01-01"})


@makes("publish_deadline_rules")
async def _(_: RunningService) -> Wish:
    rule = {"key": "task", "kind": "task", "unit": "calendar_days", "days": 10, "citation": "办法", "source": "own"}
    body = {"effective_from": "2026-06-01", "table": {"title": word("期限"), "source": "own", "rules": [rule]}}
    return wish(ADMIN, body, {"effective_from": "2026-06-02"})


@makes("state_schedule")
async def _(_: RunningService) -> Wish:
    body = {"effective_from": today(), "rules": [], "months": 6, "citation": word("规定")}
    return wish(Role.ARCHIVIST, body, {"months": 7})


@makes("adopt_review_rules")
async def _(_: RunningService) -> Wish:
    return wish(ADMIN, {"effective_from": today(), "rules": rules().as_json()}, {"effective_from": "2099-01-01"})


@makes("state_publication_term")
async def _(_: RunningService) -> Wish:
    return wish(ADMIN, {"kind": "penalty", "months": 60, "citation": word("规定")}, {"months": 36})


@makes("make_publicity_report")
async def _(service: RunningService) -> Wish:
    await sealed(service)
    await published(service)
    size = (await get(service, Role.AUDITOR, "/v1/statistics"))["size"]
    body = {"period": "2026", "stated": {}, "size": size}
    return wish(REVIEWER, body, {"period": "2026-03"})
