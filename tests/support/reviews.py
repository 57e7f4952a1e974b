"""Reviews for tests: rules, people with keys, declarations and opinions made from as little as a test cares about."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evidence.clips.store import newest_annotation
from evidence.core.clock import Clock, Entropy, format_time
from evidence.custody.record import Recorded
from evidence.db.pool import Connection
from evidence.registers.validity import CHINA
from evidence.review.adopting import adopt_rules
from evidence.review.decisions import decide
from evidence.review.persons import qualify, state_key
from evidence.review.revocations import revoke_decision
from evidence.review.rounds import coordinate, disagree, opine, request_supplement
from evidence.review.rules import ReviewRules, read_rules
from evidence.review.standing import Standing, standing_of
from evidence.review.statements import DECLARATION, OPINION, Declaration, Opinion, person_key_text
from evidence.review.store import Decision
from evidence.review.submissions import submit
from ledger.canonical import JsonObject, JsonValue, canonical_json
from tests.support.case_files import item, item_list, opened, publish
from tests.support.payloads import STAFF, Scribe

HANDLER = UUID(STAFF.removeprefix("staff:"))
ADMINISTRATOR = "staff:0195a000-0000-7000-8000-0000000000ad"
HEARING = {"key": "hearing", "fact": "hearing_held", "source": "第五条", "quote": "经过听证程序"}
ROWS = ({"key": "facts"}, {"key": "law"}, {"key": "covert", "when": "covert"}, {"key": "crime", "opens": "transfer"})


@dataclass(slots=True)
class Signer:
    """A person with a signing key."""

    staff: UUID
    key: Ed25519PrivateKey = field(default_factory=lambda: Ed25519PrivateKey.from_private_bytes(bytes(32)))

    @property
    def actor(self) -> str:
        return f"staff:{self.staff}"

    @property
    def public(self) -> bytes:
        return self.key.public_key().public_bytes_raw()

    def sign(self, statement: JsonObject) -> bytes:
        return self.key.sign(canonical_json(statement))

    def proof(self) -> bytes:
        return self.sign(person_key_text(staff=str(self.staff), key=self.public))


def signer(number: int, staff: UUID | None = None) -> Signer:
    """Return the person of a number, whose key it decides."""
    name = staff or UUID(f"0195a000-0000-7000-8000-{number:012x}")
    return Signer(name, Ed25519PrivateKey.from_private_bytes(number.to_bytes(32, "big")))


HAND = signer(1, HANDLER)
REVIEWER = signer(0xE1)
OTHER_REVIEWER = signer(0xE2)
COORDINATOR = signer(0xC0)
DECIDER = signer(0xD0)


def rules(**changes: Any) -> ReviewRules:
    """Return rules with one trigger, the hearing, three rows and one more for what is covert, and no materials."""
    rows = [{"title": f"事项{row['key']}", "source": "第六条", "quote": "审核", **row} for row in ROWS]
    said = {"agency": "某局", "title": "目录清单", "source": "某发〔2026〕2号", "quote": "未经法制审核不得作出决定"}
    return read_rules({**said, "triggers": [HEARING], "checklist": rows, **changes})


@dataclass(kw_only=True)
class Chamber:
    """Somebody who acts in a review, each time in a transaction of its own."""

    conn: Connection
    clock: Clock
    entropy: Entropy

    @property
    def tools(self) -> dict[str, Any]:
        return {"clock": self.clock, "entropy": self.entropy}

    async def prepare(self, content: ReviewRules | None = None) -> None:
        """Adopt rules, and have the handler and two reviewers on record."""
        async with self.conn.transaction():
            await adopt_rules(
                self.conn, rules=content or rules(), effective_from=date(2020, 1, 1), actor=ADMINISTRATOR, **self.tools
            )
        for person in (HAND, REVIEWER, OTHER_REVIEWER):
            await self.give_key(person)
        for person in (REVIEWER, OTHER_REVIEWER):
            await self.qualify(person)

    async def give_key(self, person: Signer) -> None:
        async with self.conn.transaction():
            await state_key(self.conn, staff=person.staff, key=person.public, proof=person.proof(), **self.tools)

    async def qualify(self, person: Signer, *, until: date = date(2099, 1, 1)) -> None:
        more: dict[str, Any] = {
            "valid_from": date(2020, 1, 1),
            "valid_until": until,
            "source": "聘任文件",
            "certificate": "A2020",
        }
        async with self.conn.transaction():
            await qualify(self.conn, staff=person.staff, actor=ADMINISTRATOR, **more, **self.tools)

    async def standing(self, case: UUID) -> Standing:
        return await standing_of(self.conn, case, self.clock())

    async def declaration(self, case: UUID, by: Signer = HAND, **changes: Any) -> dict[str, Any]:
        """Return a declaration over the case as it stands."""
        now = await self.standing(case)
        return {
            "format": DECLARATION,
            "case": str(case),
            "round": len(now.review.rounds) + 1,
            "root": now.root.hex(),
            "rules": str(now.rules.rules),
            "by": str(by.staff),
            "materials": [],
            "answers": [{"problem": number, "answer": "已补正"} for number in now.review.owed],
            "declares": "送审材料真实、准确、完整",
            **changes,
        }

    async def submit(self, case: UUID, by: Signer = HAND, **changes: Any) -> Recorded:
        said = Declaration.model_validate(await self.declaration(case, by, **changes))
        async with self.conn.transaction():
            return await submit(
                self.conn, declaration=said, signature=by.sign(said.as_json()), actor=by.actor, **self.tools
            )

    async def opinion(
        self, case: UUID, by: Signer, bad: Mapping[str, str] | None = None, **changes: Any
    ) -> dict[str, Any]:
        """Return an opinion over the round that counts: an approval, unless rows have problems."""
        now = await self.standing(case)
        current, bad = now.review.round, dict(bad or {})
        assert current is not None
        return {
            "format": OPINION,
            "case": str(case),
            "round": current.number,
            "root": current.root.hex(),
            "submission": str(current.submission.entry_id),
            "by": str(by.staff),
            "conclusion": "problems" if bad else "approve",
            "rows": [
                {"row": row.key, "verdict": "problem" if row.key in bad else "ok", "note": "已核", "evidence": ["1"]}
                for row in now.rows
            ],
            "problems": [
                {"problem": number, "row": key, "text": text} for number, (key, text) in enumerate(bad.items(), 1)
            ],
            **changes,
        }

    async def opine(
        self, case: UUID, by: Signer = REVIEWER, bad: Mapping[str, str] | None = None, **changes: Any
    ) -> tuple[str, Recorded]:
        said = Opinion.model_validate(await self.opinion(case, by, bad, **changes))
        async with self.conn.transaction():
            return await opine(self.conn, opinion=said, signature=by.sign(said.as_json()), actor=by.actor, **self.tools)

    async def pause(self, case: UUID, by: Signer = REVIEWER) -> Recorded:
        async with self.conn.transaction():
            return await request_supplement(
                self.conn, case_id=case, request="请补充送达回证", actor=by.actor, **self.tools
            )

    async def disagree(self, case: UUID, coordinator: Signer = COORDINATOR) -> Recorded:
        async with self.conn.transaction():
            return await disagree(
                self.conn,
                case_id=case,
                position="事实已查清",
                coordinator=coordinator.staff,
                actor=HAND.actor,
                **self.tools,
            )

    async def coordinate(self, case: UUID, outcome: Any, by: Signer = COORDINATOR) -> Recorded:
        more: dict[str, Any] = {"minutes": "会议纪要〔2026〕3号", "reason": "双方意见已充分陈述", "actor": by.actor}
        async with self.conn.transaction():
            return await coordinate(self.conn, case_id=case, outcome=outcome, **more, **self.tools)

    async def decide(self, case: UUID, by: Signer = DECIDER, number: str = "罚字〔2026〕1号") -> Decision:
        async with self.conn.transaction():
            return await decide(
                self.conn, case_id=case, number=number, summary="罚款一万元", actor=by.actor, **self.tools
            )

    async def revoke(self, case: UUID, by: Signer = DECIDER, **changes: Any) -> Recorded:
        """Say that a decision was revoked today, or what else became of it."""
        said: dict[str, Any] = {
            "effect": "revoked",
            "basis": "reconsideration",
            "document": "某府复决〔2026〕3号",
            "authority": "某市人民政府",
            "on": self.clock().astimezone(CHINA).date(),
            "reason": "证据不足",
            **changes,
        }
        async with self.conn.transaction():
            return await revoke_decision(self.conn, case, **said, actor=by.actor, **self.tools)


def chamber(scribe: Scribe, conn: Connection | None = None) -> Chamber:
    """Return a chamber on a scribe's connection, or another one."""
    return Chamber(conn=conn or scribe.conn, clock=scribe.clock, entropy=scribe.entropy)


