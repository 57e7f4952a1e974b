"""The tamper drill finds everything, and would say so if it did not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from tests.drill.__main__ import main
from tests.drill.catalogue import KINDS, chosen
from tests.drill.checks import CHECKS
from tests.drill.house import DrillHouse, open_on
from tests.drill.kinds import Adversary, Kind, Victim
from tests.drill.running import DrillFailed, drill, plan
from tests.drill.table import as_json, render

SEED = 3


@pytest.fixture
async def house(postgres: str, tmp_path: Path) -> AsyncIterator[DrillHouse]:
    """A house just large enough for receipts and exports."""
    async with open_on(postgres, tmp_path / "house", entries=150, clips=6, seed=SEED) as opened:
        yield opened


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_every_kind_is_noticed_and_nothing_else(postgres: str, tmp_path: Path) -> None:
    async with open_on(postgres, tmp_path / "house", entries=900, clips=12, seed=SEED) as house:
        report = await drill(house, [(kind, 2) for kind in KINDS], seed=SEED, honest_runs=5)
    assert report.holds, render(report, seconds=0)
    assert report.trials == 2 * len(KINDS)
    assert report.honest_runs == 5


async def test_a_blind_victim_is_reported(house: DrillHouse) -> None:
    async def blind(_: DrillHouse) -> list[str]:
        return []

    kinds = chosen(["dock's receipt: payload altered", "object: deleted"])
    checks = {**CHECKS, Victim.HOUSE: blind}
    report = await drill(house, [(kind, 2) for kind in kinds], seed=SEED, honest_runs=2, checks=checks)
    assert not report.holds
    assert {result.kind.name: result.missed for result in report.results} == {
        "object: deleted": [0, 1],
        "dock's receipt: payload altered": [],
    }
    assert "NOT DETECTED: storage admin: object: deleted, trials [0, 1]" in render(report, seconds=0)
    assert as_json(report, seconds=0)["holds"] is False


async def test_a_victim_who_cries_wolf_is_reported(house: DrillHouse) -> None:
    async def nervous(_: DrillHouse) -> list[str]:
        return ["something.odd"]

    report = await drill(
        house, [(chosen(["object: deleted"])[0], 1)], seed=SEED, honest_runs=1, checks={Victim.HOUSE: nervous}
    )
    assert not report.holds
    assert report.false_alarms == [(Victim.HOUSE, ["something.odd"])]
    assert "FALSE ALARM: audit of the house: something.odd" in render(report, seconds=0)


async def test_an_attack_that_changes_nothing_is_no_trial(house: DrillHouse) -> None:
    async def idle(_house: DrillHouse, _chance: Random) -> None:
        return

    kind = Kind(Adversary.STORAGE, "idle", idle, Victim.DOCK)
    with pytest.raises(DrillFailed, match="nothing was changed"):
        await drill(house, [(kind, 1)], seed=SEED, honest_runs=0)


async def test_what_is_put_right_is_the_honest_state(house: DrillHouse) -> None:
    assert await house.baseline.restore(rows=True) == 0
    for check in CHECKS.values():
        assert await check(house) == []


def test_kinds_have_names_of_their_own_and_every_adversary_has_some() -> None:
    names = [(kind.adversary, kind.name) for kind in KINDS]
    assert len(set(names)) == len(names) >= 40
    assert {kind.adversary for kind in KINDS} == set(Adversary)
    assert {kind.victim for kind in KINDS} == set(Victim) == set(CHECKS)


def test_a_plan_tries_every_kind_and_keeps_to_the_number() -> None:
    planned = plan(KINDS, 2000)
    assert [kind for kind, _ in planned] == list(KINDS)
    assert 2000 <= sum(count for _, count in planned) <= 2000 + len(KINDS)
    assert min(count for _, count in planned) >= 1


def test_a_kind_that_nobody_knows_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--kinds", "no such kind"]) == 2
    assert "no kind" in capsys.readouterr().err


async def test_the_second_store_has_its_own_drill(house: DrillHouse) -> None:
    kinds = [kind for kind in KINDS if kind.adversary is Adversary.SECOND]
    report = await drill(house, [(kind, 2) for kind in kinds], seed=SEED, honest_runs=2)
    assert report.holds, render(report, seconds=0)
    assert {code for result in report.results for code in result.codes} == {
        "copy.missing",
        "copy.altered",
        "copy.unlocked",
        "copy.unnamed",
    }
