"""Cases for tests: lists, footage and statements made from as little as a test cares about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from evidence.cases.archive import archive_case
from evidence.cases.cases import Opening, open_case, unlink_clip
from evidence.cases.dossier import Dossier, Said, StatementRow
from evidence.cases.facts import CaseFacts
from evidence.cases.file import Amendment, amend, state
from evidence.cases.footage import ExhibitFootage, footage_of
from evidence.cases.item_list import ItemList, read_list
from evidence.cases.items import publish_list
from evidence.cases.statements import Statement
from tests.support.payloads import STAFF, Scribe

STATEMENT: TypeAdapter[Statement] = TypeAdapter(Statement)
MORNING = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
"""Nine o'clock in Beijing; `at` counts minutes from here."""


def at(minutes: float) -> datetime:
    return MORNING + timedelta(minutes=minutes)


def text(minutes: float) -> str:
    return at(minutes).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def item(key: str, **changes: Any) -> dict[str, Any]:
    return {
        "key": key,
        "title": f"事项{key}",
        "stage": "检查",
        "means": ["video"],
        "mode": "partial",
        "starts": "开始",
        "ends": "结束",
        "retention": "permanent",
        "source": "第三条",
    } | changes


def item_list(*items: dict[str, Any], **changes: Any) -> ItemList:
    return read_list(
        {
            "agency": "某局",
            "title": "音像记录事项清单",
            "source": "某发〔2026〕1号",
            "action_types": [
                {"key": "penalty", "title": "行政处罚", "title_en": "penalty"},
                {"key": "license", "title": "行政许可", "title_en": "licence"},
            ],
            "items": list(items),
            **changes,
        }
    )


def shot(exhibit: int, word: str | None, start: float | None = None, end: float = 0, **said: Any) -> ExhibitFootage:
    """Return footage of an item from minute to minute."""
    content: dict[str, Any] = {"remark": f"摄录{exhibit}", **said}
    if word is not None:
        content["item"] = word
    return footage_of(
        exhibit=exhibit,
        clip=UUID(int=exhibit),
        recorder="A100001",
        officer="000042",
        recorded_at=None if start is None else at(start),
        shown_at=None if start is None else at(start),
        probe=None if start is None else {"duration_ms": round((end - start) * 60_000)},
        version=1,
        content=content,
    )


def dossier(*statements: dict[str, Any]) -> Dossier:
    """Return a case about which this was said."""
    said = [
        Said(
            row=StatementRow(
                entry_id=UUID(int=1000 + number),
                case_id=UUID(int=9),
                kind=one["kind"],
                content={"statement": one},
                stated_by=STAFF,
                stated_at=at(number),
            ),
            statement=STATEMENT.validate_python(one),
        )
        for number, one in enumerate(statements)
    ]
    return Dossier(title="案", handlers=(), facts=CaseFacts(), said=tuple(said))


def activity(key: str, start: float, end: float) -> dict[str, Any]:
    return {"kind": "activity", "item": key, "starts_at": text(start), "ends_at": text(end), "basis": "现场笔录"}


def gap(key: str, start: float, end: float, reason: str = "电池更换") -> dict[str, Any]:
    return {"kind": "gap", "item": key, "starts_at": text(start), "ends_at": text(end), "reason": reason}


def exemption(key: str, ground: str = "text_record") -> dict[str, Any]:
    said = {"kind": "exemption", "item": key, "ground": ground, "reason": "笔录已全面记录"}
    return said | {"approver": "李主任", "reference": "免予音像记录审批表1号"}


CONCLUDED = {"kind": "conclusion", "on": "2026-03-02"}


async def publish(scribe: Scribe, content: ItemList) -> None:
    """Publish a list that has been in force for long."""
    async with scribe.conn.transaction():
        await publish_list(
            scribe.conn,
            content=content,
            effective_from=date(2020, 1, 1),
            actor=STAFF,
            clock=scribe.clock,
            entropy=scribe.entropy,
        )


async def opened(
    scribe: Scribe, number: str = "1号", *, kind: str | None = None, facts: Mapping[str, object] | None = None
) -> UUID:
    """Open a case of a kind, of which some facts are stated."""
    async with scribe.conn.transaction():
        case = await open_case(
            scribe.conn,
            number=number,
            title="某厂案",
            actor=STAFF,
            clock=scribe.clock,
            entropy=scribe.entropy,
            more=Opening(kind=kind, facts=CaseFacts.model_validate(facts or {})),
        )
    return case.case_id


async def say(scribe: Scribe, case: UUID, said: dict[str, Any]) -> UUID:
    """State something about a case."""
    async with scribe.conn.transaction():
        return await state(
            scribe.conn,
            case_id=case,
            statement=STATEMENT.validate_python(said),
            actor=STAFF,
            clock=scribe.clock,
            entropy=scribe.entropy,
        )


async def keep_case_files(scribe: Scribe, clip: UUID) -> None:
    """Publish a list and keep two cases by it: one about which much is said, one that is archived."""
    await publish(scribe, item_list(item("visit", exemptible=True), item("seizure", mode="full", when="stated")))
    more: dict[str, Any] = {"actor": STAFF, "clock": scribe.clock, "entropy": scribe.entropy}
    concluded = {"kind": "conclusion", "on": "2020-01-02"}
    busy = await opened(scribe, "3号", kind="penalty")
    await scribe.link(busy, clip)
    for said in (exemption("visit"), activity("seizure", 0, 1), gap("seizure", 0, 1), concluded):
        entry = await say(scribe, busy, said)
    await say(scribe, busy, {"kind": "withdrawal", "entry": str(entry), "reason": "误记"})
    async with scribe.conn.transaction():
        amendment = Amendment(reason="更名", title="更名案", handlers=["王五"])
        await amend(scribe.conn, case_id=busy, amendment=amendment, expected_version=1, **more)
        await unlink_clip(scribe.conn, case_id=busy, exhibit=1, reason="错关联", **more)
    done = await opened(scribe, "4号", kind="penalty")
    for said in (exemption("visit"), concluded):
        await say(scribe, done, said)
    async with scribe.conn.transaction():
        await archive_case(scribe.conn, case_id=done, verified={}, **more)
    await say(scribe, done, {"kind": "addendum", "text": "判决维持"})
