"""Routes and rules agree: every route says what it does, and whoever it lets in may do that within their reach."""

from __future__ import annotations

from types import SimpleNamespace
from uuid import UUID

import pytest

from api.openapi import codes_of
from api.route import Route
from api.routes.permits import NOTHING, PERMITS, names_footage, permit_of
from api.routes.table import ROUTES
from evidence.access.policy import Action, Person, Subject, decide
from evidence.parties.roles import STAFF_ROLES

OF_PEOPLE = [route for route in ROUTES if route.roles and route.roles & STAFF_ROLES]
BODY = SimpleNamespace(rendition="proxy", clip=UUID(int=1), case=None, clips=(), repeat=None)
UNIT = UUID(int=2)


def test_every_route_for_people_says_what_it_does_with_footage() -> None:
    assert {route.name for route in OF_PEOPLE} - set(PERMITS) == set(), "say it in api/routes/permits.py"
    assert set(PERMITS) - {route.name for route in OF_PEOPLE} == set(), "these routes are gone"


def test_a_route_that_names_footage_does_something_with_it() -> None:
    for route in OF_PEOPLE:
        permit = permit_of(route)
        if names_footage(route):
            assert permit.action is not None, route.name
            assert {
                "access.denied",
                *(f"{one}.unknown" for one in route.parameters if one in {"clip", "case", "export"}),
            } <= set(codes_of(route))
        if permit is NOTHING:
            assert not names_footage(route), route.name


@pytest.mark.parametrize("route", OF_PEOPLE, ids=lambda route: route.name)
def test_whom_a_route_lets_in_the_rules_let_do_it_within_reach(route: Route) -> None:
    action = permit_of(route).action_of(BODY)
    if action is None or not names_footage(route):
        return
    assert route.roles is not None
    for role in route.roles & STAFF_ROLES:
        person = Person(staff=UUID(int=3), roles=frozenset({role}), units=frozenset({UNIT}))
        assert decide(person, Subject(unit=UNIT), action).allowed, (route.name, role)


def test_a_route_that_nobody_listed_is_held_to_its_address() -> None:
    view = next(route for route in OF_PEOPLE if route.name == "view_clip")
    for method, action in (("GET", Action.METADATA), ("POST", Action.ANNOTATE), ("DELETE", Action.ANNOTATE)):
        stray = Route(**{**{name: getattr(view, name) for name in view.__slots__}, "name": "new", "method": method})
        assert permit_of(stray).action_of(None) is action
        assert {"clip.unknown", "access.denied"} <= set(codes_of(stray))


def test_the_original_is_another_matter_than_a_view() -> None:
    permit = PERMITS["view_clip"]
    assert permit.action_of(BODY) is Action.VIEW
    assert permit.action_of(SimpleNamespace(rendition="original")) is Action.ORIGINAL