async def heard_case(scribe: Scribe, number: str = "9号", *, exhibits: int = 1) -> tuple[UUID, list[UUID]]:
    """Return a case in scope, because a hearing was held, and its exhibits, each with a remark and an item."""
    case = await opened(scribe, number, kind="penalty", facts={"hearing_held": True})
    clips = []
    for place in range(exhibits):
        clip = await scribe.seal()
        await scribe.annotate(clip, remark=f"摄录{place}", item="visit", place="厂区")
        await scribe.link(case, clip)
        clips.append(clip)
    return case, clips


async def publish_items(scribe: Scribe) -> None:
    """Publish the recording-item list of the agency whose rules `rules` are."""
    await publish(scribe, item_list(item("visit", exemptible=True)))


async def let_in(scribe: Scribe, actor: str) -> None:
    """Give a person a token for ten years: whoever acts without one was never let in, says the audit."""
    token = scribe.new_id()
    issued: dict[str, JsonValue] = {
        "token": str(token),
        "staff": actor.removeprefix("staff:"),
        "name": "法制科",
        "role": "reviewer",
        "expires_at": format_time(scribe.clock() + timedelta(days=3650)),
        "token_sha256": hashlib.sha256(token.bytes).hexdigest(),
    }
    await scribe.write("staff.token_issued", f"token:{token}", issued)


