"""What the drill prints: adversary, kind, trials, detected, and by which finding codes."""

from __future__ import annotations

from tests.drill.running import Report, Result

_CODES_SHOWN = 3


def render(report: Report, *, seconds: float) -> str:
    """Return the table for a terminal."""
    width = max(len(result.kind.name) for result in report.results)
    lines, adversary = [], None
    for result in report.results:
        if result.kind.adversary is not adversary:
            adversary = result.kind.adversary
            lines += ["", f"{adversary}"]
        mark = " " if not result.missed else "!"
        counts = f"{result.trials:5} {result.detected:5}"
        lines.append(f"{mark} {result.kind.name:{width}} {counts}  {_codes(result)}  [{result.kind.victim}]")
    lines += ["", *_conclusion(report, seconds=seconds)]
    return "\n".join([f"  {'kind':{width}} tried found  by", *lines, ""])


def as_json(report: Report, *, seconds: float) -> dict[str, object]:
    """Return the same as JSON values."""
    return {
        "holds": report.holds,
        "seed": report.seed,
        "trials": report.trials,
        "seconds": round(seconds, 1),
        "honest_runs": report.honest_runs,
        "false_alarms": [{"check": str(victim), "codes": codes} for victim, codes in report.false_alarms],
        "kinds": [
            {
                "adversary": str(result.kind.adversary),
                "kind": result.kind.name,
                "check": str(result.kind.victim),
                "trials": result.trials,
                "detected": result.detected,
                "codes": dict(result.codes.most_common()),
                "missed": result.missed,
            }
            for result in report.results
        ],
    }


def _codes(result: Result) -> str:
    common = [code for code, _ in result.codes.most_common()]
    more = f" +{len(common) - _CODES_SHOWN}" if len(common) > _CODES_SHOWN else ""
    return ", ".join(common[:_CODES_SHOWN]) + more


def _conclusion(report: Report, *, seconds: float) -> list[str]:
    found = sum(result.detected for result in report.results)
    lines = [
        (
            f"{len(report.results)} kinds, {report.trials} trials, {found} detected; "
            f"{report.honest_runs} honest runs, {len(report.false_alarms)} false alarms; "
            f"seed {report.seed}, {seconds:.0f} s"
        )
    ]
    for result in report.results:
        if result.missed:
            lines.append(
                f"NOT DETECTED: {result.kind.adversary}: {result.kind.name}, trials {result.missed} "
                f'(--seed {report.seed} --kinds "{result.kind.name}")'
            )
    lines += [f"FALSE ALARM: {victim}: {', '.join(codes)}" for victim, codes in report.false_alarms]
    return lines
