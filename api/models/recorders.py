"""JSON about recorders: their register, their holders, and what their sequence tells."""

from __future__ import annotations

import re
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field

from api.bodies import RequestModel
from api.errors import CursorInvalid
from api.models.common import Page, PageQuery, ResponseModel, Time
from evidence.core.wire.fields import NAME_CHARS_MAX
from evidence.parties.names import REASON_CHARACTERS_MAX
from evidence.recorders.meanings import Weight

_PLACE = re.compile("([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\\.([0-9]{1,4})")


def _without_nul(text: str | None) -> str | None:
    if text is not None and "\0" in text:
        raise ValueError("text holds no NUL")
    return text


RecorderName = Annotated[
    str,
    Field(min_length=1, max_length=NAME_CHARS_MAX, description="Number of a recorder, as its dock reads it"),
    AfterValidator(_without_nul),
]


class RecordersQuery(PageQuery):
    """A page of recorders; the cursor is the number of the last one."""

    cursor: Annotated[str | None, AfterValidator(_without_nul)] = Field(
        None, max_length=400, description="`next` of the page before"
    )


class RecorderQuery(PageQuery):
    """One recorder, or all of them."""

    recorder: RecorderName | None = None

    def after_finding(self) -> tuple[UUID, int] | None:
        """Return the cursor of a list of findings.

        Raises:
            CursorInvalid: It names no finding.
        """
        if self.cursor is None:
            return None
        found = _PLACE.fullmatch(self.cursor)
        if found is None:
            raise CursorInvalid("the cursor is not from this list")
        return UUID(found[1]), int(found[2])


class OneRecorderQuery(PageQuery):
    """One recorder."""

    recorder: RecorderName


class Holder(ResponseModel):
    """An officer who holds a recorder."""

    officer: UUID
    number: str
    name: str
    unit: str


class RecorderItem(ResponseModel):
    """One recorder as it stands."""

    recorder: str
    docked_at: Time | None = Field(description="When a dock saw it last, by that dock's clock")
    dock: UUID | None = Field(description="Which dock that was")
    dock_name: str | None
    files: int = Field(description="Files that were on it then")
    files_waiting: int = Field(description="Those of them that are not sealed")
    findings_open: int = Field(description="Findings that nobody has explained and nothing has settled")
    holder: Holder | None = Field(description="Whose it is now")


class RecorderPage(Page[RecorderItem]):
    """Recorders in order of their numbers."""


class Explanation(ResponseModel):
    """What somebody said about a finding."""

    text: str
    by: str
    at: str


class RecorderFindingItem(ResponseModel):
    """One thing noticed about the sequence of a recorder: a lead with its innocent causes, never a verdict."""

    finding: UUID = Field(description="Id of the ledger entry it stands in")
    place: int = Field(description="Its place in that entry")
    recorder: str
    inventory: UUID = Field(description="The inventory that was examined")
    dock: UUID
    code: str = Field(description="See docs/findings.md")
    weight: Weight
    message: str
    message_zh: str
    causes: str = Field(description="What may innocently cause it")
    causes_zh: str
    facts: dict[str, object] = Field(description="Names, numbers, seconds, neighbours")
    noticed_at: Time
    settled: bool = Field(description="Whether what was missed has been sealed since")
    explanations: list[Explanation]


class RecorderFindingPage(Page[RecorderFindingItem]):
    """Findings, newest first."""


class HolderSpan(ResponseModel):
    """A stretch of time in which a recorder was somebody's, or nobody's."""

    holder: Holder | None
    since: Time
    until: Time | None = Field(description="Null for the present one")
    assigned_at: Time = Field(description="When it was put on record")
    assigned_by: str


class HolderSpans(ResponseModel):
    """Whose a recorder was when, oldest first."""

    recorder: str
    items: list[HolderSpan]


class AssignRecorder(RequestModel):
    """An administrator gives a recorder to an officer, or takes it back."""

    recorder: RecorderName
    officer: str | None = Field(
        None, min_length=1, max_length=NAME_CHARS_MAX, description="The officer's number; null when it is nobody's now"
    )
    since: str | None = Field(
        None, max_length=40, description="From when on, `2026-11-21T08:00:00.000Z`, not in the future; without it, now"
    )


class ExplainFinding(RequestModel):
    """Somebody says how a finding came about."""

    recorder: RecorderName
    finding: UUID
    place: int = Field(ge=0, le=9999)
    text: str = Field(min_length=1, max_length=REASON_CHARACTERS_MAX, description="How it came about; goes on record")


class UnitEquipment(ResponseModel):
    """How well a unit is equipped."""

    unit: str
    officers: int
    recorders: int
    ratio: float = Field(description="Recorders per officer")
    below_target: bool


class Equipment(ResponseModel):
    """Recorders per officer in every unit that has officers, against the target."""

    target: float
    units: list[UnitEquipment]
