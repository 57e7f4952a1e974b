"""Wishes about cases: what is said of them, their clocks, and each step of their review."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from evidence.core.clock import format_time, utc_now
from evidence.parties.roles import Role
from tests.support.case_files import CONCLUDED, item, item_list
from tests.support.reviews import Chamber, Signer, rules, signer
from tests.support.service import RunningService
from tests.support.wishes import Wish, case, exhibit, get, makes, post, staff_of, today, wish, word

HANDLER, REVIEWER, CHIEF = Role.INVESTIGATOR, Role.REVIEWER, Role.ARCHIVIST


@makes("open_case")
async def _(_: RunningService) -> Wish:
    return wish(CHIEF, {"number": word("罚"), "title": "甲"}, {"title": "乙"})


@makes("amend_case")
async def _(service: RunningService) -> Wish:
    return wish(HANDLER, {"reason": "更名", "title": "新名案"}, {"title": "又名"}, seen=1, case=await case(service))


@makes("arrange_case")
async def _(service: RunningService) -> Wish:
    known = await case(service)
    await exhibit(service, known)
    body = {"sections": [{"title": "证据", "places": [{"exhibit": 1}]}]}
    return wish(HANDLER, body, {"sections": []}, seen=1, case=known)


@makes("state_about_case")
async def _(service: RunningService) -> Wish:
    body = {"statement": CONCLUDED}
    return wish(HANDLER, body, {"statement": {**CONCLUDED, "on": "2026-03-03"}}, case=await case(service))


@makes("start_deadline")
async def _(service: RunningService) -> Wish:
    return wish(HANDLER, _withdrawal(await case(service)), {"note": "别的"})


@makes("state_deadline")
async def _(service: RunningService) -> Wish:
    known = await case(service)
    clock = (await post(service, HANDLER, "/v1/deadlines", _withdrawal(known)))["clock"]
    body = {"clock": clock, "case": known, "verb": "explain", "reason": "补充材料"}
    return wish(HANDLER, body, {"reason": "别的"})


def _withdrawal(known: str) -> dict[str, Any]:
    return {"case": known, "kind": "withdrawal", "started_at": "2026-04-30T02:00:00.000Z", "note": "复议决定书"}


@makes("extend_deadline")
async def _(service: RunningService) -> Wish:
    known = await case(service)
    started = {"case": known, "kind": "review", "started_at": format_time(utc_now() - timedelta(minutes=1))}
    clock = (await post(service, HANDLER, "/v1/deadlines", started | {"note": "送审"}))["clock"]
    return wish(REVIEWER, {"clock": clock, "case": known, "days": 1, "reason": "重大复杂"}, {"days": 2})


@makes("state_signing_key")
async def _(service: RunningService) -> Wish:
    someone, other = [signer(number(), UUID(await staff_of(service, HANDLER))) for _ in range(2)]
    return wish(HANDLER, _key(someone), _key(other))


def _key(someone: Signer) -> dict[str, str]:
    return {"key": b64encode(someone.public).decode(), "proof": b64encode(someone.proof()).decode()}


def number() -> int:
    """Return a number of a person whom nobody knows."""
    return uuid4().int


@makes("qualify_reviewer")
async def _(service: RunningService) -> Wish:
    body = {"staff": await staff_of(service, REVIEWER), "certificate": word("A"), "source": "聘任文件"}
    term = {"valid_from": "2020-01-01", "valid_until": "2099-12-31"}
    return wish(Role.ADMINISTRATOR, body | term, {"certificate": word("B")})


class Review:
    """A case that is to be reviewed, and the people who do it over HTTP."""

    def __init__(self, service: RunningService, chamber: Chamber, case_id: str, people: dict[Role, Signer]) -> None:
        self.service, self.chamber, self.case, self.people = service, chamber, case_id, people

    async def submission(self, **changes: Any) -> dict[str, Any]:
        """Return what the handler submits."""
        return self._signed(HANDLER, await self.chamber.declaration(UUID(self.case), self.people[HANDLER], **changes))

    async def opinion(self, verdict: str = "ok", row: str = "crime", **changes: Any) -> dict[str, Any]:
        """Return the reviewer's opinion, with a verdict of its own about one row."""
        bad = {row: "应当补充"} if verdict == "problem" else {}
        said = await self.chamber.opinion(UUID(self.case), self.people[REVIEWER], bad, **changes)
        for one in said["rows"]:
            one["verdict"] = verdict if one["row"] == row else "ok"
        return self._signed(REVIEWER, said)

    def _signed(self, role: Role, said: dict[str, Any]) -> dict[str, Any]:
        return {"statement": said, "signature": b64encode(self.people[role].sign(said)).decode()}

    async def step(self, role: Role, name: str, body: dict[str, Any]) -> Any:
        """Take a step."""
        return await post(self.service, role, f"/v1/cases/{self.case}/review/{name}", body)

    async def submit(self) -> None:
        await self.step(HANDLER, "submissions", await self.submission())

    async def opine(self, verdict: str = "ok") -> Any:
        return await self.step(REVIEWER, "opinions", await self.opinion(verdict))

    async def disagree(self) -> None:
        await self.step(HANDLER, "disagreements", {"position": "已查清", "coordinator": str(self.people[CHIEF].staff)})

    async def decide(self) -> Any:
        body = {"number": word("决"), "summary": "罚款一万元"}
        return await post(self.service, CHIEF, f"/v1/cases/{self.case}/decision", body)


