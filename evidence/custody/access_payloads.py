"""Payloads about access: what is granted to a person and withdrawn, which classes a clip bears, who searched for it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from evidence.custody.payloads import Count, Id, Name, Payload, Text, Time, Word

GRANT_UNITS_MAX = 500
GRANT_CASES_MAX = 500
CLASSES_MAX = 50
SHOWN_MAX = 200
"""Most restricted clips that one page of a search shows."""


class AccessGranted(Payload):
    """A person may from now on, until `until` or its withdrawal, reach these units, cases and access classes."""

    grant: Id
    staff: Id
    units: Annotated[list[Id], Field(max_length=GRANT_UNITS_MAX)]
    all_units: bool
    cases: Annotated[list[Id], Field(max_length=GRANT_CASES_MAX)]
    classes: Annotated[list[Word], Field(max_length=CLASSES_MAX)]
    until: Time | None
    reason: Name


class AccessWithdrawn(Payload):
    """A grant is worth nothing from now on."""

    grant: Id
    staff: Id
    reason: Name


class ClipClassified(Payload):
    """The access classes a clip bears from now on, out of this edition of the list; an empty list narrows no more."""

    clip: Id
    edition: Count
    classes: Annotated[list[Word], Field(max_length=CLASSES_MAX)]
    reason: Name


class ClipsSearched(Payload):
    """A person searched among what bears access classes: the question, its purpose, and which such clips it showed."""

    search: Id
    staff: Id
    purpose: Word
    question: Text
    classes: Annotated[list[Word], Field(max_length=CLASSES_MAX)]
    clips: Annotated[list[Id], Field(max_length=SHOWN_MAX)]
    session: Id | None = None
