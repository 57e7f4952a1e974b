"""What of the catalogue a person may find: the rules of `policy` for knowing of a clip, as one condition over many.

A search is filtered where it is made, in SQL, so that pages, counts and cursors know nothing of what is hidden. The
columns are `search_document.unit` (the unit a clip belongs to; the units below a granted one are told by the register
when somebody asks, not by the document) and `search_document.classes`; cases stand among its facets. Without a purpose
on record nothing that bears an access class is found, whoever asks.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from evidence.access.policy import OFFICES, Action, Person, Subject
from evidence.parties.roles import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What may be found.

    Attributes:
        staff: Who asks; None for the house itself.
        units: Units whose clips are found; None for all, and for what belongs to none.
        cases: Cases whose clips are found, whatever their unit.
        classes: Classes that a clip may bear and still be found; None for any.
    """

    staff: UUID | None = None
    units: frozenset[UUID] | None
    cases: frozenset[UUID] = frozenset()
    classes: frozenset[str] | None

    @property
    def is_whole(self) -> bool:
        """Whether nothing is hidden."""
        return self.units is None and self.classes is None


WHOLE = Scope(units=None, classes=None)
"""Everything there is: for the house itself, and where roles alone decide."""


def scope_of(person: Person, *, with_purpose: bool) -> Scope:
    """Return what a person may find.

    Args:
        with_purpose: Whether the search names its purpose and is put on record before it is answered.
    """
    office = any(Action.METADATA in OFFICES.get(role, ()) for role in person.roles)
    units = None if office or person.all_units else person.units
    if person.all_classes:
        classes = None
    elif not with_purpose:
        classes = frozenset[str]()
    else:
        classes = None if office else person.classes
    return Scope(staff=person.staff, units=units, cases=person.cases, classes=classes)


def units_counted(person: Person) -> frozenset[UUID] | None:
    """Return the units whose figures a person is told: all (None) for custody and archives, else those granted."""
    if person.all_units or person.roles & {Role.AUDITOR, Role.ARCHIVIST}:
        return None
    return person.units


def scope_allows(scope: Scope, subject: Subject) -> bool:
    """Say whether one clip is found: what the condition in SQL says of its document."""
    reached = scope.units is None or subject.unit in scope.units or bool(subject.cases & scope.cases)
    return reached and (scope.classes is None or subject.classes <= scope.classes)
