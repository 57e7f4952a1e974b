"""The whole trail (F 6): from what became of a case back to the serial, forwards from a clip, as JSON and picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID
from xml.etree import ElementTree

import pytest

from evidence.custody.history import CustodyLine
from evidence.errors import CaseUnknown
from evidence.export.case_trail import case_trail
from evidence.export.trail import read_history, trail_of
from evidence.export.trail_picture import case_picture, clip_picture
from ledger.canonical import JsonObject
from tests.support.archived_cases import archived_case
from tests.support.packages import make, order
from tests.support.payloads import Scribe
from tests.support.small_house import CONTENTS, SmallHouse


async def publish_decision(house: SmallHouse, case: UUID) -> None:
    """Tell the public of a decision of the case, and withdraw it."""
    publication = str(house.new_id())
    fields = {"decision": "罚款五万元"}
    issued: JsonObject = {
        "schema": "shilu-publication-1",
        "publication": publication,
        "version": 1,
        "form": "penalty",
        "kind": "decision",
        "fields": fields,
        "case": str(case),
        "decided_on": "2026-03-09",
        "effective_from": None,
        "until": None,
    }
    await house.write("publication.published", f"publication:{publication}", issued)
    gone: JsonObject = {"publication": publication, "version": 1, "cause": "erroneous", "reason": "金额有误"}
    await house.write("publication.withdrawn", f"publication:{publication}", gone)


async def everything(lines: Sequence[CustodyLine]) -> list[CustodyLine]:
    return list(lines)


async def trail_for(house: SmallHouse, case: UUID, *, hidden: Sequence[UUID] = (), after: int = 0) -> Any:
    async def may(clips: Sequence[UUID]) -> set[UUID]:
        return set(clips) - set(hidden)

    async with house.pool.acquire() as conn:
        return await case_trail(conn, case, may=may, see=everything, after=after, limit=1)


async def test_from_a_publication_back_to_the_serial_and_the_first_digest(house: SmallHouse) -> None:
    case = await archived_case(house)
    await publish_decision(house, case)
    await house.publish()
    await make(house, await order(house, case=case))
    trail = await trail_for(house, case)
    assert [act["type"] for act in trail["acts"]] == [
        *("case.opened", "case.archived", "publication.published", "publication.withdrawn", "case.exported"),
    ]
    assert None not in [act["index"] for act in trail["acts"]]
    (exhibit,) = trail["exhibits"]
    assert exhibit["exhibit"] == 1
    source = exhibit["trail"]["sources"][0]
    assert source["recorder"] == source["inventory"]["recorder"] == "4A00123"
    assert source["first_digest"]["sha256"] == exhibit["trail"]["original"]["sha256"]
    assert trail["next"] == 1
    assert [one["exhibit"] for one in (await trail_for(house, case, after=1))["exhibits"]] == [2]


async def test_forwards_from_a_clip_to_all_that_used_it(house: SmallHouse) -> None:
    case = await archived_case(house)
    await publish_decision(house, case)
    async with house.pool.acquire() as conn:
        history = await read_history(conn, house.clips["1号检查"])
        stranger = await read_history(conn, house.clips[list(CONTENTS)[2]])
        early = await read_history(conn, house.clips[next(iter(CONTENTS))], log_size=3)
    types = [act["type"] for act in trail_of(history)["acts"]]  # type: ignore[union-attr,call-overload,index]
    assert types == ["case.opened", "case.archived", "publication.published", "publication.withdrawn"]
    assert trail_of(stranger)["acts"] == []
    assert early.acts == ()


async def test_exhibits_that_one_may_not_know_of_are_counted_and_not_told(house: SmallHouse) -> None:
    case = await archived_case(house)
    trail = await trail_for(house, case, hidden=[house.clips["1号检查"]])
    assert (trail["exhibits"], trail["withheld"]) == ([], 1)
    with pytest.raises(CaseUnknown):
        await trail_for(house, house.new_id())


async def test_the_picture_is_the_same_bytes_and_holds_what_the_trail_says(house: SmallHouse) -> None:
    case = await archived_case(house)
    await publish_decision(house, case)
    await house.publish()
    trail = await trail_for(house, case)
    drawn = case_picture(trail)
    assert drawn == case_picture(await trail_for(house, case))
    words = list(ElementTree.fromstring(drawn).itertext())
    for word in (
        "4A00123",
        "一楼采集站",
        "采集站先行签名",
        "1号检查.mp4",
        "证据 1 号",
        "归档",
        "向社会公开",
        "撤回公开",
    ):
        assert word in words, word
    async with house.pool.acquire() as conn:
        alone = clip_picture(trail_of(await read_history(conn, house.clips[list(CONTENTS)[2]])))
    assert "未入案" in alone


@pytest.mark.parametrize("name", ["<script>x</script>", "a&b\"'", "\u202egpj.exe", "长" * 200, "\x1b[31m", " "])
async def test_peoples_words_stay_words_in_the_picture(house: SmallHouse, name: str) -> None:
    clip = await house.seal(name, name.encode())
    async with house.pool.acquire() as conn:
        await Scribe(conn=conn, clock=house.clock, entropy=house.entropy).link(await archived_open(conn), clip)
        drawn = clip_picture(trail_of(await read_history(conn, clip)))
    root = ElementTree.fromstring(drawn)
    assert {element.tag.rpartition("}")[2] for element in root.iter()} == {
        *("svg", "title", "style", "rect", "text", "path"),
    }
    assert "\u202e" not in drawn
    assert "\x1b" not in drawn


async def archived_open(conn: Any) -> UUID:
    case: UUID = await conn.fetchval("SELECT case_id FROM case_file ORDER BY entry_id")
    return case