async def keep_reviews(scribe: Scribe, clip: UUID) -> None:
    """Keep a case that was refused, coordinated, submitted again, approved, decided and revoked: a row of every table.

    Args:
        clip: What becomes its exhibit, whatever was said about it before.
    """
    for actor in (ADMINISTRATOR, *(one.actor for one in (REVIEWER, OTHER_REVIEWER, COORDINATOR, DECIDER))):
        await let_in(scribe, actor)
    await publish_items(scribe)
    busy = chamber(scribe)
    await busy.prepare()
    case = await opened(scribe, "审1号", kind="penalty", facts={"hearing_held": True})
    await scribe.link(case, clip)
    newest = await newest_annotation(scribe.conn, clip)
    version = newest.version if newest else 0
    await scribe.annotate(clip, expected_version=version, remark="听证现场", item="visit", place="厂区")
    await busy.submit(case)
    await busy.pause(case)
    await scribe.annotate(clip, expected_version=version + 1, remark="补充说明", item="visit", place="厂区")
    await busy.submit(case)
    await busy.opine(case, bad={"facts": "事实不清"})
    await busy.disagree(case)
    await busy.coordinate(case, "reopen")
    await busy.submit(case)
    await busy.opine(case)
    await busy.decide(case)
    await busy.revoke(case, effect="changed", basis="own_correction")
    await busy.revoke(case)
