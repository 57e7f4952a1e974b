"""A recording-item list (音像记录事项清单): which actions an agency takes, what of them is recorded, and how. Pure.

Lists differ between agencies and years, so they are data: presets for five documents lie in `presets/`, an agency
publishes its own in the same form. Keys stand in ledger payloads; one that was published keeps its meaning.

    mode      full      recorded without a break from its start to its end
              partial   recorded, as much of it as shows what happened
              optional  recorded where circumstances call for it
    when      always    every case of these actions has it, or says that it did not take place
              stated    only cases that state it have it, by an activity or by footage of it
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from evidence.cases.errors import ItemListInvalid
from evidence.clips.parts import Key, Line, Part, read_part
from ledger.canonical import JsonObject, JsonValue

ITEMS_MAX = 500
RETENTION_MONTHS_MIN = 6
"""Shortest time that footage is kept, whatever a list says: police practice, and the floor of this house."""

_ELEMENT = re.compile(
    r"remark|place|officer|recorder|recorded_at|speakers|dialogue|document|marker:[a-z][a-z0-9_]{0,31}"
)

Mode = Literal["full", "partial", "optional"]
Means = Literal["video", "audio", "photo", "fixed"]
Retention = Literal["permanent", "scheduled"] | Annotated[int, Field(ge=RETENTION_MONTHS_MIN, le=1200)]
"""Months, or for ever, or as the agency's schedule says because the list's source says nothing."""


def _element(text: str) -> str:
    if not _ELEMENT.fullmatch(text):
        raise ValueError(f"{text!r} is no element that can be looked for")
    return text


Element = Annotated[str, AfterValidator(_element)]


class ActionType(Part):
    """One kind of administrative action, such as a penalty; `review` says whether major ones go to legal review."""

    key: Key
    title: Line
    title_en: Line
    review: bool = False


class ArchiveRule(Part):
    """How many calendar days after its conclusion a case is archived; of one action, or of all without a rule."""

    days: Annotated[int, Field(ge=1, le=3650)]
    source: Line
    action: Key | None = None


class Item(Part):
    """One thing to record.

    Attributes:
        key: What annotations and statements call it.
        title: 事项.
        stage: 执法环节 it belongs to.
        means: 方式: video (录相), audio (录音), photo (照相), fixed (视频监控).
        starts, ends: The events between which a `full` item is recorded without a break.
        actions: Action types that have it; none for all.
        elements: What has to be on record of it (R12), by name.
        exemptible: Whether a written record may stand in for it (R4); never for a `full` one.
        retention: How long it is kept.
        source: Document and clause, shortly.
    """

    key: Key
    title: Line
    stage: Line
    means: Annotated[list[Means], Field(min_length=1, max_length=4)]
    mode: Mode
    starts: Line
    ends: Line
    retention: Retention
    source: Line
    when: Literal["always", "stated"] = "always"
    actions: list[Key] = Field([], max_length=50)
    elements: list[Element] = Field([], max_length=40)
    exemptible: bool = False

    @model_validator(mode="after")
    def _full_is_not_exempted(self) -> Item:
        if self.mode == "full" and self.exemptible:
            raise ValueError("what is recorded in full is never exempted")
        return self

    def concerns(self, action: str | None) -> bool:
        """Tell whether cases of an action have it; a case without one has every item."""
        return not self.actions or action is None or action in self.actions


class ItemList(Part):
    """A whole list.

    Attributes:
        agency: Whose it is; versions are counted by it.
        source: The document it follows.
        archive: Time limits of archiving (R22); none where the agency's document states none.
        tolerance_seconds: How far times of documents and clips may differ without being told (R10); documents are
            written to the minute.
    """

    agency: Line
    title: Line
    source: Line
    action_types: Annotated[list[ActionType], Field(min_length=1, max_length=50)]
    items: Annotated[list[Item], Field(min_length=1, max_length=ITEMS_MAX)]
    archive: list[ArchiveRule] = Field([], max_length=50)
    tolerance_seconds: Annotated[int, Field(ge=0, le=3600)] = 60

    @model_validator(mode="after")
    def _keys_are_known(self) -> ItemList:
        actions = _unique((action.key for action in self.action_types), "action type")
        _unique((item.key for item in self.items), "item")
        _unique((item.title for item in self.items), "title")
        _unique((rule.action or "" for rule in self.archive), "rule of archiving")
        used = {key for item in self.items for key in item.actions} | {one.action for one in self.archive if one.action}
        if strange := sorted(used - actions):
            raise ValueError(f"no such action type: {strange[0]}")
        return self

    def item(self, word: str | None) -> Item | None:
        """Return the item that an annotation means, by key or by title; None for what is not on the list."""
        return next((item for item in self.items if word is not None and word.strip() in (item.key, item.title)), None)

    def action(self, key: str) -> ActionType | None:
        """Return an action type."""
        return next((action for action in self.action_types if action.key == key), None)

    def archive_rule(self, action: str | None) -> ArchiveRule | None:
        """Return the rule for cases of an action: its own, else the one for all."""
        own = next((rule for rule in self.archive if action is not None and rule.action == action), None)
        return own or next((rule for rule in self.archive if rule.action is None), None)

    def as_json(self) -> JsonObject:
        """Return the list as the payload states it: what was left out stays out."""
        stated: dict[str, JsonValue] = self.model_dump(mode="json", exclude_defaults=True)
        return stated


def read_list(raw: object) -> ItemList:
    """Read a list that somebody handed in as JSON values.

    Raises:
        ItemListInvalid: It breaks a rule; `details["problems"]` names each place and what is wrong there.
    """
    return read_part(raw, ItemList, what="list", refused=ItemListInvalid)


def _unique(keys: Iterable[str], what: str) -> set[str]:
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            raise ValueError(f"two of one {what}: {key}")
        seen.add(key)
    return seen
