"""The drill itself: attack, let the victim look, go back, and now and then let everybody look at the honest house."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from tests.drill.checks import CHECKS, Check
from tests.drill.house import DrillHouse
from tests.drill.kinds import Kind, Victim

_WEIGHTS = {Victim.HOUSE: 1, Victim.LOG: 2, Victim.KEEPER: 2}
_WEIGHT_OF_QUICK_CHECKS = 12
"""A quick check is tried that often for one audit of the house: positions are cheap there."""

HONEST_RUNS_MIN = 50

Progress = Callable[[int, int], None]


class DrillFailed(AssertionError):
    """The drill itself is at fault: an attack that changed nothing, a state that did not come back."""


@dataclass
class Result:
    """What came of one kind.

    Attributes:
        codes: How often each finding code was given.
        missed: Numbers of the trials that nobody noticed; with seed and kind they can be made again.
    """

    kind: Kind
    trials: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    missed: list[int] = field(default_factory=list)

    @property
    def detected(self) -> int:
        """How many trials were noticed."""
        return self.trials - len(self.missed)


@dataclass
class Report:
    """What came of the drill.

    Attributes:
        honest_runs: How often everybody looked at the honest house.
        false_alarms: What they said then, by victim; empty when all is well.
    """

    seed: int
    results: list[Result]
    honest_runs: int = 0
    false_alarms: list[tuple[Victim, list[str]]] = field(default_factory=list)

    @property
    def trials(self) -> int:
        """Trials of all kinds."""
        return sum(result.trials for result in self.results)

    @property
    def holds(self) -> bool:
        """Whether every trial was noticed, and nothing else."""
        return bool(self.results) and not self.false_alarms and not any(result.missed for result in self.results)


def plan(kinds: Sequence[Kind], trials: int) -> list[tuple[Kind, int]]:
    """Spread that many trials, or a few more, over the kinds: more where the check is quick."""
    weights = [_WEIGHTS.get(kind.victim, _WEIGHT_OF_QUICK_CHECKS) for kind in kinds]
    return [(kind, max(1, -(-trials * weight // sum(weights)))) for kind, weight in zip(kinds, weights, strict=True)]


async def drill(
    house: DrillHouse,
    planned: Sequence[tuple[Kind, int]],
    *,
    seed: int,
    honest_runs: int = HONEST_RUNS_MIN,
    checks: Mapping[Victim, Check] = CHECKS,
    progress: Progress = lambda _done, _all: None,
) -> Report:
    """Carry out a plan and return what came of it.

    Args:
        honest_runs: Spread between the trials, the first before and the last after all of them.
        checks: By victim; another mapping tells whether the drill can fail.

    Raises:
        DrillFailed: An attack changed nothing.
    """
    report = Report(seed, [Result(kind) for kind, _ in planned])
    of = sum(count for _, count in planned)
    due = [round(number * of / max(1, honest_runs - 1)) for number in range(honest_runs)]
    done = 0
    await _honest_runs(house, report, due.count(0), checks)
    for result, (kind, count) in zip(report.results, planned, strict=True):
        for number in range(count):
            codes = await _trial(house, kind, number, seed=seed, check=checks[kind.victim])
            result.trials += 1
            result.codes.update(codes)
            if not codes:
                result.missed.append(number)
            done += 1
            await _honest_runs(house, report, due.count(done), checks)
            progress(done, of)
    return report


async def _trial(house: DrillHouse, kind: Kind, number: int, *, seed: int, check: Check) -> list[str]:
    chance = Random(f"{seed}/{kind.adversary}/{kind.name}/{number}")
    try:
        await kind.attack(house, chance)
        return await check(house)
    finally:
        if not await house.baseline.restore(rows=kind.rows):
            raise DrillFailed(f"{kind.name}, trial {number} of seed {seed}: nothing was changed")


async def _honest_runs(house: DrillHouse, report: Report, count: int, checks: Mapping[Victim, Check]) -> None:
    for _ in range(count):
        for victim, check in checks.items():
            if codes := await check(house):
                report.false_alarms.append((victim, codes))
        report.honest_runs += 1
