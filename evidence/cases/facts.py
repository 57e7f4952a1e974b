"""Facts of a case that legal review will ask for (R26): what makes a decision a major one. Pure.

They are stated by whoever opens or amends the case; what is left out is not known yet, which is not the same as no.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from evidence.clips.parts import Line, Part
from ledger.canonical import INTEGER_MAX, JsonObject, JsonValue


class CaseFacts(Part):
    """What is known of a case.

    Attributes:
        amount_fen: 涉案金额 in fen, a hundredth of a yuan.
        level: 执法层级.
        field: 所属领域.
        hearing_held: Whether the decision comes out of a hearing.
        complex: 案件情况疑难复杂.
        several_legal_relations: 涉及多个法律关系.
        public_interest: 涉及重大公共利益.
        social_impact: 可能造成重大社会影响或引发社会风险.
        major_rights: 直接关系当事人或第三人重大权益.
    """

    amount_fen: Annotated[int, Field(ge=0, le=INTEGER_MAX)] | None = None
    level: Line | None = None
    field: Line | None = None
    hearing_held: bool | None = None
    complex: bool | None = None
    several_legal_relations: bool | None = None
    public_interest: bool | None = None
    social_impact: bool | None = None
    major_rights: bool | None = None

    def as_json(self) -> JsonObject:
        """Return the facts as a payload states them: what is not known stays out."""
        stated: dict[str, JsonValue] = self.model_dump(mode="json", exclude_none=True)
        return stated


UNKNOWN = CaseFacts()
