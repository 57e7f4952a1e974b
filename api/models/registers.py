"""JSON about units, officers, recorders and imports, and about whose a clip is."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.bodies import RequestModel
from api.models.common import Digest, Page, ResponseModel, Time
from evidence.core.wire.fields import NAME_CHARS_MAX
from evidence.parties.names import NAME_CHARACTERS_MAX, REASON_CHARACTERS_MAX
from evidence.registers.judging import FLAGS

Word = Annotated[str, Field(min_length=1, max_length=NAME_CHARS_MAX)]
Id = Annotated[UUID, Field(strict=False)]
RecorderKindName = Literal["body_worn", "fixed_camera"]
RecorderStateName = Literal["in_use", "repair", "retired"]
Day = Annotated[str, Field(max_length=10, examples=["2026-12-31"])]


class DescribeOfficer(RequestModel):
    """What an officer's certificate says; both days are inside, without one there is no such end."""

    name: Word = Field(description="姓名", examples=["王五"])
    unit: Word = Field(description="单位: code or name of a registered unit; any name while none is registered")
    duty: Word | None = Field(None, description="职务")
    certificate: Word | None = Field(None, description="证件编号")
    category: Word | None = Field(None, description="执法类别")
    area: Word | None = Field(None, description="执法区域")
    valid_from: Day | None = Field(None, description="First day on which the certificate is valid")
    valid_until: Day | None = Field(None, description="Last day on which it is valid")


class RegisterOfficer(DescribeOfficer):
    """An administrator registers an officer, or another version of the one who bears this number."""

    number: Word = Field(description="What recorders and docks call the officer", examples=["013579"])


class RegisteredOfficer(ResponseModel):
    """An officer is on record."""

    officer: UUID
    entry: UUID = Field(description="Id of the ledger entry")
    version: int = Field(description="Counts what was said of the officer")


class OfficerItem(ResponseModel):
    """One officer as registered last."""

    officer: UUID
    number: str
    name: str
    unit: str
    unit_id: UUID | None = Field(description="The registered unit; null for one that is but a name")
    duty: str | None
    certificate: str | None
    category: str | None
    area: str | None
    valid_from: date | None
    valid_until: date | None
    version: int
    registered_at: Time


class OfficerPage(Page[OfficerItem]):
    """Officers in order of their ids."""


class OfficerDetail(OfficerItem):
    """An officer as registered last, and every version, oldest first."""

    versions: list[OfficerItem]


class AttributionItem(ResponseModel):
    """Whose a clip is."""

    clip: UUID
    version: int = Field(
        description="Of what is on record; 0 while nothing is, the rest is as it would be recorded now"
    )
    officer: UUID | None = Field(description="Null where nobody can tell")
    unit: UUID | None
    flags: list[str] = Field(description="What stands in the way, or is worth knowing: " + ", ".join(sorted(FLAGS)))
    blocked: bool = Field(description="Whether it must not be used before a person has resolved this")
    recorded_at: Time | None = Field(description="When it was recorded, by the service's clock")
    basis: str | None = Field(description="What that was read from: `name` or `file_time`")
    reason: str | None = Field(description="Why, where a person resolved it")
    by: str | None = Field(description="Who that was")


class AttributionPage(Page[AttributionItem]):
    """Clips that wait for somebody to say whose they are, the newest first."""


class Resolve(RequestModel):
    """A named person says whose a blocked clip is, and why."""

    officer: Word | None = Field(None, description="The officer's number; null keeps what the registers tell")
    reason: str = Field(
        min_length=1,
        max_length=REASON_CHARACTERS_MAX,
        description="Goes on record",
        examples=["领用登记晚录一天，已与值班记录核对"],
    )


class DescribeUnit(RequestModel):
    """What a unit is; another version of it when it is moved, renamed or closed. Both days are inside."""

    name: str = Field(min_length=1, max_length=NAME_CHARACTERS_MAX, examples=["一中队"])
    code: str | None = Field(None, max_length=12, description="12 digits, where the agency has one")
    parent: Id | None = Field(None, description="The unit above it")
    valid_from: Day | None = Field(None, description="From which day on, not to come; without one, always")
    valid_until: Day | None = Field(None, description="Last day; without one, for good")


class RegisteredUnit(ResponseModel):
    """A unit is on record."""

    unit: UUID
    version: int
    entry: UUID = Field(description="Id of the ledger entry")


class UnitItem(ResponseModel):
    """One version of a unit."""

    unit: UUID
    version: int
    code: str | None
    name: str
    parent: UUID | None
    valid_from: date | None
    valid_until: date | None
    registered_at: Time
    registered_by: str


class UnitPage(Page[UnitItem]):
    """Units as registered last, in order of their ids."""


class UnitDetail(UnitItem):
    """A unit as registered last, every version, what is above it today (nearest first), what is below."""

    versions: list[UnitItem]
    above: list[UUID]
    below: list[UUID]


class DescribeRecorder(RequestModel):
    """What a recorder is, as an administrator registers it."""

    recorder: Word = Field(description="Its number as docks read it", examples=["A100001"])
    kind: RecorderKindName = "body_worn"
    state: RecorderStateName = "in_use"
    serial: Word | None = None
    model: Word | None = None
    unit: Id | None = Field(None, description="A registered unit")


class RegisteredRecorder(ResponseModel):
    """What a recorder is, is on record."""

    recorder: str
    version: int
    entry: UUID = Field(description="Id of the ledger entry")


class RegistrationItem(ResponseModel):
    """What a recorder is, as registered last; `firmware` as a dock read it last."""

    recorder: str
    version: int
    kind: str
    state: str
    serial: str | None
    model: str | None
    unit: UUID | None
    firmware: str | None
    registered_at: Time
    registered_by: str


class RegistrationPage(Page[RegistrationItem]):
    """Registered recorders in order of their numbers."""


class PlaceDock(RequestModel):
    """In which unit a dock stands from now on."""

    unit: Id | None = Field(description="A registered unit; null for none")


class PlacementItem(ResponseModel):
    """Where a dock stood from an instant on; null for in no unit."""

    unit: UUID | None
    placed_at: Time
    placed_by: str
    entry: UUID


class PlacementPage(Page[PlacementItem]):
    """Where a dock stood, the first placement first."""


class ImportQuery(BaseModel):
    """How a list is imported."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=NAME_CHARACTERS_MAX, description="What the file is called")
    apply: bool = Field(default=False, description="Whether to take the rows; without it, a dry run")


class BadCellItem(ResponseModel):
    """Why a row cannot be taken; rows count from 1, the headings included."""

    row: int
    column: str
    code: str
    value: str = Field(description="What stands there, shortened and made fit to be shown")
    message: str


class ImportItem(ResponseModel):
    """What an import found, every bad row included."""

    kind: str = Field(description="units, officers or recorders")
    name: str
    sha256: Digest = Field(description="Of the file")
    rows: int
    changed: int = Field(description="Rows that changed the register, or would")
    applied: bool
    bad: list[BadCellItem]
