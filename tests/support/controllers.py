"""Controllers of body worn systems for tests: connected, and with a session of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from evidence.parties.controllers import connect_controller, open_session
from tests.support.clock import SeededEntropy

if TYPE_CHECKING:
    from api.services import Services


@dataclass(frozen=True, slots=True)
class PaperController:
    """A controller on paper: what its connection file says, and the token of a session."""

    controller: UUID
    key: str
    token: str

    @property
    def account(self) -> str:
        """Its account in addresses."""
        return f"/v1/AUTH_{self.controller.hex}"


async def connect_paper(services: Services, name: str, *, entropy: SeededEntropy) -> PaperController:
    """Connect a controller the way the command does, and open a session."""
    async with services.pool.acquire() as conn, conn.transaction():
        connected = await connect_controller(conn, name=name, actor="service", clock=services.clock, entropy=entropy)
    async with services.pool.acquire() as conn, conn.transaction():
        opened = await open_session(
            conn, user=str(connected.controller), key=connected.key, clock=services.clock, entropy=entropy
        )
    assert opened is not None
    return PaperController(connected.controller, connected.key, opened[0].text)
