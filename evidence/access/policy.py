"""The rules of access: who may do what with a clip or a case. Pure; no clock, no database.

    role     what a person of this role may ever do
    reach    which clips and cases: of a unit granted to them or below it, of a case granted to them, opened by them
    classes  what narrows further: every class of the clip has to be granted too; a class never opens anything

All three have to agree, and what no rule allows is denied. Two roles stand outside of reach: an administrator manages,
which is to say whose a clip is too, and sees no footage; an auditor reads custody and metadata of everything, and looks
at footage only within their reach. Custody reports are the auditor's, and an archivist's within reach; not an
administrator's, who gives and takes access and is one of those whom the reports are about. Grants of one person add up;
units are handed in with all that lies below them.
Properties that the tests hold: a class more on a clip never allows more, a grant more never allows less, and who may do
anything with a clip may know of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from evidence.parties.roles import Role

COVERT = "covert"
"""The one class that an annotation puts on its clip too, by stating that it was recorded covertly."""


class Action(StrEnum):
    """What somebody wants to do with a clip or a case."""

    METADATA = "metadata"
    """Know that it is there: facts, remarks, history, custody; not who speaks, not what it shows."""

    IDENTIFY = "identify"
    """Read who the speakers are: names and identities in annotations."""

    ATTRIBUTE = "attribute"
    """Read or say whose a clip is: its officer and unit, and nothing of what it shows."""

    CUSTODY = "custody"
    """Read custody reports: which people looked, from which session, what for, and what they were given."""

    VIEW = "view"
    ORIGINAL = "original"
    EXCERPT = "excerpt"
    EXPORT = "export"
    ANNOTATE = "annotate"
    LINK = "link"
    APPROVE = "approve"
    HOLD = "hold"
    DISPOSE = "dispose"
    ADMINISTRATE = "administrate"


class Because(StrEnum):
    """Why the rules allow or deny; the first five allow."""

    OFFICE = "office"
    ALL_UNITS = "all_units"
    UNIT = "unit"
    CASE = "case"
    OPENED = "opened"
    ROLE = "role"
    REACH = "reach"
    CLASS = "class"


MEANINGS: Mapping[Because, str] = MappingProxyType(
    {
        Because.OFFICE: "the role's own office",
        Because.ALL_UNITS: "every unit is granted",
        Because.UNIT: "its unit, or one above it, is granted",
        Because.CASE: "a case that it is in is granted",
        Because.OPENED: "the person opened this case",
        Because.ROLE: "no role of the person does this",
        Because.REACH: "neither its unit nor a case that it is in is granted",
        Because.CLASS: "it bears an access class that is not granted",
    }
)
"""What each code says, for people."""

_LOOKING = frozenset({Action.METADATA, Action.ATTRIBUTE, Action.VIEW, Action.ORIGINAL, Action.EXCERPT})
_WORKING = _LOOKING | {Action.IDENTIFY, Action.EXPORT}

RIGHTS: Mapping[Role, frozenset[Action]] = MappingProxyType(
    {
        Role.INVESTIGATOR: _WORKING | {Action.ANNOTATE, Action.LINK, Action.HOLD},
        Role.REVIEWER: _WORKING | {Action.APPROVE, Action.HOLD},
        Role.ARCHIVIST: _WORKING | {Action.CUSTODY, Action.ANNOTATE, Action.LINK, Action.HOLD, Action.DISPOSE},
        Role.AUDITOR: _LOOKING | {Action.CUSTODY},
        Role.ADMINISTRATOR: frozenset({Action.ADMINISTRATE, Action.ATTRIBUTE}),
        Role.DOCK: frozenset(),
        Role.CONTROLLER: frozenset(),
    }
)
"""What each role may ever do; within reach, but for the offices below."""

OFFICES: Mapping[Role, frozenset[Action]] = MappingProxyType(
    {
        Role.AUDITOR: frozenset({Action.METADATA, Action.ATTRIBUTE, Action.CUSTODY}),
        Role.ADMINISTRATOR: frozenset({Action.ADMINISTRATE, Action.ATTRIBUTE}),
    }
)
"""What a role may do with everything, whatever is granted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who asks, with all that is granted to them now.

    Attributes:
        units: Units granted, with every unit below them.
        cases: Cases granted.
        classes: Access classes granted.
        all_units: Whether every unit is granted, also footage that belongs to none.
        all_classes: Whether no class narrows them: only where the house decides by role alone.
    """

    staff: UUID
    roles: frozenset[Role]
    units: frozenset[UUID] = frozenset()
    cases: frozenset[UUID] = frozenset()
    classes: frozenset[str] = frozenset()
    all_units: bool = False
    all_classes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What it is about: a clip, or a case.

    Attributes:
        unit: The unit it belongs to; None while nobody knows.
        cases: Cases a clip is in; of a case, the case itself.
        classes: Access classes it bears.
        opened_by: The person who opened a case; None of clips.
    """

    unit: UUID | None = None
    cases: frozenset[UUID] = frozenset()
    classes: frozenset[str] = frozenset()
    opened_by: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the rules say; `code` is stable, `because` is for people."""

    allowed: bool
    code: Because

    @property
    def because(self) -> str:
        """The reason as a sentence."""
        return MEANINGS[self.code]


def decide(person: Person, subject: Subject, action: Action) -> Decision:
    """Say whether a person may do something with a clip or a case, and why or why not."""
    if any(action in OFFICES.get(role, ()) for role in person.roles):
        return Decision(allowed=True, code=Because.OFFICE)
    if not any(action in RIGHTS[role] for role in person.roles):
        return Decision(allowed=False, code=Because.ROLE)
    reach = _reach(person, subject)
    if reach is None:
        return Decision(allowed=False, code=Because.REACH)
    if not (person.all_classes or subject.classes <= person.classes):
        return Decision(allowed=False, code=Because.CLASS)
    return Decision(allowed=True, code=reach)


def classes_of(classified: Sequence[str] | None, *, covert: object) -> frozenset[str]:
    """Return the classes a clip bears: those it was given, and `covert` when its annotation says that it is."""
    return frozenset(classified or ()) | (frozenset({COVERT}) if covert else frozenset())


def _reach(person: Person, subject: Subject) -> Because | None:
    if person.all_units:
        return Because.ALL_UNITS
    if subject.unit is not None and subject.unit in person.units:
        return Because.UNIT
    if subject.cases & person.cases:
        return Because.CASE
    return Because.OPENED if subject.opened_by == person.staff else None
