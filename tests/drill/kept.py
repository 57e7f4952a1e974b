"""How long clips are kept in the drill's house: a calendar, schedules, holds, and one clip that was disposed of."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from uuid import UUID

from evidence.custody.record import record
from evidence.deadlines.rules import preset
from ledger.canonical import JsonValue
from tests.drill.publicity import tell_the_public
from tests.support.retention import APPRAISER, APPROVER, let_in
from tests.support.small_house import SmallHouse

GONE = b"what was disposed of when its term was over"
NAME = "disposed.mp4"


async def keep_and_dispose(house: SmallHouse) -> None:
    """State how long clips are kept, hold two of them, release one, and dispose of one that is nobody's exhibit."""
    await let_in(house)
    day: JsonValue = {"day": "2026-03-09", "is_working": False, "reason": "停电检修"}
    year: JsonValue = {"year": 2027, "holidays": ["2027-01-01"], "make_up": ["2026-12-27"], "citation": "国办发明电"}
    await _say(house, "calendar.loaded", "calendar", house.new_id(), {"years": [year], "days": [day]})
    rules: dict[str, JsonValue] = {"rules": [], "months": 6, "citation": "规定", "effective_from": "2026-03-02"}
    await _say(house, "retention.scheduled", "schedule", house.new_id(), rules)
    holds = [house.new_id(), house.new_id()]
    for hold, clip in zip(holds, house.clips.values(), strict=False):
        about: dict[str, JsonValue] = {"clip": str(clip), "case": None, "recorder": None, "since": None, "until": None}
        await _say(house, "hold.placed", "hold", hold, {**about, "basis": "行政复议期间"})
    await _say(house, "hold.released", "hold", holds[0], {"reason": "复议终结"}, actor=APPROVER)
    await _dispose(house)
    await _sample(house)
    await _hand_over(house)
    await _let_watch(house)
    await tell_the_public(house)
    await _count_days(house)


async def _count_days(house: SmallHouse) -> None:
    """A table of deadlines, and a reason for a recording that came late."""
    table: dict[str, JsonValue] = {
        "version": 1,
        "effective_from": "2026-03-02",
        "table": preset("zaozhuang-emergency-2019").table.as_json(),
    }
    await _say(house, "deadline.rules_published", "rules", house.new_id(), table)
    late = f"storing/{next(iter(house.clips.values()))}"
    await _say(house, "deadline.explained", "clock", late, {"case": None, "reason": "采集站故障"})


async def _hand_over(house: SmallHouse) -> None:
    """A package, two links to it of which one is revoked, and somebody who fetched it."""
    export, digest, links = house.new_id(), hashlib.sha256(b"bag").hexdigest(), [house.new_id(), house.new_id()]
    package: dict[str, JsonValue] = {
        "case": None,
        "clips": [str(clip) for clip in house.clips.values()][:1],
        "purpose": "litigation",
        "manifest": digest,
        "files": 3,
        "bytes": 1000,
        "log_size": 1,
    }
    await _say(house, "clips.exported", "export", export, package)
    for link in links:
        shared: dict[str, JsonValue] = {
            "link": str(link),
            "recipient": "李律师",
            "purpose": "litigation",
            "secret_sha256": digest,
            "expires_at": "2026-03-09T00:00:00.000Z",
            "uses_max": 2,
        }
        await _say(house, "export.shared", "export", export, shared)
    await _say(house, "export.link_revoked", "export", export, {"link": str(links[1]), "reason": "更换代理人"})
    await _say(house, "export.fetched", "export", export, {"link": str(links[0]), "purpose": "litigation"})


async def _let_watch(house: SmallHouse) -> None:
    """A link to watch a clip by: its copy, a use, its end."""
    clip, link = next(iter(house.clips.values())), house.new_id()
    digest = hashlib.sha256(b"copy").hexdigest()
    who: dict[str, JsonValue] = {"link": str(link), "recipient": "李律师"}
    shared: dict[str, JsonValue] = {
        **who,
        "purpose": "litigation",
        "secret_sha256": digest,
        "expires_at": "2026-03-09T00:00:00.000Z",
        "uses_max": 1,
        "rendition": "proxy",
        "parent": digest,
        "from_ms": 1000,
        "to_ms": 2000,
    }
    await _say(house, "clip.shared", "clip", clip, shared)
    marked: dict[str, JsonValue] = {
        **who,
        "parent": digest,
        "sha256": digest,
        "size": 1000,
        "media_type": "video/mp4",
        "mark": ["COPY 0A1B2C3D", "NOT ORIGINAL 2026-03-02"],
        "tools": {"av": "1"},
        "made": {"pictures": 25},
    }
    await _say(house, "clip.marked", "clip", clip, marked, actor="service")
    watched: dict[str, JsonValue] = {"ticket": str(house.new_id()), "sha256": digest, "purpose": "litigation"}
    await _say(house, "clip.watched", "clip", clip, {"link": str(link), **watched}, actor="service")
    await _say(house, "clip.link_revoked", "clip", clip, {"link": str(link), "reason": "更换代理人"})


async def _sample(house: SmallHouse) -> None:
    """A price, and a sample of the one case there is."""
    price: dict[str, JsonValue] = {"hundredths": 20_000, "currency": "CNY", "citation": "采购合同"}
    await _say(house, "storage.priced", "price", house.new_id(), price)
    sample, digest = house.new_id(), hashlib.sha256(b"seed").hexdigest()
    committed: dict[str, JsonValue] = {
        "commitment": digest,
        "size": 1,
        "root": digest,
        "population": 1,
        "population_sha256": digest,
        "draw": 1,
        "rule": "shilu-sample-v1",
        "purpose": "案卷评查",
    }
    await _say(house, "sample.committed", "sample", sample, committed)
    case = str(house.new_id())
    drawn: dict[str, JsonValue] = {"seed": digest, "size": 2, "root": digest, "cases": [case]}
    await _say(house, "sample.drawn", "sample", sample, drawn)
    await _say(
        house,
        "sample.scored",
        "sample",
        sample,
        {"case": case, "points": 85, "note": "缺告知", "sheet": [{"item": "程序", "points": 85, "of": 100}]},
    )


async def _dispose(house: SmallHouse) -> None:
    clip, sha256 = await house.seal(NAME, GONE), hashlib.sha256(GONE).hexdigest()
    # The house's clock stands still for half a year; what the audit asks is that the term was over.
    term: dict[str, JsonValue] = {"expired_on": "2026-03-01", "because": ["kept for 6 months: 规定"]}
    stated: dict[str, JsonValue] = {"clip": str(clip), "sha256": sha256, "size": len(GONE), **term}
    for decision in ("disposal.approved", "disposal.refused"):
        appraisal = house.new_id()
        body: dict[str, JsonValue] = {"reason": "保存期满", "clips": [stated]}
        await _say(house, "disposal.appraised", "appraisal", appraisal, body)
        await _say(house, decision, "appraisal", appraisal, {"reason": "已复核"}, actor=APPROVER)
        if decision == "disposal.approved":
            went: list[JsonValue] = [{"kind": "original", "sha256": sha256, "size": len(GONE)}]
            await _say(
                house,
                "clip.disposed",
                "clip",
                clip,
                {"appraisal": str(appraisal), **term, "objects": went, "stores": ["local"]},
                actor="service",
            )
    await house.publish()
    house.objects.destroy(sha256)


async def _say(
    house: SmallHouse,
    event_type: str,
    subject: str,
    about: UUID | str,
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
