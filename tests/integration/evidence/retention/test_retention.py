"""Schedules and holds on record, and what they mean for clips that grow old."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from evidence.errors import CaseUnknown, ClipUnknown
from evidence.parties.errors import NameInvalid
from evidence.retention.errors import (
    AppraisalDecided,
    AppraisalUnknown,
    FourEyesRequired,
    HoldReleasedAlready,
    HoldUnknown,
    NotDue,
    RetentionInvalid,
)
from evidence.retention.holds import holds_on
from evidence.retention.rules import State
from evidence.retention.schedules import Keeper, clip_retention
from tests.support.payloads import Scribe
from tests.support.retention import APPRAISER, APPROVER, TERM, hold, propose, release, schedule, settle
from tests.support.small_house import CONTENTS, RECORDER, SmallHouse

FIRST, SECOND, STILL = CONTENTS


async def state(house: SmallHouse, name: str) -> State:
    async with house.pool.acquire() as conn:
        return (await clip_retention(conn, house.clips[name], clock=house.clock)).state


async def due(house: SmallHouse) -> set[str]:
    names = {clip: name for name, clip in house.clips.items()}
    async with house.pool.acquire() as conn:
        found, more = await (await Keeper.read(conn, clock=house.clock)).due(conn, after=None, limit=10)
    assert more is None
    return {names[facts.clip] for facts, _ in found}


async def test_clips_expire_by_schedule_and_evidence_of_a_case_never(house: SmallHouse) -> None:
    assert await state(house, SECOND) is State.PERMANENT, "nobody has stated a schedule"
    await schedule(house)
    assert await state(house, SECOND) is State.KEPT
    assert await due(house) == set()
    house.clock.advance(TERM)
    assert await state(house, SECOND) is State.EXPIRED
    assert await state(house, FIRST) is State.PERMANENT
    assert await due(house) == {SECOND, STILL}


HOLDS: list[tuple[dict[str, Any], set[str]]] = [
    ({"clip": SECOND}, {SECOND}),
    ({"recorder": RECORDER}, {SECOND, STILL}),
    ({"recorder": RECORDER, "since": timedelta(days=-1), "until": timedelta(days=1)}, {SECOND, STILL}),
    ({"recorder": RECORDER, "since": timedelta(days=1)}, set()),
    ({"recorder": RECORDER, "until": timedelta(days=-1)}, set()),
    ({"recorder": "another"}, set()),
]


async def test_a_hold_keeps_what_it_is_about_until_another_person_releases_it(house: SmallHouse) -> None:
    start = house.clock()
    await schedule(house)
    house.clock.advance(TERM)
    for about, keeps in HOLDS:
        placed = await hold(house, **meant(house, start, about))
        assert await due(house) == {SECOND, STILL} - keeps, about
        for name in keeps:
            assert await state(house, name) is State.HELD
            async with house.pool.acquire() as conn:
                assert [one.hold for one in await holds_on(conn, house.clips[name])] == [placed]
        with pytest.raises(FourEyesRequired):
            await release(house, placed, actor=APPRAISER)
        await release(house, placed)
        with pytest.raises(HoldReleasedAlready):
            await release(house, placed)
        assert await due(house) == {SECOND, STILL}


def meant(house: SmallHouse, start: datetime, about: dict[str, Any]) -> dict[str, Any]:
    """Put times and ids in the place of what stands for them."""
    given: dict[str, Any] = {key: start + one if isinstance(one, timedelta) else one for key, one in about.items()}
    for key in ("clip", "case"):
        if isinstance(given.get(key), str):
            given[key] = house.clips.get(given[key], house.new_id())
    return given


async def test_a_hold_on_a_case_is_a_hold_on_its_clips(house: SmallHouse) -> None:
    async with house.pool.acquire() as conn:
        scribe = Scribe(conn=conn, clock=house.clock, entropy=house.entropy)
        case = await scribe.open_case(number="晋环罚〔2026〕9号")
        await scribe.link(case, house.clips[SECOND])
        placed = await hold(house, case=case)
        assert [one.hold for one in await holds_on(conn, house.clips[SECOND])] == [placed]
        assert await holds_on(conn, house.clips[STILL]) == ()


WRONG_HOLDS: list[tuple[dict[str, Any], type[Exception]]] = [
    ({}, RetentionInvalid),
    ({"clip": SECOND, "recorder": RECORDER}, RetentionInvalid),
    ({"clip": SECOND, "since": timedelta(0)}, RetentionInvalid),
    ({"recorder": RECORDER, "since": timedelta(1), "until": timedelta(0)}, RetentionInvalid),
    ({"recorder": ""}, NameInvalid),
    ({"recorder": "a\0b"}, NameInvalid),
    ({"case": "unknown"}, CaseUnknown),
    ({"clip": "unknown"}, ClipUnknown),
]

WRONG_SCHEDULES: list[dict[str, Any]] = [
    {"months": 5},
    {"effective_from": "2026-03-01"},
    {"effective_from": "tomorrow"},
    {"rules": [{"item": "x"}]},
    {"rules": [{"item": None, "case_kind": None, "key_mark": None, "months": 3, "citation": "x"}]},
    {"citation": ""},
    {"more": 1},
    {"rules": [{}] * 501},
]


async def test_what_breaks_its_form_is_refused(house: SmallHouse) -> None:
    for about, error in WRONG_HOLDS:
        with pytest.raises(error):
            await hold(house, **meant(house, house.clock(), about))
    with pytest.raises(HoldUnknown):
        await release(house, house.new_id())
    for changes in WRONG_SCHEDULES:
        with pytest.raises(RetentionInvalid):
            await schedule(house, **changes)


async def test_a_list_is_taken_whole_or_not_at_all(house: SmallHouse) -> None:
    await schedule(house)
    with pytest.raises(NotDue):
        await propose(house, [house.clips[SECOND]])
    house.clock.advance(TERM)
    with pytest.raises(NotDue) as refused:
        await propose(house, [house.clips[SECOND], house.clips[FIRST], house.new_id()])
    assert set(refused.value.details["clips"]) >= {str(house.clips[FIRST])}  # type: ignore[call-overload]
    for wrong in ([], [house.clips[SECOND]] * 2):
        with pytest.raises(NotDue):
            await propose(house, wrong)


async def test_two_different_people_decide_once(house: SmallHouse) -> None:
    await schedule(house)
    house.clock.advance(TERM)
    appraisal = await propose(house, [house.clips[SECOND]])
    with pytest.raises(FourEyesRequired):
        await settle(house, appraisal, actor=APPRAISER)
    await settle(house, appraisal, actor=APPROVER, approve=False)
    with pytest.raises(AppraisalDecided):
        await settle(house, appraisal)
    with pytest.raises(AppraisalUnknown):
        await settle(house, house.new_id())
