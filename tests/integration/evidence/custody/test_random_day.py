"""Whatever happens in whatever order: the record replays to the same rows, the index made anew is the same index."""

from __future__ import annotations

import random
from contextlib import suppress
from uuid import UUID

import pytest

from evidence.clips import search_store
from evidence.clips.clips import get_clip
from evidence.custody.replay import replay
from evidence.errors import EvidenceError
from tests.support.payloads import Scribe

WORDS = ["查封", "扣押", "现场检查", "听证", "送达", "ＮＯ.１", "Straße", "100%", "a_b", "㈱", "\U0002a6d6"]


class GivenUpError(EvidenceError):
    """The fault this test injects: a transaction that fails after all is recorded."""


@pytest.mark.parametrize("seed", range(3))
async def test_a_random_day(scribe: Scribe, seed: int) -> None:
    chance = random.Random(seed)
    clips: list[UUID] = []
    cases: list[UUID] = []

    async def seal() -> None:
        clips.append(await scribe.seal(name=chance.choice(WORDS), key_mark=chance.random() < 0.5))

    async def repeat() -> None:
        clip = await get_clip(scribe.conn, chance.choice(clips))
        payload = scribe.sealed(
            clip=str(clip.id), sha256=clip.row.sha256.hex(), root=clip.row.root.hex(), recorder=chance.choice(WORDS)
        )
        await scribe.write("clip.repeated", f"clip:{clip.id}", payload)

    async def derive() -> None:
        outcome = chance.choice(["reviewable", "still", "audio", "undecodable"])
        await scribe.derive(chance.choice(clips), outcome=outcome, attempt=chance.randint(1, 3))

    async def annotate() -> None:
        clip = await get_clip(scribe.conn, chance.choice(clips))
        remark = " ".join(chance.choices(WORDS, k=5))
        await scribe.annotate(clip.id, expected_version=clip.version, remark=remark, place=chance.choice(WORDS))

    async def open_case() -> None:
        cases.append(await scribe.open_case(f"{len(cases)}号", chance.choice(WORDS)))

    async def link() -> None:
        await scribe.link(chance.choice(cases), chance.choice(clips))

    await seal()
    await open_case()
    for _ in range(60):
        step = chance.choice([seal, repeat, derive, annotate, open_case, link])
        if chance.random() < 0.2:
            kept = len(clips), len(cases)
            with suppress(GivenUpError):
                async with scribe.conn.transaction():
                    await step()
                    raise GivenUpError("given up")
            del clips[kept[0] :], cases[kept[1] :]
        else:
            await step()

    assert [difference async for difference in replay(scribe.conn)] == []
    index = "SELECT * FROM search_document ORDER BY clip"
    before = await scribe.conn.fetch(index)
    assert await search_store.rebuild(scribe.conn, batch=7) == len(clips)
    assert await scribe.conn.fetch(index) == before
    entries = await scribe.conn.fetchval("SELECT count(*) FROM ledger_entry")
    assert entries == await scribe.conn.fetchval("SELECT count(*) FROM custody_payload")
