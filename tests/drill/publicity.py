"""What the drill's house told the public: one decision in two versions, one that was withdrawn, a term, a report."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from uuid import UUID

from evidence.custody.record import record
from ledger.canonical import JsonValue
from tests.support.retention import APPRAISER, APPROVER
from tests.support.small_house import SmallHouse

FIELDS: Mapping[str, JsonValue] = {
    "authority": "某市生态环境局",
    "subject": "某化工厂",
    "category": "行政处罚",
    "conclusion": "罚款人民币十万元",
}


async def tell_the_public(house: SmallHouse) -> None:
    """Publish two decisions, correct one and withdraw the other; state a term, and report a month."""
    corrected, withdrawn = house.new_id(), house.new_id()
    for version in (1, 2):
        await _publish(house, corrected, version)
    await _publish(house, withdrawn, 1)
    gone: dict[str, JsonValue] = {"version": 1, "cause": "revoked", "reason": "行政复议撤销原决定"}
    await _say(house, "publication.withdrawn", "publication", withdrawn, gone)
    term: dict[str, JsonValue] = {"kind": "penalty", "months": 36, "citation": "信用信息公示规定"}
    await _say(house, "publication.term_stated", "term", house.new_id(), term)
    report: dict[str, JsonValue] = {
        "period": "2026-03",
        "rules": "shilu-publicity-1",
        "size": 1,
        "root": hashlib.sha256(b"root").hexdigest(),
        "figures": {"published.penalty": 2},
        "stated": {"inspections": 12},
    }
    await _say(house, "publicity.reported", "report", house.new_id(), report)


async def _publish(house: SmallHouse, publication: UUID, version: int) -> None:
    about: dict[str, JsonValue] = {"version": version}
    wish: dict[str, JsonValue] = {"form": "brief", "kind": "penalty", "case": None, "until": None}
    reason = {} if version == 1 else {"reason": "金额有误"}
    await _say(
        house,
        "publication.drafted",
        "publication",
        publication,
        {"reason": "", **about, **wish, **reason, "fields": FIELDS},
    )
    span: JsonValue = {"field": "subject", "start": 0, "end": 2, "kind": "address", "certainty": "likely"}
    await _say(
        house, "publication.scanned", "publication", publication, {**about, "rules": "shilu-scan-1", "spans": [span]}
    )
    said: JsonValue = {"field": "subject", "start": 0, "end": 2, "verdict": "not_one", "reason": ""}
    await _say(house, "publication.judged", "publication", publication, {**about, "decisions": [said]})
    agreed: dict[str, JsonValue] = {**about, "fields": FIELDS, "note": ""}
    await _say(house, "publication.approved", "publication", publication, agreed, actor=APPROVER)
    shown: dict[str, JsonValue] = {**about, **wish, "fields": FIELDS, "schema": "shilu-publication-1"}
    await _say(
        house,
        "publication.published",
        "publication",
        publication,
        {**shown, "decided_on": None, "effective_from": None},
    )


async def _say(
    house: SmallHouse,
    event_type: str,
    subject: str,
    about: UUID,
    said: Mapping[str, JsonValue],
    *,
    actor: str = APPRAISER,
) -> None:
    async with house.pool.acquire() as conn, conn.transaction():
        await record(
            conn,
            type=event_type,
            actor=actor,
            subject=f"{subject}:{about}",
            payload={subject: str(about), **said},
            clock=house.clock,
            entropy=house.entropy,
        )
