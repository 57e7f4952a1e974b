"""JSON about figures at a checkpoint, prices, and random samples of cases."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.bodies import RequestModel
from api.models.common import Digest, Page, ResponseModel, Time
from evidence.core.wire.fields import NAME_CHARS_MAX
from evidence.parties.names import REASON_CHARACTERS_MAX
from evidence.statistics.sampling import DRAW_MAX
from ledger.canonical import INTEGER_MAX

HEX_PATTERN = "^[0-9a-f]{64}$"


class StatisticsQuery(BaseModel):
    """Which figures."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    by: Literal["unit", "officer", "item", "recorder", "dock", "month"] = Field("unit", description="Grouped by what")
    size: int | None = Field(
        None, ge=1, le=INTEGER_MAX, description="At the published checkpoint of this size; without it, at the newest"
    )
    form: Literal["json", "csv"] = Field("json", description="How to write them")


class FiguresItem(ResponseModel):
    """Figures of one group; `key` is empty for clips of which it is not known."""

    key: str
    clips: int
    milliseconds: int
    bytes: int
    made_bytes: int
    on_time: int
    late: int
    provisional: int
    undated: int
    uncovered: int
    key_marked: int
    verified: int
    cost: str | None = Field(description="In a month, exact, in `currency`; null while no price is on record")


class StatisticsItem(ResponseModel):
    """Figures at a checkpoint; the groups add up to the total."""

    by: str
    size: int = Field(description="Entries of the log at the checkpoint")
    root: Digest
    rules: str
    calendar: str = Field(description="By which working days were counted")
    zone: str
    price: UUID | None
    currency: str | None
    units: list[UUID] | None = Field(description="Units whose clips are counted; null when all are")
    groups: list[FiguresItem]
    total: FiguresItem


class StatePrice(RequestModel):
    """What a terabyte (10^12 bytes) costs in a month."""

    hundredths: int = Field(ge=0, le=INTEGER_MAX, description="In hundredths of the currency", examples=[20000])
    currency: str = Field(min_length=1, max_length=20, examples=["CNY"])
    citation: str = Field(min_length=1, max_length=REASON_CHARACTERS_MAX, description="By which contract or norm")


class PriceMade(ResponseModel):
    """A price is on record."""

    price: UUID
    entry: UUID


class CommitSample(RequestModel):
    """Somebody will draw cases, and is bound to a seed whose SHA-256 is shown now."""

    commitment: str = Field(
        pattern=HEX_PATTERN, description="SHA-256 of 32 random bytes that are kept secret", examples=["5f" * 32]
    )
    draw: int = Field(ge=1, le=DRAW_MAX, description="How many cases")
    purpose: str = Field(min_length=1, max_length=REASON_CHARACTERS_MAX)
    size: int | None = Field(None, ge=1, le=INTEGER_MAX, description="Population at this checkpoint, else the newest")


class SampleMade(ResponseModel):
    """Somebody is bound to a seed."""

    sample: UUID
    entry: UUID


class DrawSample(RequestModel):
    """The seed is revealed."""

    seed: str = Field(pattern=HEX_PATTERN, description="The 32 bytes that were committed to", examples=["c4" * 32])


class SheetRowWords(RequestModel):
    """One row of a score sheet (案卷评查评分表)."""

    item: str = Field(min_length=1, max_length=NAME_CHARS_MAX, examples=["执法程序"])
    points: int = Field(ge=0, le=100, description="Given")
    of: int = Field(ge=0, le=100, description="Out of")
    note: str | None = Field(None, min_length=1, max_length=NAME_CHARS_MAX)


class ScoreCase(RequestModel):
    """What somebody found in a case of a sample."""

    case: UUID
    points: int = Field(ge=0, le=100)
    note: str = Field(min_length=1, max_length=REASON_CHARACTERS_MAX)
    sheet: list[SheetRowWords] | None = Field(None, max_length=100, description="Rows that add up to the points")


class ScoreItem(ResponseModel):
    """The newest assessment of a case; null until there is one."""

    case: UUID
    points: int | None
    note: str | None
    scored_by: str | None
    sheet: list[dict[str, object]] | None


class SampleItem(ResponseModel):
    """A sample, with everything that somebody needs who draws it again; null what was not drawn yet."""

    sample: UUID
    rule: str
    purpose: str
    commitment: Digest
    size: int
    root: Digest
    population: int
    population_sha256: Digest
    draw: int
    committed_at: Time
    committed_by: str
    entry: UUID
    seed: Digest | None
    drawn_size: int | None
    drawn_root: Digest | None
    drawn_at: Time | None
    cases: list[ScoreItem]


class SampleItems(Page[SampleItem]):
    """Samples, the newest first, without assessments."""
