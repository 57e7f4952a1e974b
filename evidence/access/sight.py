"""Which of many clips and cases a person may know of, for lists that are not made by a search."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from evidence.access.grant_store import ids_of_numbers, subjects_of_cases, subjects_of_clips
from evidence.access.policy import Action, Person, decide
from evidence.db.pool import Connection


async def known_clips(
    conn: Connection, person: Person, clips: Collection[UUID], *, action: Action = Action.METADATA
) -> set[UUID]:
    """Return those of these clips that a person may know of, or do something else with."""
    if not clips or (person.all_units and person.all_classes):
        return set(clips)
    subjects = await subjects_of_clips(conn, clips)
    return {clip for clip, subject in subjects.items() if decide(person, subject, action).allowed}


async def known_cases(conn: Connection, person: Person, cases: Collection[UUID]) -> set[UUID]:
    """Return those of these cases that a person may know of."""
    if not cases or person.all_units:
        return set(cases)
    subjects = await subjects_of_cases(conn, cases)
    return {case for case, subject in subjects.items() if decide(person, subject, Action.METADATA).allowed}


async def known_numbers(conn: Connection, person: Person, numbers: Collection[str]) -> set[str]:
    """Return those of these numbers of cases that belong to cases a person may know of."""
    if not numbers or person.all_units:
        return set(numbers)
    ids = await ids_of_numbers(conn, numbers)
    known = await known_cases(conn, person, ids.values())
    return {number for number, case in ids.items() if case in known}
