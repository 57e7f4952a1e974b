"""JSON about names of people."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.models.common import ResponseModel

PEOPLE_MAX = 100
_ID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


class PeopleQuery(BaseModel):
    """Whose names."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ids: str = Field(
        pattern=f"^{_ID}(,{_ID}){{0,{PEOPLE_MAX - 1}}}$",
        description=f"Ids of people or officers, with commas between them, at most {PEOPLE_MAX}",
        examples=["0195a1b2-0000-7000-8000-000000000001"],
    )

    def each(self) -> list[UUID]:
        """Return the ids."""
        return [UUID(one) for one in self.ids.split(",")]


class PersonNamed(ResponseModel):
    """Somebody who bears one of the ids."""

    actor: str = Field(description="`staff:<uuid>` or `officer:<uuid>`")
    name: str


class PeopleNamed(ResponseModel):
    """Those of the ids that somebody bears."""

    items: list[PersonNamed]
