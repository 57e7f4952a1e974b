"""Roles: the closed list of what a party may be, and what each is called.

A role is data on a token; what it may do is data on a route. An administrator manages people and docks and sees no
footage; an auditor reads everything and changes nothing; a dock, and the controller of a body worn system that others
made, only bring what they have found.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Role(StrEnum):
    """What a party is; the value is stored in ledger payloads and never changes its meaning."""

    INVESTIGATOR = "investigator"
    REVIEWER = "reviewer"
    ARCHIVIST = "archivist"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"
    DOCK = "dock"
    CONTROLLER = "controller"


STAFF_ROLES: frozenset[Role] = frozenset(Role) - {Role.DOCK, Role.CONTROLLER}
"""Roles a person may hold; those of docks and controllers come with their keys."""

ROLE_TITLES: Mapping[Role, tuple[str, str]] = MappingProxyType(
    {
        Role.INVESTIGATOR: ("执法人员", "investigator"),
        Role.REVIEWER: ("法制审核人员", "legal reviewer"),
        Role.ARCHIVIST: ("档案管理人员", "archivist"),
        Role.AUDITOR: ("监督审计人员", "auditor"),
        Role.ADMINISTRATOR: ("系统管理员", "administrator"),
        Role.DOCK: ("采集站", "docking station"),
        Role.CONTROLLER: ("执法仪系统控制器", "controller of a body worn system"),
    }
)
"""What people call each role, in Chinese and English."""
