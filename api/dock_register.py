"""The register of docks: what is on record of each, and what it said of itself last."""

from __future__ import annotations

from datetime import datetime

from api.models.docks import DockItem, DockStanding, Heartbeat
from api.services import Services
from evidence.parties.dock_state_store import DockState, heard, states_of
from evidence.parties.store import Dock, list_docks

HEARTBEAT_SECONDS = 60
"""How often docks are asked to speak."""


async def docks_as_they_stand(services: Services, docks: list[Dock]) -> list[DockItem]:
    """Return docks with what they said last."""
    async with services.pool.acquire() as conn:
        states = await states_of(conn, [dock.dock for dock in docks])
    now, silence = services.clock(), services.config.dock_silence_seconds
    return [_item(dock, states.get(dock.dock), now=now, silence_seconds=silence) for dock in docks]


async def all_docks(services: Services, *, limit: int) -> list[DockItem]:
    """Return the first docks in order of their ids, as they stand."""
    async with services.pool.acquire() as conn:
        docks = await list_docks(conn, after=None, limit=limit)
    return await docks_as_they_stand(services, list(docks))


async def seconds_since_heard(services: Services) -> dict[str, float]:
    """Return for each dock that ever spoke, and is not revoked, how long ago that was."""
    async with services.pool.acquire() as conn:
        found = await heard(conn)
    now = services.clock()
    return {str(dock): max(0.0, (now - at).total_seconds()) for dock, at in found.items()}


def _item(dock: Dock, state: DockState | None, *, now: datetime, silence_seconds: float) -> DockItem:
    return DockItem(
        dock=dock.dock,
        name=dock.name,
        vkey=dock.vkey,
        key_sequence=dock.key_sequence,
        key_since=dock.key_since,
        key_demanded_at=dock.key_demanded_at,
        enrolled_at=dock.enrolled_at,
        revoked_at=dock.revoked_at,
        revoked_reason=dock.revoked_reason,
        state=_standing(dock, state, now=now, silence_seconds=silence_seconds),
        heard_at=None if state is None else state.heard_at,
        said=None if state is None else Heartbeat.model_validate(dict(state.said)),
    )


def _standing(dock: Dock, state: DockState | None, *, now: datetime, silence_seconds: float) -> DockStanding:
    if dock.revoked_at is not None:
        return DockStanding.REVOKED
    if state is None:
        return DockStanding.NEVER_HEARD
    is_silent = (now - state.heard_at).total_seconds() > silence_seconds
    return DockStanding.SILENT if is_silent else DockStanding.HEARD
