"""What the address of the console may say besides itself."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class ConsoleQuery(BaseModel):
    """Why somebody is led here."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    refused: str | None = Field(
        None,
        pattern="^[a-z_.]{1,60}$",
        description="Code by which signing in with the provider did not work; the page says it in words",
        examples=["auth.not_linked"],
    )
