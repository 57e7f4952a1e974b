"""A call: one request that has passed the gate, with everything its handler needs, parsed and typed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from aiohttp import web

from api.auth import Caller, DockCaller, StaffCaller
from api.services import Services
from evidence.access.policy import Person
from evidence.access.scope import Scope, scope_of

BodyT = TypeVar("BodyT")
QueryT = TypeVar("QueryT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[BodyT, QueryT]):
    """What a handler is given.

    Attributes:
        request: For headers, path and streamed bodies.
        services: The house behind the boundary.
        caller: Who calls; None only on routes that are open to anybody.
        body: As the route's `Body` read it.
        query: As the route's query model read it.
        asking: Who asks, for the rules of access; None for machines, and where no clip or case is touched.
    """

    request: web.Request
    services: Services
    caller: Caller | None
    body: BodyT
    query: QueryT
    asking: Person | None = None

    def id(self, name: str) -> UUID:
        """Return a path parameter that the route's pattern has made sure is a UUID."""
        return UUID(self.request.match_info[name])

    @property
    def actor(self) -> str:
        """How the ledger calls the caller."""
        return self._known().actor

    @property
    def staff(self) -> StaffCaller:
        """The caller of a route that only people may use."""
        caller = self._known()
        if not isinstance(caller, StaffCaller):
            raise TypeError("a route for people was reached by a dock")
        return caller

    @property
    def person(self) -> Person:
        """Who asks, for the rules of access, on a route that touches clips or cases."""
        if self.asking is None:
            raise TypeError("a route that touches no clip asked who may see what")
        return self.asking

    def scope(self, *, with_purpose: bool = False) -> Scope:
        """Return what the caller may find; what bears an access class only by a search that is put on record."""
        return scope_of(self.person, with_purpose=with_purpose)

    @property
    def dock(self) -> DockCaller:
        """The caller of a route that only docks may use."""
        caller = self._known()
        if not isinstance(caller, DockCaller):
            raise TypeError("a route for docks was reached by a person")
        return caller

    def _known(self) -> Caller:
        if self.caller is None:
            raise TypeError("an open route asked who calls")
        return self.caller
