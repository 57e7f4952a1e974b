"""Rules of review: which cases are in scope (目录清单), what a reviewer goes through, what is handed in. Pure.

Rules differ between agencies and years, so they are data with effective dates; presets for five documents lie in
`presets/`. A trigger names one fact of the case; each alone puts a case in scope (R26). What a document leaves open and
its preset fills in is marked `assumed`: an agency states its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from evidence.clips.parts import Key, Line, Part, Remark, read_part
from evidence.review.errors import RulesInvalid
from ledger.canonical import INTEGER_MAX, JsonObject, JsonValue

FactName: TypeAlias = Literal[
    "amount_fen",
    "level",
    "field",
    "hearing_held",
    "complex",
    "several_legal_relations",
    "public_interest",
    "social_impact",
    "major_rights",
]
"""Names of `evidence.cases.facts.CaseFacts`."""

FactValue: TypeAlias = bool | int | str
Facts: TypeAlias = Mapping[str, Sequence[FactValue]]
"""Every value of each fact that counts: one that was stated once counts until it is corrected, see `facts`."""


class Trigger(Part):
    """A fact that puts a case in scope.

    Attributes:
        fact: Which; one that is true or false triggers when it is true.
        at_least: For the amount: from so many fen on.
        among: For level and field: any of these.
        source, quote: Document and clause, and the words that name it.
        assumed: The document names the factor and leaves its value open.
    """

    key: Key
    fact: FactName
    source: Line
    quote: Line
    at_least: Annotated[int, Field(ge=0, le=INTEGER_MAX)] | None = None
    among: list[Line] = Field([], max_length=100)
    assumed: bool = False

    @model_validator(mode="after")
    def _fits_its_fact(self) -> Trigger:
        if (self.at_least is not None) is not (self.fact == "amount_fen"):
            raise ValueError("at_least belongs to amount_fen, and amount_fen needs it")
        if bool(self.among) is not (self.fact in {"level", "field"}):
            raise ValueError("among belongs to level and field, and they need it")
        return self

    def meets(self, value: FactValue) -> bool:
        """Tell whether a value of its fact triggers."""
        if isinstance(value, bool):
            return value
        if isinstance(value, int):
            return self.at_least is not None and value >= self.at_least
        return value in self.among


class Row(Part):
    """A point that a reviewer has to judge.

    Attributes:
        when: `covert` ones are only asked where an exhibit was recorded covertly (R6).
        opens: `transfer` lets the reviewer find that the case has to go to the judiciary (移送).
    """

    key: Key
    title: Line
    source: Line
    quote: Line
    when: Literal["always", "covert"] = "always"
    opens: Literal["transfer"] | None = None
    assumed: bool = False


class Material(Part):
    """Something that is handed in with a submission (送审材料)."""

    key: Key
    title: Line
    required: bool
    assumed: bool = False


class ReviewRules(Part):
    """The rules of an agency.

    Attributes:
        agency: Whose they are; as in its recording-item list.
        quote: The sentence that makes the gate.
        actions: Kinds of action that are reviewed at all; none for all.
        limit_working_days: Time of a round; None where the document states none.
    """

    agency: Line
    title: Line
    source: Line
    quote: Remark
    triggers: Annotated[list[Trigger], Field(min_length=1, max_length=200)]
    checklist: Annotated[list[Row], Field(min_length=1, max_length=100)]
    materials: list[Material] = Field([], max_length=100)
    actions: list[Key] = Field([], max_length=50)
    limit_working_days: Annotated[int, Field(ge=1, le=365)] | None = None

    @model_validator(mode="after")
    def _keys_are_single(self) -> ReviewRules:
        for keys in (self.triggers, self.checklist, self.materials):
            _refuse_doubles(one.key for one in keys)
        return self

    def rows(self, *, covert: bool) -> list[Row]:
        """Return the points that an opinion has to judge."""
        return [row for row in self.checklist if row.when == "always" or covert]

    def as_json(self) -> JsonObject:
        """Return the rules as the payload states them: what was left out stays out."""
        stated: dict[str, JsonValue] = self.model_dump(mode="json", exclude_defaults=True)
        return stated


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Whether a decision needs a review.

    Attributes:
        rule: Key of the first trigger that says so; None when none does.
        source: Where that is written; of a case out of scope, the rules' own document.
        because: In words.
    """

    in_scope: bool
    rule: str | None
    source: str
    because: str

    def as_json(self) -> JsonObject:
        """Return it as a payload states it."""
        return {"in_scope": self.in_scope, "rule": self.rule, "source": self.source, "because": self.because}


def in_scope(rules: ReviewRules, facts: Facts, *, action: str | None) -> Scope:
    """Say whether a case's decision needs a review, by which rule.

    Args:
        facts: Every value of each fact that counts.
        action: The case's kind of action; one that nobody stated may be any.
    """
    if action is not None and rules.actions and action not in rules.actions:
        return Scope(in_scope=False, rule=None, source=rules.source, because=f"decisions on {action} are not reviewed")
    for trigger in rules.triggers:
        for value in facts.get(trigger.fact, ()):
            if trigger.meets(value):
                because = f"{trigger.fact} is {str(value).lower() if isinstance(value, bool) else value}"
                return Scope(in_scope=True, rule=trigger.key, source=trigger.source, because=because)
    return Scope(in_scope=False, rule=None, source=rules.source, because="no fact on record is a trigger")


def read_rules(raw: object) -> ReviewRules:
    """Read rules that somebody handed in as JSON values.

    Raises:
        RulesInvalid: They break a rule; `details["problems"]` names each place and what is wrong there.
    """
    return read_part(raw, ReviewRules, what="rules", refused=RulesInvalid)


def _refuse_doubles(keys: Iterable[str]) -> None:
    seen = set[str]()
    for key in keys:
        if key in seen:
            raise ValueError(f"two of one key: {key}")
        seen.add(key)
