"""JSON about recording-item lists."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from api.bodies import RequestModel
from api.models.common import Page, ResponseModel, Time
from evidence.cases.item_list import ItemList
from evidence.clips.parts import LINE_CHARS_MAX

_DAY_EXAMPLE = "2026-12-01"


class PublishList(RequestModel):
    """Somebody publishes a version of an agency's recording-item list."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "effective_from": _DAY_EXAMPLE,
                    "list": {
                        "agency": "某市生态环境局",
                        "title": "音像记录事项清单",
                        "source": "某环发〔2026〕1号",
                        "action_types": [{"key": "penalty", "title": "行政处罚", "title_en": "administrative penalty"}],
                        "items": [
                            {
                                "key": "sealing_and_seizure",
                                "title": "查封扣押",
                                "stage": "执行",
                                "means": ["video"],
                                "mode": "full",
                                "starts": "宣读决定",
                                "ends": "交付清单",
                                "retention": "permanent",
                                "source": "第三条",
                            }
                        ],
                    },
                }
            ]
        }
    )

    effective_from: Annotated[date, Field(strict=False)] = Field(
        description="First day it is in force, Beijing time", examples=[_DAY_EXAMPLE]
    )
    list: ItemList


class ListPublished(ResponseModel):
    """A version is on record."""

    items: UUID
    version: int
    entry: UUID


class ListItem(ResponseModel):
    """One version of an agency's recording-item list."""

    items: UUID
    agency: str
    version: int
    effective_from: date
    published_by: str
    published_at: Time
    entry: UUID
    list: ItemList


class ListItems(Page[ListItem]):
    """Versions of all agencies, the one published last first."""


class ListsInForce(ResponseModel):
    """What is in force on a day, one version an agency."""

    on: date
    lists: list[ListItem]


class InForceQuery(RequestModel):
    """Which day, and whose."""

    model_config = ConfigDict(strict=False)

    on: date | None = Field(None, description="A day in Beijing; today without it")
    agency: str | None = Field(None, max_length=LINE_CHARS_MAX, description="Only this agency's")
