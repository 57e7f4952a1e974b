"""Rules of review that ship with this version: what five agencies' documents say, each clause with its words.

A preset is where an agency begins: an edited copy of its file is adopted in its place (`POST /v1/review/rules`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files

from evidence.cases.presets import PRESETS
from evidence.core.dated import read_dated
from evidence.review.errors import RulesInvalid, RulesUnknown
from evidence.review.rules import ReviewRules, read_rules


@dataclass(frozen=True, slots=True)
class RulesDraft:
    """Rules to adopt, and the day that their document is in force from."""

    rules: ReviewRules
    effective_from: date


@cache
def rules_preset(name: str) -> RulesDraft:
    """Return a preset.

    Raises:
        RulesUnknown: There is none of this name; the details name them all.
    """
    if name not in PRESETS:
        raise RulesUnknown(f"there is no preset {name[:80]!r}", presets=sorted(PRESETS))
    return read_rules_draft(files(__package__).joinpath("presets", f"{name}.toml").read_text(encoding="utf-8"))


def read_rules_draft(text: str) -> RulesDraft:
    """Read rules from TOML in the form of the presets.

    Raises:
        RulesInvalid: It is no TOML, breaks a rule of rules, or does not say from which day on it is in force.
    """
    table, effective_from = read_dated(text, refused=RulesInvalid)
    return RulesDraft(read_rules(table), effective_from)
