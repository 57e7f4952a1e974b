"""Which facts of a case count for the scope of review (R26). Pure.

A fact that puts a case in scope cannot be talked away by whoever handles it: every value that was ever stated counts,
not only the last. A hearing that was held stays held, an amount that was stated once stays a possible amount. What was
stated by mistake is corrected by somebody who reviews and did not work on the case, with a reason; then what was stated
up to that version of the case does not count any more, and what the handlers state later does again.

The order is that of the case's versions, which its payloads name, and not of any clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from evidence.cases.facts import CaseFacts
from evidence.review.rules import FactValue

FACT_NAMES = tuple(CaseFacts.model_fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedFacts:
    """All facts as one version of the case states them."""

    version: int
    facts: CaseFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What was stated of a fact up to a version of the case was a mistake; `value` is right, None when unknown."""

    fact: str
    upto: int
    value: FactValue | None


def facts_that_count(
    stated: Iterable[StatedFacts], corrections: Sequence[Correction]
) -> Mapping[str, tuple[FactValue, ...]]:
    """Return every value of each fact that counts, without repetition, in the order it was stated."""
    last = {one.fact: one for one in corrections}
    found: dict[str, list[FactValue]] = {}
    for name, correction in last.items():
        if correction.value is not None:
            found[name] = [correction.value]
    for one in stated:
        for name, value in one.facts.as_json().items():
            corrected = last.get(name)
            known = found.setdefault(name, [])
            # bool is an int to Python: True == 1, so the type is looked at too.
            is_new = not any(type(value) is type(other) and value == other for other in known)
            if is_new and isinstance(value, bool | int | str) and (corrected is None or one.version > corrected.upto):
                known.append(value)
    return {name: tuple(values) for name, values in found.items() if values}
