"""JSON about the service itself."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from api.models.common import ResponseModel


class Liveness(ResponseModel):
    """The process answers."""

    status: Literal["live"] = "live"


class Check(ResponseModel):
    """One thing that has to be well."""

    name: str
    ok: bool
    detail: str
    required: bool = Field(default=True, description="Whether the process is ready only if this is well")


class Readiness(ResponseModel):
    """Whether the process can do its work."""

    ready: bool
    checks: list[Check] = Field(description="Every thing that was looked at")
