"""Cases and exhibits (R13): numbers without a gap or a duplicate, whoever links at once."""

from __future__ import annotations

import asyncio
import random

import asyncpg
import pytest

from evidence.cases.cases import get_case, link_clip, list_cases, list_exhibits, open_case
from evidence.db.pool import open_pool
from evidence.errors import CaseInvalid, CaseNumberTaken, CaseUnknown, ClipUnknown, EvidenceError
from ledger.canonical import JsonValue
from tests.support.clock import SeededEntropy, SteppingClock
from tests.support.payloads import STAFF, Scribe


async def test_a_case_is_opened_and_found(scribe: Scribe) -> None:
    case_id = await scribe.open_case()
    found = await get_case(scribe.conn, case_id)
    assert (found.number, found.title, found.opened_by) == ("晋环罚〔2026〕1号", "某化工厂违法排污案", STAFF)
    assert found.exhibits == 0


async def test_cases_are_listed_newest_first_in_pages(scribe: Scribe) -> None:
    cases = [await scribe.open_case(f"晋环罚〔2026〕{number}号") for number in range(1, 6)]
    first = await list_cases(scribe.conn, limit=3)
    second = await list_cases(scribe.conn, before=first[-1].case_id, limit=3)
    assert [case.case_id for case in [*first, *second]] == cases[::-1]


async def test_a_number_is_taken_however_it_is_spelled(scribe: Scribe) -> None:
    case_id = await scribe.open_case("晋环罚(2026)1号")
    with pytest.raises(CaseNumberTaken) as caught:
        await scribe.open_case("晋环罚（２０２６） 1号")
    assert caught.value.details["case"] == str(case_id)


async def test_one_number_asked_for_at_once_opens_one_case(
    database: str, clock: SteppingClock, entropy: SeededEntropy
) -> None:
    async with open_pool(database, size_max=8) as pool:

        async def attempt() -> bool:
            async with pool.acquire() as conn, conn.transaction():
                try:
                    await open_case(conn, number="1号", title="案", actor=STAFF, clock=clock, entropy=entropy)
                except CaseNumberTaken:
                    return False
                return True

        assert sum(await asyncio.gather(*(attempt() for _ in range(20)))) == 1


@pytest.mark.parametrize(
    ("number", "title"),
    [
        ("", "案"),
        (" ", "案"),
        ("\u3000", "案"),
        ("1号", ""),
        ("1\n号", "案"),
        ("1号", "案\0"),
        ("1" * 101, "案"),
        ("1号", "案" * 401),
    ],
    ids=repr,
)
async def test_a_case_without_a_usable_number_or_title_is_refused(scribe: Scribe, number: str, title: str) -> None:
    with pytest.raises(CaseInvalid):
        await scribe.open_case(number, title)
    assert not await list_cases(scribe.conn)


async def test_exhibits_are_numbered_from_one_and_a_number_never_moves(scribe: Scribe) -> None:
    case_id = await scribe.open_case()
    clips = [await scribe.seal() for _ in range(3)]
    assert [(await scribe.link(case_id, clip)).exhibit for clip in clips] == [1, 2, 3]
    again = await scribe.link(case_id, clips[1])
    assert (again.exhibit, again.repeated) == (2, True)
    assert [link.clip for link in await list_exhibits(scribe.conn, case_id)] == clips
    assert [link.exhibit for link in await list_exhibits(scribe.conn, case_id, after=1, limit=1)] == [2]
    assert (await get_case(scribe.conn, case_id)).exhibits == 3


async def test_a_clip_may_be_an_exhibit_of_several_cases(scribe: Scribe) -> None:
    clip = await scribe.seal()
    for number in ("1号", "2号"):
        assert (await scribe.link(await scribe.open_case(number), clip)).exhibit == 1


async def test_unknown_cases_and_clips_are_named(scribe: Scribe) -> None:
    case_id, clip = await scribe.open_case(), await scribe.seal()
    with pytest.raises(CaseUnknown):
        await scribe.link(scribe.new_id(), clip)
    with pytest.raises(ClipUnknown):
        await scribe.link(case_id, scribe.new_id())
    with pytest.raises(CaseUnknown):
        await list_exhibits(scribe.conn, scribe.new_id())


async def test_a_hundred_links_at_once_some_given_up_leave_neither_gap_nor_duplicate(
    database: str, scribe: Scribe, clock: SteppingClock, entropy: SeededEntropy
) -> None:
    """R13. Every third transaction fails after its number was given, or is asked for twice."""
    case_id = await scribe.open_case()
    clips = [await scribe.seal() for _ in range(100)]
    chance = random.Random(13)

    class GivenUpError(EvidenceError):
        """The fault that this test injects after the number was given."""

    async with open_pool(database, size_max=10) as pool:

        async def link(number: int) -> None:
            try:
                async with pool.acquire() as conn, conn.transaction():
                    await link_clip(
                        conn, case_id=case_id, clip=clips[number], actor=STAFF, clock=clock, entropy=entropy
                    )
                    if number % 3 == 0:
                        raise GivenUpError("given up")
            except GivenUpError:
                await asyncio.sleep(0)
                async with pool.acquire() as conn, conn.transaction():
                    await link_clip(
                        conn, case_id=case_id, clip=clips[number], actor=STAFF, clock=clock, entropy=entropy
                    )

        turns = [*range(100), *range(0, 100, 7)]
        chance.shuffle(turns)
        await asyncio.gather(*map(link, turns))
    links = await list_exhibits(scribe.conn, case_id, limit=200)
    assert [link.exhibit for link in links] == list(range(1, 101))
    assert {link.clip for link in links} == set(clips)


async def test_the_database_itself_refuses_a_number_twice(scribe: Scribe) -> None:
    case_id = await scribe.open_case()
    await scribe.link(case_id, await scribe.seal())
    payload: dict[str, JsonValue] = {"case": str(case_id), "clip": str(await scribe.seal()), "exhibit": 1}
    with pytest.raises(asyncpg.UniqueViolationError):
        await scribe.write("case.clip_linked", f"case:{case_id}", payload)
