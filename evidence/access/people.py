"""Who asks: a person with the role they show and all that is granted to them at this moment."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from evidence.access.grant_store import grants_of
from evidence.access.policy import Person
from evidence.db.pool import Connection
from evidence.parties.roles import Role
from evidence.registers.unit_store import units_below


class AccessMode(StrEnum):
    """How the house decides; a setting, see ADR 26."""

    UNITS = "units"
    """By role, and by what is granted: units, cases, classes."""

    ROLES = "roles"
    """By role alone: whoever may do something may do it with everything, whatever class it bears."""


async def person_of(conn: Connection, *, staff: UUID, role: Role, mode: AccessMode, now: datetime) -> Person:
    """Return a person as the rules of access see them, by the grants that count now."""
    roles = frozenset({role})
    if mode is AccessMode.ROLES:
        return Person(staff=staff, roles=roles, all_units=True, all_classes=True)
    grants = [grant for grant in await grants_of(conn, staff) if grant.counts_at(now)]
    granted = frozenset[UUID]().union(*(grant.units for grant in grants))
    # The tree as it is now: what lies below a granted unit today is reached today. An unregistered one is only itself.
    units = granted | await units_below(conn, *granted) if granted else granted
    return Person(
        staff=staff,
        roles=roles,
        units=units,
        cases=frozenset[UUID]().union(*(grant.cases for grant in grants)),
        classes=frozenset[str]().union(*(grant.classes for grant in grants)),
        all_units=any(grant.all_units for grant in grants),
    )
