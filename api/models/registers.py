"""JSON about officers, and about whose a clip is."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import Field

from api.bodies import RequestModel
from api.models.common import Page, ResponseModel, Time
from evidence.core.wire.fields import NAME_CHARS_MAX
from evidence.parties.names import REASON_CHARACTERS_MAX
from evidence.registers.judging import FLAGS

Word = Annotated[str, Field(min_length=1, max_length=NAME_CHARS_MAX)]
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
