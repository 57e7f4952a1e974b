"""Payloads of the entries about recording-item lists and case files."""

from __future__ import annotations

from pydantic import Field

from evidence.cases.item_list import ItemList
from evidence.cases.statements import Day, Section, Statement
from evidence.clips.parts import Key
from evidence.custody.payloads import Digest, Id, Name, Ordinal, Payload


class ItemsPublished(Payload):
    """A version of an agency's recording-item list, whole; in force from its day on until the next version's."""

    items: Id
    agency: Name
    version: Ordinal
    effective_from: Day
    list: ItemList


class CaseOpened(Payload):
    """A case begins under a number; `items` is the recording-item list in force, which it keeps."""

    case: Id
    number: Name
    title: Name
    kind: Key | None = None
    unit: Id | None = None
    items: Id | None = None
    handlers: list[Name] = Field([], max_length=20)
    facts: dict[str, object] = Field({})


class CaseClipLinked(Payload):
    """A clip becomes an exhibit of a case; the number never moves."""

    case: Id
    clip: Id
    exhibit: Ordinal


class CaseClipUnlinked(Payload):
    """A clip is no exhibit of a case any more; its number stays used and is never given again."""

    case: Id
    clip: Id
    exhibit: Ordinal
    reason: Name


class CaseAmended(Payload):
    """Other words for a case, with the reason; what is null stays as it was. The case's page is at `version` now."""

    case: Id
    version: Ordinal
    reason: Name
    title: Name | None = None
    handlers: list[Name] | None = None
    facts: dict[str, object] | None = None


class CaseArranged(Payload):
    """The 案卷 in sections: exhibits and documents in their order. The case's page is at `version` now."""

    case: Id
    version: Ordinal
    sections: list[Section]


class CaseStated(Payload):
    """Something is said about a case: a document, an activity, an exemption, a conclusion; see evidence/cases."""

    case: Id
    statement: Statement


class CaseArchived(Payload):
    """A case is closed for good: everything that belongs to it, frozen, with the root over it."""

    case: Id
    root: Digest
    manifest: dict[str, object]
