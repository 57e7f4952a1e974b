"""Questions of strangers, pages under arrivals, and the page about the language: everything in bounded time."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evidence.clips import page_store
from evidence.clips.language import parse
from evidence.clips.query import ClipQuery
from evidence.clips.search import list_clips
from evidence.errors import SearchInvalid, SearchTooSlow
from tests.support.payloads import Scribe

PAGE = Path("docs/search.md")

HOSTILE = [
    "x" * 10_000,
    "(" * 500,
    "(" * 8 + "a" + ")" * 8,
    "((((((((((a))))))))))",
    "-" * 500,
    "a OR " * 100,
    " ".join(f"-w{number}" for number in range(20)),
    " OR ".join(f"-w{number}" for number in range(20)),
    "%" * 400,
    "_" * 400,
    "\\" * 400,
    "%_%_%_%_%_%_%_%_%_" * 20,
    "a%" * 200,
    "'; DROP TABLE clip; --",
    '" OR 1=1 --',
    "recorder:' OR '1'='1",
    "unit:') OR true --",
    "item:{a,b}",
    "item:{}",
    "item:NULL",
    "$1 $2 {} {0}",
    "\ufeff\u200b\u202e查封",
    "𠮷" * 200,
    "é" * 200 + "e\u0301" * 100,
    "查" * 500,
    "near:90,0,1m",
    "recorded:0001",
    "recorded:9999-12-31",
    "size:>999999999TB",
    "duration:..0",
    ",".join(["recorder:a", *["b"] * 200]),
]
"""What may be refused, or answered; never anything else, and never for long."""


async def test_hostile_questions_are_refused_or_answered_in_bounded_time(
    scribe: Scribe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_store, "PAGE_MILLISECONDS_MAX", 1_000)
    await scribe.annotate(await scribe.seal(), remark="查封")
    answered = 0
    for text in HOSTILE:
        try:
            await list_clips(scribe.conn, ClipQuery(text=text))
            answered += 1
        except SearchInvalid:
            continue
    assert answered >= len(HOSTILE) // 3


async def test_a_search_that_takes_too_long_is_given_up(scribe: Scribe, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = page_store._SUMMARIES.replace("ORDER BY d.", "ORDER BY pg_sleep(30)::text, d.", 1)
    await scribe.seal()
    with monkeypatch.context() as patch:
        patch.setattr(page_store, "_SUMMARIES", slow)
        patch.setattr(page_store, "PAGE_MILLISECONDS_MAX", 50)
        async with scribe.conn.transaction():
            with pytest.raises(SearchTooSlow):
                await list_clips(scribe.conn)
            assert await scribe.conn.fetchval("SELECT 1") == 1, "the caller's transaction goes on"
    assert len((await list_clips(scribe.conn)).items) == 1


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    before=st.lists(st.integers(0, 4), min_size=1, max_size=12),
    arrivals=st.lists(st.integers(0, 5), max_size=8),
    limit=st.integers(1, 5),
)
async def test_r16_no_clip_stands_on_two_pages_and_none_is_lost_while_others_arrive(
    scribe: Scribe, before: list[int], arrivals: list[int], limit: int
) -> None:
    await scribe.conn.execute("TRUNCATE search_document")
    there = {await _arrive(scribe, day) for day in before}
    seen: list[UUID] = []
    cursor, coming = None, list(arrivals)
    while True:
        page = await list_clips(scribe.conn, ClipQuery(text="dcam"), cursor=cursor, limit=limit)
        seen += [item.clip for item in page.items]
        if coming:
            await _arrive(scribe, coming.pop())
        if page.next is None:
            break
        cursor = page.next
    assert len(seen) == len(set(seen))
    assert there <= set(seen)


async def _arrive(scribe: Scribe, day: int) -> UUID:
    return await scribe.seal(received_at=f"2026-03-0{1 + day}T00:00:00.000Z")


async def test_every_example_of_the_page_can_be_asked(scribe: Scribe) -> None:
    text = PAGE.read_text(encoding="utf-8")
    block = [line.strip() for line in re.findall("^    (.+)$", text, re.MULTILINE)]
    examples = [re.split(r"\s{2,}", line)[0] for line in block]
    table = re.findall(r"\| `([^`]+)` \|$", text, re.MULTILINE)
    assert len(examples) >= 8
    assert len(table) >= 20
    for example in [*examples, *table]:
        assert parse(example) is not None
        await list_clips(scribe.conn, ClipQuery(text=example))
