"""SQL of what docks say of themselves: one row per dock, overwritten by every heartbeat. Passing state, no evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from evidence.db.pool import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class DockState:
    """What a dock said last, and when it was heard by the service's clock."""

    dock: UUID
    heard_at: datetime
    said: Mapping[str, Any]


async def keep_state(conn: Connection, *, dock: UUID, at: datetime, said: Mapping[str, Any]) -> None:
    """Take down what a dock says of itself; an older word that comes late changes nothing."""
    await conn.execute(
        """INSERT INTO dock_state (dock, heard_at, said) VALUES ($1, $2, $3)
           ON CONFLICT (dock) DO UPDATE SET heard_at = excluded.heard_at, said = excluded.said
           WHERE dock_state.heard_at <= excluded.heard_at""",
        dock,
        at,
        said,
    )


async def states_of(conn: Connection, docks: Sequence[UUID]) -> Mapping[UUID, DockState]:
    """Return what some docks said last; docks that never spoke are not in it."""
    rows = await conn.fetch("SELECT dock, heard_at, said FROM dock_state WHERE dock = ANY($1)", list(docks))
    return {row["dock"]: DockState(**dict(row)) for row in rows}


async def heard(conn: Connection) -> Mapping[UUID, datetime]:
    """Return when each dock that ever spoke, and is not revoked, was heard last."""
    rows = await conn.fetch(
        """SELECT dock, heard_at FROM dock_state
           WHERE NOT EXISTS (SELECT FROM dock_revocation r WHERE r.dock = dock_state.dock) ORDER BY dock"""
    )
    return {row["dock"]: row["heard_at"] for row in rows}