@asynccontextmanager
async def review(service: RunningService) -> AsyncIterator[Review]:
    """Open a case in scope, with an exhibit, under rules that are in force, and have its people on record."""
    items, admin = item_list(item("visit", exemptible=True)).as_json(), Role.ADMINISTRATOR
    await post(service, admin, "/v1/items", {"effective_from": today(), "list": items})
    await post(service, admin, "/v1/review/rules", {"effective_from": today(), "rules": rules().as_json()})
    known = await case(service, kind="penalty", facts={"hearing_held": True})
    await exhibit(service, known)
    people = {role: signer(number(), UUID(await staff_of(service, role))) for role in (HANDLER, REVIEWER, CHIEF)}
    services = service.services
    async with services.pool.acquire() as conn:
        chamber = Chamber(conn=conn, clock=utc_now, entropy=services.entropy)
        for role in (HANDLER, REVIEWER):
            await chamber.give_key(people[role])
        await chamber.qualify(people[REVIEWER])
        yield Review(service, chamber, known, people)


@makes("submit_for_review")
async def _(service: RunningService) -> Wish:
    async with review(service) as busy:
        body, other = await busy.submission(), await busy.submission(declares="真实")
        return wish(HANDLER, body, other, case=busy.case)


@makes("give_opinion")
async def _(service: RunningService) -> Wish:
    async with review(service) as busy:
        await busy.submit()
        return wish(REVIEWER, await busy.opinion(), await busy.opinion("problem"), case=busy.case)


@makes("ask_supplement")
async def _(service: RunningService) -> Wish:
    async with review(service) as busy:
        await busy.submit()
        return wish(REVIEWER, {"request": "请补充"}, {"request": "请说明"}, case=busy.case)


@makes("answer_supplement")
async def _(service: RunningService) -> Wish:
    async with review(service) as busy:
        await busy.submit()
        await busy.step(REVIEWER, "supplements", {"request": "请补充"})
        return wish(HANDLER, {"answer": "已补充"}, {"answer": "无"}, case=busy.case)


@makes("disagree_with_opinion")
async def _(service: RunningService) -> Wish:
    async with review(service) as busy:
        await busy.submit()
        await busy.opine("problem")
        body = {"position": "事实已查清", "coordinator": str(busy.people[CHIEF].staff)}
        return wish(HANDLER, body, {"position": "别的"}, case=busy.case)


@makes("coordinate_review")
async def _(service: RunningService) -> Wish:
    async with review(service) as busy:
        await busy.submit()
        await busy.opine("problem")
        await busy.disagree()
        body = {"outcome": "uphold", "minutes": "会议纪要", "reason": "意见成立"}
        return wish(CHIEF, body, {"outcome": "reopen"}, case=busy.case)


@makes("correct_fact")
async def _(service: RunningService) -> Wish:
    async with review(service) as busy:
        await busy.submit()
        body = {"fact": "hearing_held", "value": False, "reason": "误录"}
        return wish(REVIEWER, body, {"reason": "别的"}, case=busy.case)


@makes("transfer_case")
async def _(service: RunningService) -> Wish:
    async with review(service) as busy:
        await busy.submit()
        await busy.opine("transfer")
        (task,) = (await get(service, REVIEWER, f"/v1/cases/{busy.case}/review"))["transfers"]
        return wish(HANDLER, {"opinion": task, "to": "某公安局"}, {"to": "某检察院"}, case=busy.case)


@makes("decide_case")
async def _(service: RunningService) -> Wish:
    async with review(service) as busy:
        await busy.submit()
        await busy.opine()
        return wish(CHIEF, {"number": word("决"), "summary": "罚款一万元"}, {"summary": "罚款二万元"}, case=busy.case)


@makes("revoke_decision")
async def _(service: RunningService) -> Wish:
    async with review(service) as busy:
        await busy.submit()
        await busy.opine()
        await busy.decide()
        body = {"effect": "changed", "basis": "own_correction", "document": "某府复决〔2026〕3号"}
        body |= {"authority": "某市人民政府", "on": today(), "reason": "证据不足"}
        return wish(CHIEF, body, {"reason": "别的"}, case=busy.case)
