"""What a Swift client may put behind the question mark."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class SwiftQuery(BaseModel):
    """Parameters that clients send whether they matter or not."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["json", "plain", "xml"] | None = Field(None, description="Of a listing; there is none")
    multipart_manifest: Literal["get", "put", "delete"] | None = Field(
        None, alias="multipart-manifest", description="Objects come whole here: `put` is refused"
    )
