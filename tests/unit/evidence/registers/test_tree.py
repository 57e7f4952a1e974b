"""The tree of units in memory: found as the rows say, and above a unit stands on every day what the versions say."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from evidence.registers.tree import UnitTree
from evidence.registers.unit_store import Unit
from evidence.registers.validity import Validity, counting

FIRST = date(2026, 1, 1)


def version(number: int, *, of: int = 1, name: str = "", parent: int | None = None, since: date | None = None) -> Unit:
    return Unit(
        unit=UUID(int=number),
        version=of,
        code=f"{number:012}",
        name=name or f"{number}队",
        parent=None if parent is None else UUID(int=parent),
        valid_from=since,
        valid_until=None,
        registered_at=datetime(2026, 1, 1, tzinfo=UTC),
        registered_by="service",
    )


def above(versions: Sequence[Unit], unit: UUID, day: date) -> list[UUID]:
    """Walk up from a unit, looking at every version each time."""
    chain = [unit]
    while True:
        counts = counting([one for one in versions if one.unit == chain[-1]], day)
        if counts is None or counts.parent is None or counts.parent in chain:
            return chain
        chain.append(counts.parent)


def test_a_unit_is_called_what_it_is_called_now_and_its_codes_stay_its_own() -> None:
    tree = UnitTree()
    assert not tree
    tree.add(version(1, name="旧队"))
    tree.add(version(1, of=2, name="新队"))
    tree.add(version(2, name="新队"))
    assert tree
    assert tree.called("旧队") == []
    assert [one.unit.int for one in tree.called("新队")] == [1, 2]
    assert [one.version for one in tree.called("000000000001")] == [2]
    other = tree.with_code("000000000001", but=UUID(int=2))
    assert other is not None
    assert other.name == "新队"
    assert tree.with_code("000000000001", but=UUID(int=1)) is None
    assert tree.with_code(None, but=UUID(int=1)) is None


def test_what_stands_above_a_unit_is_told_for_every_day_on_which_it_changes() -> None:
    for seed in range(60):
        chance = random.Random(seed)
        counts = dict.fromkeys(range(1, 9), 0)
        versions = []
        for _ in range(24):
            number = chance.randrange(1, 9)
            counts[number] += 1
            since = chance.choice([None, FIRST + timedelta(days=chance.randrange(20))])
            parent = chance.choice([None, *range(1, 9)])
            versions.append(version(number, of=counts[number], parent=parent, since=since))
        chains = dict(UnitTree.of(versions).chains(UUID(int=1), Validity(first=FIRST)))
        told: list[UUID] = []
        for day in (FIRST + timedelta(days=n) for n in range(22)):
            told = chains.get(day, told)
            assert told == above(versions, UUID(int=1), day), (seed, day)
