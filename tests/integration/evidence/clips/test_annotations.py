"""Annotating: versions follow each other, nobody overwrites what they have not seen."""

from __future__ import annotations

import asyncio

import pytest

from evidence.clips.annotations import annotate, list_annotations
from evidence.clips.clips import get_clip
from evidence.clips.content import read_content
from evidence.db.pool import Pool, open_pool
from evidence.errors import AnnotationInvalid, AnnotationStale, ClipUnknown
from tests.support.clock import SeededEntropy, SteppingClock
from tests.support.payloads import STAFF, Scribe


async def test_versions_follow_each_other_and_none_is_lost(scribe: Scribe) -> None:
    clip = await scribe.seal()
    first = await scribe.annotate(clip, remark="第一版")
    second = await scribe.annotate(clip, expected_version=1, remark="第二版")
    assert (first.version, second.version) == (1, 2)
    versions = await list_annotations(scribe.conn, clip)
    assert [(row.version, row.content) for row in versions] == [(2, {"remark": "第二版"}), (1, {"remark": "第一版"})]
    assert [row.version for row in await list_annotations(scribe.conn, clip, before=2)] == [1]
    found = await get_clip(scribe.conn, clip)
    assert found.version == 2
    assert found.annotation is not None
    assert found.annotation.annotated_by == STAFF


@pytest.mark.parametrize("expected", [-1, 0, 2, 3])
async def test_whoever_has_not_seen_the_newest_version_is_told_which_it_is(scribe: Scribe, expected: int) -> None:
    clip = await scribe.seal()
    await scribe.annotate(clip, remark="第一版")
    with pytest.raises(AnnotationStale) as caught:
        await scribe.annotate(clip, expected_version=expected, remark="迟到")
    assert caught.value.details["version"] == 1
    assert len(await list_annotations(scribe.conn, clip)) == 1


async def test_a_clip_nobody_knows_cannot_be_annotated(scribe: Scribe) -> None:
    with pytest.raises(ClipUnknown):
        await scribe.annotate(scribe.new_id(), remark="空")
    with pytest.raises(ClipUnknown):
        await list_annotations(scribe.conn, scribe.new_id())


async def test_words_that_are_not_in_force_leave_no_trace(scribe: Scribe) -> None:
    clip = await scribe.seal()
    with pytest.raises(AnnotationInvalid):
        await scribe.annotate(clip, markers=[{"kind": "never_heard_of", "at_ms": 0}])
    assert not await list_annotations(scribe.conn, clip)


async def test_a_hundred_annotators_at_once_lose_no_update(
    database: str, scribe: Scribe, clock: SteppingClock, entropy: SeededEntropy
) -> None:
    clip = await scribe.seal()

    async def add_marker(pool: Pool, at_ms: int) -> None:
        """Read, change, write, and begin again when somebody was faster."""
        while True:
            async with pool.acquire() as conn, conn.transaction():
                row = await get_clip(conn, clip)
                content = dict(row.annotation.content) if row.annotation else {}
                markers = [*content.get("markers", []), {"kind": "other", "at_ms": at_ms}]  # type: ignore[misc]
                try:
                    await annotate(
                        conn,
                        clip=clip,
                        content=read_content(content | {"markers": markers}),
                        expected_version=row.version,
                        actor=STAFF,
                        clock=clock,
                        entropy=entropy,
                    )
                except AnnotationStale:
                    continue
                return

    async with open_pool(database, size_max=8) as pool:
        await asyncio.gather(*(add_marker(pool, number) for number in range(100)))
    found = await get_clip(scribe.conn, clip)
    assert found.version == 100
    assert found.annotation is not None
    markers = found.annotation.content["markers"]
    assert isinstance(markers, list)
    assert sorted(marker["at_ms"] for marker in markers) == list(range(100))
