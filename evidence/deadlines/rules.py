"""Rules of deadlines as data: what runs how long, in which days, and where that is written. Pure.

A table holds rules. An agency publishes its own in versions, each in force from a day on; a clock keeps the rule that
was in force on the day on which it began. `BASE`, what the laws and the documents for everybody say, stands behind
every table: what an agency leaves out is taken from there, so that nobody drops the law's clock by leaving it out.

    unit   working_days    工作日, holidays and make-up days counted as they were announced
           calendar_days   日: every day counts, and the last one is the last one, a day off or not
           by_date         a day of the month, or of the year, by which what concerns a period is done (25日前 includes
                           the 25th, as 民法典 1259 has it for 以内 and 届满)

行政处罚法 85 makes 二日, 三日, 五日 and 七日 of that law working days and leaves its longer terms in calendar days: a
rule that says `calendar_days` with one of those four numbers and cites that law is refused as the slip it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from evidence.cases.item_list import ArchiveRule
from evidence.clips.parts import Key, Line, Part, read_part
from evidence.core.dated import read_dated
from evidence.deadlines.errors import RulesInvalid, RulesUnknown
from ledger.canonical import JsonObject, JsonValue

DAYS_MAX = 3_650
"""Longest term in days that a rule may state: ten years."""

WARN_DAYS_MAX = 365
_DAYS_OF_ARTICLE_85 = (2, 3, 5, 7)
_PENALTY_LAW = "行政处罚法"

Kind: TypeAlias = Literal[
    "storing", "archive", "case", "review", "publication", "withdrawal", "monthly_summary", "annual_data", "task"
]

KINDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "storing": ("音像记录存储", "recording stored"),
        "archive": ("案卷归档", "case archived"),
        "case": ("案件办理", "case decided"),
        "review": ("法制审核", "legal review"),
        "publication": ("决定公示", "decision published"),
        "withdrawal": ("撤下公示", "publication withdrawn"),
        "monthly_summary": ("每月汇总", "monthly summary"),
        "annual_data": ("年度数据", "annual data"),
        "task": ("交办事项", "task"),
    }
)
"""What clocks are about, in Chinese and English."""

PERIODIC = ("monthly_summary", "annual_data")


class Rule(Part):
    """How long clocks of one kind run.

    Attributes:
        key: Names it within its table.
        days: How many, for `working_days` and `calendar_days`.
        day, month: The day by which, for `by_date`; without `month`, of every month.
        actions: Action types that it is for; none for all that have no rule of their own.
        citation: The law or document and its clause.
        source: Which of the documents that this house follows, shortly (`S1`, `law`, an agency's own).
        extension_days_max: By how many days at most it may be extended, all extensions together; 0 for not at all.
        warn_days: How many calendar days ahead somebody is told.
    """

    key: Key
    kind: Kind
    unit: Literal["working_days", "calendar_days", "by_date"]
    days: Annotated[int, Field(ge=1, le=DAYS_MAX)] | None = None
    day: Annotated[int, Field(ge=1, le=31)] | None = None
    month: Annotated[int, Field(ge=1, le=12)] | None = None
    actions: list[Key] = Field([], max_length=50)
    citation: Line
    source: Line
    extension_days_max: Annotated[int, Field(ge=0, le=DAYS_MAX)] = 0
    warn_days: Annotated[int, Field(ge=0, le=WARN_DAYS_MAX)] = 1

    @model_validator(mode="after")
    def _fields_fit_the_unit(self) -> Rule:
        if self.unit == "by_date":
            if self.kind not in PERIODIC or self.days is not None or self.day is None:
                raise ValueError("by_date is for periods, and names a day and no number of days")
            if (self.kind == "annual_data") is (self.month is None):
                raise ValueError("a year's day has a month, a month's day has none")
            if self.day > (28 if self.month in (None, 2) else 30 if self.month in (4, 6, 9, 11) else 31):
                raise ValueError("not every such month has this day")
            if self.extension_days_max:
                raise ValueError("a day by which something is done is not extended")
        elif self.days is None or self.day is not None or self.month is not None or self.kind in PERIODIC:
            raise ValueError("a term in days names their number, no day, and is no period's")
        slip = self.unit == "calendar_days" and self.days in _DAYS_OF_ARTICLE_85 and _PENALTY_LAW in self.citation
        if slip:
            raise ValueError("行政处罚法 85: 二日、三日、五日、七日 are working days")
        return self

    def as_json(self) -> JsonObject:
        """Return the rule as payloads and rows state it: what was left out stays out."""
        stated: dict[str, JsonValue] = self.model_dump(mode="json", exclude_defaults=True)
        return stated


class RuleTable(Part):
    """A whole table; `source` is the document it follows."""

    title: Line
    source: Line
    rules: Annotated[list[Rule], Field(min_length=1, max_length=200)]

    @model_validator(mode="after")
    def _each_once(self) -> RuleTable:
        keys = [rule.key for rule in self.rules]
        meant = [(rule.kind, action) for rule in self.rules for action in rule.actions or [""]]
        for what, given in (("key", keys), ("kind and action", meant)):
            if len(set(given)) != len(given):
                raise ValueError(f"two rules of one {what}")
        return self

    def rule(self, kind: str, action: str | None = None) -> Rule | None:
        """Return the rule for clocks of a kind: that of their action, else the one for all."""
        of_kind = [rule for rule in self.rules if rule.kind == kind]
        own = next((rule for rule in of_kind if action is not None and action in rule.actions), None)
        return own or next((rule for rule in of_kind if not rule.actions), None)

    def as_json(self) -> JsonObject:
        """Return the table as the payload states it."""
        stated: dict[str, JsonValue] = self.model_dump(mode="json", exclude_defaults=True)
        return stated


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A table that was published: `name` tells which, for whoever computes again."""

    name: str
    effective_from: date
    table: RuleTable


@dataclass(frozen=True, slots=True)
class RuleBook:
    """Every version that was published, in their order; `BASE` stands behind them."""

    versions: Sequence[Version] = ()

    def rule(self, kind: str, *, on: date, action: str | None = None) -> Rule | None:
        """Return the rule in force on a day for clocks of a kind; None where nobody states one."""
        current = next((one for one in reversed(self.versions) if one.effective_from <= on), None)
        own = None if current is None else current.table.rule(kind, action)
        return own or base_table().rule(kind, action)

    def stated(self, kind: str, *, on: date, action: str | None = None) -> Rule:
        """Return the rule in force, of a kind that the base table states.

        Raises:
            RulesUnknown: Nobody states one.
        """
        rule = self.rule(kind, on=on, action=action)
        if rule is None:
            raise RulesUnknown(f"nobody states a rule of {kind}", kind=kind)
        return rule

    @property
    def name(self) -> str:
        """Name what counts, for whoever computes again."""
        return self.versions[-1].name if self.versions else "base"


PRESETS: Mapping[str, str] = MappingProxyType(
    {
        "base": "行政处罚法, and what the documents say for everybody",
        "shuozhou-ecology-2017": "S0 朔环发[2017]197号",
        "ministry-ecology-2019": "S1 环办执法〔2019〕42号",
        "zaozhuang-emergency-2019": "S2 枣应急发〔2019〕75号",
        "lingchuan-enforcement-2021": "S3 陵示范管发〔2021〕17号",
        "panjin-forestry-2019": "S4 盘锦市林湿局 2019",
    }
)
"""Names, and the documents they follow."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A table to publish, and the day it is in force from."""

    table: RuleTable
    effective_from: date


@cache
def preset(name: str) -> Draft:
    """Return a preset.

    Raises:
        RulesUnknown: There is none of this name; the details name them all.
    """
    if name not in PRESETS:
        raise RulesUnknown(f"there is no preset {name[:80]!r}", presets=sorted(PRESETS))
    return read_draft(files(__package__).joinpath("presets", f"{name}.toml").read_text(encoding="utf-8"))


def read_draft(text: str) -> Draft:
    """Read a table from TOML in the form of the presets.

    Raises:
        RulesInvalid: It is no TOML, breaks a rule, or does not say from which day on it is in force.
    """
    table, effective_from = read_dated(text, refused=RulesInvalid)
    return Draft(read_table(table), effective_from)


def read_table(raw: object) -> RuleTable:
    """Read a table that somebody handed in as JSON values.

    Raises:
        RulesInvalid: It breaks a rule; `details["problems"]` names each place and what is wrong there.
    """
    return read_part(raw, RuleTable, what="table of deadlines", refused=RulesInvalid)


def base_table() -> RuleTable:
    """Return what counts where no agency says otherwise."""
    return preset("base").table


def rule_of_archive(rule: ArchiveRule) -> Rule:
    """Make the rule of archiving that a recording-item list states: calendar days from 执行终结 (R22)."""
    return Rule(
        key="archive_of_list",
        kind="archive",
        unit="calendar_days",
        days=rule.days,
        actions=[rule.action] if rule.action else [],
        citation=rule.source,
        source=rule.source,
        warn_days=_ARCHIVE_WARN_DAYS,
    )


_ARCHIVE_WARN_DAYS = 5
