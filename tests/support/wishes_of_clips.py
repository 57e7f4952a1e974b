"""Wishes about clips: what is said of them, copies, holds, disposals, packages, publications, searches."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from api.exports import maker_of
from evidence.core.clock import format_time, utc_now
from evidence.parties.roles import Role
from tests.support.clock import SeededEntropy
from tests.support.payloads import Scribe
from tests.support.publicity import BRIEF
from tests.support.service import RunningService
from tests.support.transcripts import transcribed
from tests.support.wishes import Wish, case, exhibit, makes, post, published, sealed, today, wish, word

INVESTIGATOR, ARCHIVIST = Role.INVESTIGATOR, Role.ARCHIVIST
LONG_AGO = datetime(2020, 3, 2, tzinfo=UTC)


@makes("annotate_clip")
async def _(service: RunningService) -> Wish:
    return wish(INVESTIGATOR, {"remark": word("现场")}, {"remark": "别处"}, seen=0, clip=await sealed(service))


@makes("accept_proposals")
async def _(service: RunningService) -> Wish:
    clip, entry, _digest = await transcribed(service)
    view = {"purpose": "legal_review", "rendition": "original"}
    await post(service, INVESTIGATOR, f"/v1/clips/{clip}/views", view)
    body = {"transcript": entry, "utterances": [{"index": 1}]}
    return wish(INVESTIGATOR, body, {"utterances": [{"index": 0}]}, seen=0, clip=clip)


@makes("annotate_many")
async def _(service: RunningService) -> Wish:
    clip = await sealed(service)
    body = {"clips": [{"clip": clip}], "add": {"remark": word("整治")}}
    return wish(INVESTIGATOR, body, {"reason": "别的"})


@makes("resolve_attribution")
async def _(service: RunningService) -> Wish:
    clip = await sealed(service)
    async with service.services.pool.acquire() as conn:
        scribe = Scribe(conn=conn, clock=utc_now, entropy=SeededEntropy(uuid4().int))
        await scribe.attribute(UUID(clip), blocked=True, flags=["recorder_unassigned"])
    body = {"officer": None, "reason": "与值班记录核对无误"}
    return wish(ARCHIVIST, body, {"reason": "别的"}, seen=1, clip=clip)


@makes("classify_clip")
async def _(service: RunningService) -> Wish:
    body = {"classes": ["minors"], "reason": "未成年人"}
    return wish(ARCHIVIST, body, {"classes": []}, clip=await sealed(service))


@makes("redact_clip")
async def _(service: RunningService) -> Wish:
    body = {"reason": word("隐私"), "mute": [{"from_ms": 0, "to_ms": 9, "why": "身份证号"}]}
    return wish(INVESTIGATOR, body, {"reason": "别的"}, entries=0, clip=await sealed(service))


@makes("place_hold")
async def _(service: RunningService) -> Wish:
    return wish(INVESTIGATOR, {"clip": await sealed(service), "basis": word("复议")}, {"basis": "别的"})


@makes("appraise")
async def _(service: RunningService) -> Wish:
    rules = {"effective_from": today(), "rules": [], "months": 6, "citation": word("规定")}
    await post(service, ARCHIVIST, "/v1/retention/schedules", rules)
    clip = await _sealed_long_ago(service)
    return wish(ARCHIVIST, {"clips": [clip], "reason": "保存期满"}, {"reason": "别的"})


async def _sealed_long_ago(service: RunningService) -> str:
    async with service.services.pool.acquire() as conn:
        scribe = Scribe(conn=conn, clock=lambda: LONG_AGO, entropy=SeededEntropy(uuid4().int))
        return str(await scribe.seal())


@makes("order_export")
async def _(service: RunningService) -> Wish:
    body = {"purpose": "litigation", "clips": [await sealed(service)]}
    await published(service)
    return wish(INVESTIGATOR, body, {"purpose": "legal_review"}, entries=0)


@makes("revoke_link")
async def _(service: RunningService) -> Wish:
    export = await _package(service)
    said = {"recipient": "李律师", "purpose": "litigation", "expires_at": format_time(utc_now() + timedelta(days=3))}
    made = await post(service, INVESTIGATOR, f"/v1/exports/{export}/links", said)
    return wish(INVESTIGATOR, {"reason": "委托终止"}, {"reason": "别的"}, export=export, link=made["link"])


@makes("revoke_clip_link")
async def _(service: RunningService) -> Wish:
    clip = await service.clip(uuid4().bytes, path=f"{uuid4()}.mp4")
    await service.derive(clip, uuid4().bytes)
    said = {"recipient": "李律师", "purpose": "litigation", "expires_at": format_time(utc_now() + timedelta(days=3))}
    made = await post(service, INVESTIGATOR, f"/v1/clips/{clip}/links", said)
    return wish(INVESTIGATOR, {"reason": "委托终止"}, {"reason": "别的"}, clip=str(clip), link=made["link"])


async def _package(service: RunningService) -> str:
    """Have a package made, as the duty does."""
    clip = str(await service.clip(uuid4().bytes, path=f"{uuid4()}.mp4"))
    known = await case(service)
    await exhibit(service, known, clip)
    await published(service)
    export = (await post(service, INVESTIGATOR, "/v1/exports", {"purpose": "litigation", "case": known}))["export"]
    maker = maker_of(service.services)
    maker.folder.mkdir(exist_ok=True)
    while await maker.attempt():
        pass
    return str(export)


@makes("draft_publication")
async def _(_: RunningService) -> Wish:
    body: dict[str, Any] = {"form": "brief", "kind": "penalty", "fields": {**BRIEF, "subject": word("厂")}}
    return wish(INVESTIGATOR, body, {"fields": dict(BRIEF)}, entries=2)


@makes("correct_publication")
async def _(service: RunningService) -> Wish:
    draft = {"form": "brief", "kind": "penalty", "fields": {**BRIEF, "subject": word("厂")}}
    made = (await post(service, INVESTIGATOR, "/v1/publications", draft))["publication"]
    body = {"version": 1, "fields": {**BRIEF, "subject": word("厂")}, "reason": "名称有误"}
    return wish(INVESTIGATOR, body, {"reason": "别的"}, entries=2, publication=made)


@makes("save_search")
async def _(_: RunningService) -> Wish:
    return wish(INVESTIGATOR, {"name": word("查"), "q": "现场"}, {"name": word("另")}, entries=0)


@makes("run_search")
async def _(service: RunningService) -> Wish:
    saved = await post(service, INVESTIGATOR, "/v1/searches", {"name": word("查"), "q": word()})
    await sealed(service)
    return wish(INVESTIGATOR, {}, {}, entries=0, search=saved["search"])


@makes("unlink_clip")
async def _(service: RunningService) -> Wish:
    known = await case(service)
    await exhibit(service, known)
    return wish(INVESTIGATOR, {"exhibit": 1, "reason": "错关联"}, {"reason": "别的"}, case=known)
