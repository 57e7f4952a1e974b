"""Comparison on record: honest recorders leave no entry, holes are named once, and the record replays."""

from __future__ import annotations

from datetime import timedelta

import pytest

from evidence.custody.replay import replay
from evidence.recorders import meanings, store
from evidence.recorders.register import explain_finding
from tests.support.parties import paper_dock
from tests.support.sequences import RECORDER, Office


async def codes(office: Office) -> list[str]:
    return [row.code for row in await store.findings_of(office.conn, RECORDER, before=None, limit=100)]


async def test_an_honest_recorder_over_five_dockings_at_two_docks_leaves_no_finding(office: Office) -> None:
    for seed in (1, 1, 2, 1, 2):
        office.recorder.a_day()
        assert await office.dock(seed) == ()
    assert await office.comparisons() == 0


async def test_a_file_deleted_before_docking_is_a_gap_with_neighbours_and_seconds(office: Office) -> None:
    office.recorder.record(segments=2)
    await office.dock()
    office.recorder.record(segments=5)
    left, gone, right = office.recorder.card[1:4]
    office.recorder.card.remove(gone)
    (found,) = await office.dock()
    assert found.code == meanings.NUMBERS_MISSING
    (row,) = await store.findings_of(office.conn, RECORDER, before=None, limit=100)
    assert (row.code, row.facts["seconds"], row.is_open) == (meanings.NUMBERS_MISSING, 300, True)
    assert (row.facts["before"]["path"], row.facts["after"]["path"]) == (left.path, right.path)
    assert (row.facts["first_missing"], row.facts["last_missing"]) == (5, 5)
    assert await store.open_findings(office.conn, [RECORDER, "other"]) == {RECORDER: 1}
    assert [difference async for difference in replay(office.conn)] == []


async def test_the_same_inventory_again_is_compared_once(office: Office) -> None:
    office.recorder.record(segments=3)
    del office.recorder.card[1]
    dock = paper_dock()
    inventory = office.inventory(dock)
    for _ in range(3):
        await office.take(inventory, dock)
    assert await office.comparisons() == 1


async def test_what_vanished_is_settled_when_it_was_sealed_after_all(office: Office) -> None:
    office.recorder.record(segments=3)
    late = office.recorder.card[1]
    dock = paper_dock()
    before = office.inventory(dock)
    await office.take(before, dock)
    await office.seal(before, [office.recorder.card[0], office.recorder.card[2]])
    office.recorder.card.clear()
    office.recorder.record(segments=1)
    (found,) = await office.dock()
    assert found.code == meanings.FILE_VANISHED
    assert found.facts["count"] == 1
    await office.seal(before, [late])
    (row,) = await store.findings_of(office.conn, RECORDER, before=None, limit=100)
    assert row.settled
    assert not row.is_open
    assert await store.open_findings(office.conn, [RECORDER]) == {}


async def test_an_explanation_closes_a_finding_and_keeps_it(office: Office) -> None:
    office.recorder.record(segments=3)
    del office.recorder.card[1]
    await office.dock()
    (row,) = await store.findings_of(office.conn, RECORDER, before=None, limit=100)
    async with office.conn.transaction():
        await explain_finding(
            office.conn,
            recorder=RECORDER,
            finding=row.entry_id,
            place=row.place,
            text="测试时删除",
            actor="service",
            clock=office.clock,
            entropy=office.entropy,
        )
    (row,) = await store.findings_of(office.conn, RECORDER, before=None, limit=100)
    assert [one["text"] for one in row.explanations] == ["测试时删除"]
    assert await store.open_findings(office.conn, [RECORDER]) == {}
    assert [difference async for difference in replay(office.conn)] == []


async def test_an_inventory_that_arrives_late_takes_its_place_and_settles_the_gap(office: Office) -> None:
    office.recorder.record(segments=2)
    await office.dock(1)
    office.recorder.record(segments=2)
    offline = paper_dock(2)
    late = office.inventory(offline)
    held = list(office.recorder.card)
    office.recorder.card.clear()
    office.recorder.record(segments=2)
    (found,) = await office.dock(1)
    assert (found.code, found.facts["count"]) == (meanings.NUMBERS_MISSING, 2)
    assert await office.take(late, offline) == ()
    # What the other dock saw has not been sealed yet, and is not on the card any more: that is what is known now.
    assert await codes(office) == [meanings.FILE_VANISHED]
    await office.seal(late, held)
    (row,) = await store.findings_of(office.conn, RECORDER, before=None, limit=100)
    assert row.settled
    assert await office.comparisons() == 2
    assert [difference async for difference in replay(office.conn)] == []


@pytest.mark.parametrize("ahead_hours", [-30, 0, 30])
async def test_the_order_is_by_the_services_clock_whatever_docks_think_it_is(office: Office, ahead_hours: int) -> None:
    wrong = paper_dock(2)
    office.recorder.record(segments=2)
    await office.dock(1)
    office.recorder.record(segments=2)
    inventory = office.inventory(wrong, ahead=timedelta(hours=ahead_hours))
    assert await office.take(inventory, wrong) == ()
    await office.seal(inventory, office.recorder.card)
    office.recorder.card.clear()
    office.recorder.now += timedelta(hours=3)
    office.recorder.record(segments=2)
    assert await office.dock(1) == ()


async def test_a_recorder_that_two_docks_hold_at_once_is_named(office: Office) -> None:
    office.recorder.record(segments=1)
    one, other = paper_dock(1), paper_dock(2)
    first = office.inventory(one)
    assert await office.take(first, one) == ()
    found = await office.take(office.inventory(other, at=first.seen_at), other)
    assert [observation.code for observation in found] == [meanings.TWO_DOCKS]


async def test_inventories_of_the_first_version_are_compared_too(office: Office) -> None:
    office.recorder.record(segments=2)
    assert await office.dock(with_docking=False) == ()
    office.recorder.record(segments=3)
    del office.recorder.card[1]
    assert [one.code for one in await office.dock(with_docking=False)] == [meanings.NUMBERS_MISSING]
    assert [difference async for difference in replay(office.conn)] == []
