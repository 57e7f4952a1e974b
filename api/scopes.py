"""Scopes: a token that opens less than its holder's role may do, for programs that need one thing only.

A scope names a group of routes (`Route.tag`), or with `.read` behind it what only reads there (GET). A token without
scopes opens everything that the role may; one with scopes never opens more than the role. Asking who one is, and ending
what one came with, needs no scope.
"""

from __future__ import annotations

from collections.abc import Iterable

from api.errors import ScopeUnknown
from api.route import Route

GROUPS = frozenset(
    (
        *(
            "access",
            "accounts",
            "annotations",
            "custody",
            "cases",
            "clips",
            "deadlines",
            "docks",
            "exports",
            "items",
            "outbox",
            "recorders",
            "registers",
        ),
        *("publicity", "retention", "reviews", "search", "service", "staff", "statistics", "uploads"),
    )
)
"""Groups of routes that people may use; a test holds the tags of the table against them."""

READ = ".read"

SCOPES = GROUPS | {f"{group}{READ}" for group in GROUPS}


def check_scopes(scopes: Iterable[str] | None) -> None:
    """See that scopes can be given to a token.

    Raises:
        ScopeUnknown: There are none in the list, or one of them is no group of routes.
    """
    if scopes is None:
        return
    given = set(scopes)
    if unknown := sorted(given - SCOPES):
        raise ScopeUnknown(f"there is no scope {unknown[0][:40]!r}", scopes=sorted(SCOPES))
    if not given:
        raise ScopeUnknown("a token without a scope would open nothing", scopes=sorted(SCOPES))


def opens(scopes: frozenset[str] | None, route: Route) -> bool:
    """Tell whether a token with these scopes opens a route that its role may use."""
    if scopes is None or route.tag == "session":
        return True
    return route.tag in scopes or (route.method == "GET" and f"{route.tag}{READ}" in scopes)
