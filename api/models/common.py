"""Types that many answers share: times, digests, pages, cursors."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from api.errors import CursorInvalid
from evidence.core.clock import format_time

PAGE_ITEMS_MAX = 200
PAGE_ITEMS = 50

ItemT = TypeVar("ItemT")

Time = Annotated[datetime, PlainSerializer(format_time, return_type=str, when_used="json")]
"""RFC 3339, UTC, milliseconds, `Z`."""

Digest = Annotated[bytes, PlainSerializer(bytes.hex, return_type=str, when_used="json")]
"""Lower-case hex."""

_UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class ResponseModel(BaseModel):
    """Base of all JSON answers."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Page(ResponseModel, Generic[ItemT]):
    """A stretch of a list."""

    items: list[ItemT]
    next: str | None = Field(description="Cursor of the next page; null on the last")


class PageQuery(BaseModel):
    """Where a page begins and how long it may be."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cursor: str | None = Field(None, max_length=400, description="`next` of the page before")
    limit: int = Field(PAGE_ITEMS, ge=1, le=PAGE_ITEMS_MAX, description="Most items of the page")

    def after_id(self) -> UUID | None:
        """Return the cursor of a list that is in order of ids.

        Raises:
            CursorInvalid: It is no id.
        """
        if self.cursor is None:
            return None
        if not _UUID.fullmatch(self.cursor):
            raise CursorInvalid("the cursor is not from this list")
        return UUID(self.cursor)


class Recorded(ResponseModel):
    """Something is on record."""

    entry: UUID = Field(description="Id of the ledger entry")
