"""Plans of the search: which index answers each of the ten typical questions, and how little it reads.

The archive is small for the office it stands for, and large enough that PostgreSQL chooses as it would there.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from evidence.access.scope import WHOLE, Scope
from evidence.clips.document import DOCUMENT_FORM
from evidence.clips.grams import grams
from evidence.clips.nearby import cells_of
from evidence.clips.page_store import Condition, page_statement
from evidence.clips.query import ClipQuery
from evidence.clips.unit_store import with_units
from tests.support.payloads import Scribe

SIZE = 20_000
START = datetime(2026, 1, 1, tzinfo=UTC)
CONTENT, ORDER, RECORDED = (f"search_document_{name}" for name in ("by_content", "in_order", "by_record_time"))


@pytest.fixture
async def catalogue(scribe: Scribe) -> None:
    """Twenty thousand documents over a year, with words of their own, as intake would have left them."""
    deeds = ["查封", "扣押", "检查", "听证", "送达", "抽样", "询问", "勘验"]
    people = [f"{surname}{given}" for surname in "王李张刘陈杨赵黄" for given in ("建国", "晓东", "秀英", "志强")]
    rows = []
    for number in range(SIZE):
        at = START + timedelta(seconds=number * 1_500)
        recorder = f"a{number * 7 % 500:06}"
        words = [f"dcim/dcam_{recorder}_{at:%Y%m%d_%H%M%S}.mp4", deeds[number % 8]]
        if number % 2:
            words += [f"当事人{people[number * 11 % 32]}在场"]
        if number % 2_000 == 1:
            words += ["渗坑里有氰化物"]
        facets = [
            f"recorder:{recorder}",
            f"officer:{number * 13 % 300:06}",
            f"sha256:{number:064x}",
            f"unit:{number % 40}",
        ]
        facets += ["state:reviewable"] if number % 20 else ["state:still"]
        facets += [] if number % 2 else ["missing:remark"]
        facets += ["marker:credentials_shown"] if number % 3 else []
        place = (39_000_000 + number * 37 % 1_000_000, 112_000_000 + number * 91 % 1_000_000)
        facets += cells_of([place])
        text = "\n".join(words)
        unit = SMALL if number % 2_000 == 3 else UNITS[number * 17 % 40]
        clip = UUID(int=(7 << 76) | number)
        rows.append((clip, at, at, facets, text, grams(text), number, DOCUMENT_FORM, unit, [*place]))
    columns = (
        "clip",
        "received_at",
        "recorded_at",
        "facets",
        "haystack",
        "grams",
        "duration_ms",
        "form",
        "unit",
        "places",
    )
    await scribe.conn.copy_records_to_table("search_document", records=rows, columns=columns)
    for unit, name in ((UNITS[7], "中队"), (SMALL, "小队")):
        await scribe.conn.execute(
            """INSERT INTO unit (entry_id, unit, version, name, registered_at, registered_by)
               VALUES ($1, $1, 1, $2, now(), 'staff:1')""",
            *(unit, name),
        )
    await scribe.conn.execute("VACUUM (ANALYZE) search_document")


PLANS: list[tuple[str, str]] = [
    ("", ORDER),
    ("查封", ORDER),
    ("人", ORDER),
    ("氰化物", CONTENT),
    ("渗", CONTENT),
    ("赵建国 在场 渗坑", CONTENT),
    ("dcam_a000123_202601", CONTENT),
    ("recorder:A000123 查封", CONTENT),
    ("officer:000042 recorded:2026-03", CONTENT),
    ("missing:remark recorded:2026-03-05", RECORDED),
    ("(渗坑 OR 稀释) -marker:亮证 state:reviewable", CONTENT),
    (f"sha256:{77:064x}", CONTENT),
    ("氰化物 -送达", CONTENT),
    ("渗坑 OR recorder:a000077", CONTENT),
    ("recorder:a000077,a000078 (查封 OR 扣押)", CONTENT),
    ("recorded:2026-01-01T08:00", RECORDED),
    ("near:39.3313,112.4329,300m", CONTENT),
    ("findings:recorder", "search_document"),
    ("duration:1s..2s", "search_document_by_duration"),
    ("state:reviewable", ORDER),
    ("unit:中队", ORDER),
    ("unit:小队", "search_document_by_unit"),
    ("unit:中队 渗坑", CONTENT),
    ("unit:中队 recorded:2026-03-05", "search_document_"),
    ("的", CONTENT),
    ("findings:object.altered", "search_document"),
    ("has:open-findings", "search_document_"),
    ("-has:open-findings", ORDER),
]
"""What is asked, and which index must answer it; the ten typical questions come first."""

UNITS = [UUID(int=number + 1) for number in range(40)]
SMALL = UUID(int=99)
SCOPES: list[Scope] = [
    WHOLE,
    Scope(units=frozenset(UNITS[:1]), classes=frozenset()),
    Scope(units=frozenset(UNITS[:20]), classes=None),
    Scope(units=frozenset(UNITS[:3]), cases=frozenset(UNITS[:2]), classes=frozenset(("covert",))),
    Scope(units=None, classes=frozenset()),
]
"""What the asker may find at all."""


@pytest.mark.usefixtures("catalogue")
async def test_r16_each_typical_question_uses_its_index_and_reads_little(scribe: Scribe) -> None:
    for text, index in PLANS:
        plan = await _plan(scribe, text, WHOLE)
        assert index in json.dumps(plan), (text, plan)
        assert not list(_scans(plan, "Seq Scan", "search_document")), text
        assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 2_000, text


@pytest.mark.usefixtures("catalogue")
async def test_r16_what_one_may_see_is_joined_without_losing_an_index(scribe: Scribe) -> None:
    for scope in SCOPES:
        for text, _ in PLANS:
            plan = await _plan(scribe, text, scope)
            assert "search_document_" in json.dumps(plan), (text, scope)
            assert not list(_scans(plan, "Seq Scan", "search_document")), (text, scope)
            assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 4_000, (text, scope, plan)


async def _plan(scribe: Scribe, text: str, scope: Scope) -> dict[str, Any]:
    condition = Condition(wanted=await with_units(scribe.conn, ClipQuery(text=text).tree()), scope=scope)
    statement, values = page_statement(condition, limit=51)
    told = await scribe.conn.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", *values)
    plan = json.loads(told)[0]["Plan"]
    assert isinstance(plan, dict)
    return plan


def _scans(node: dict[str, Any], kind: str, table: str) -> list[dict[str, Any]]:
    own = [node] if node.get("Node Type") == kind and node.get("Relation Name") == table else []
    children = node.get("Plans", [])
    assert isinstance(children, list)
    return own + [scan for child in children for scan in _scans(child, kind, table)]
