"""Scopes of tokens: which routes they open, and that the list of groups is the table's."""

from __future__ import annotations

import pytest

from api.errors import ScopeUnknown
from api.routes.table import ROUTES
from api.scopes import GROUPS, SCOPES, check_scopes, opens
from evidence.parties.roles import STAFF_ROLES

BY_NAME = {route.name: route for route in ROUTES}


def test_there_is_a_scope_for_every_group_that_people_use() -> None:
    assert {route.tag for route in ROUTES if (route.roles or frozenset()) & STAFF_ROLES} - {"session"} <= GROUPS


def test_no_scopes_open_everything_and_reading_opens_no_change() -> None:
    for route in ROUTES:
        assert opens(None, route)
        if route.tag in GROUPS:
            assert opens(SCOPES, route)
            assert not opens(frozenset(), route)
            assert opens(frozenset({f"{route.tag}.read"}), route) == (route.method == "GET")
            assert not opens(SCOPES - {route.tag, f"{route.tag}.read"}, route)


@pytest.mark.parametrize(
    "scopes", [[], ["clip"], ["clips", "clips.write"], ["*"], ["clips "], ["CLIPS"], ["clips.read.read"]]
)
def test_what_is_no_scope_is_refused(scopes: list[str]) -> None:
    with pytest.raises(ScopeUnknown):
        check_scopes(scopes)


def test_scopes_that_there_are_can_be_given() -> None:
    check_scopes(None)
    check_scopes(sorted(SCOPES))
