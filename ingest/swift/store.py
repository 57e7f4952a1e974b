"""SQL of deliveries under way: containers, and the objects in them that came whole.

An object's row is written when all its bytes are on disk and not before; the container's row, locked, decides what may
still change. See `ingest/schema/0004_swift.sql`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

import asyncpg

from evidence.db.pool import Connection, Pool
from ingest.store import Source
from ingest.swift.rules import ObjectKind


class ContainerState(StrEnum):
    """A register stays one; a recording goes `transferring` -> `sealing` -> `sealed`."""

    REGISTER = "register"
    TRANSFERRING = "transferring"
    SEALING = "sealing"
    SEALED = "sealed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A container; `recording` is the id it will be on record under, `spool` names the host that holds its bytes."""

    controller: UUID
    name: str
    recording: UUID
    spool: UUID
    metadata: Mapping[str, str]
    state: ContainerState

    @property
    def actor(self) -> str:
        """How the ledger calls who fills it."""
        return f"controller:{self.controller}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An object that came whole; `size` in bytes, `sha256` of 32 bytes, `md5` in hex.

    Attributes:
        upload: Where the bytes of an original are.
        body: The bytes of anything else, None once they are sealed.
    """

    name: str
    kind: ObjectKind
    upload: UUID | None
    body: bytes | None
    sha256: bytes
    md5: str
    size: int
    metadata: Mapping[str, str]
    updated_at: datetime


_Executor: TypeAlias = "Pool | Connection"
_HELD = "name, kind, upload, body, sha256, md5, size, metadata, updated_at"


async def insert_container(conn: Connection, container: Container, *, at: datetime) -> bool:
    """Create a container; tell whether it is new."""
    status = await conn.execute(
        """INSERT INTO swift_container (controller, name, recording, spool, metadata, state, created_at, updated_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $7) ON CONFLICT DO NOTHING""",
        container.controller,
        container.name,
        container.recording,
        container.spool,
        dict(container.metadata),
        str(container.state),
        at,
    )
    return not status.endswith(" 0")


async def find_container(db: _Executor, controller: UUID, name: str) -> Container | None:
    """Return a container."""
    row = await db.fetchrow("SELECT * FROM swift_container WHERE controller = $1 AND name = $2", controller, name)
    return None if row is None else _container(row)


async def lock_container(conn: Connection, controller: UUID, name: str) -> Container | None:
    """Return a container and hold its row until the transaction ends."""
    row = await conn.fetchrow(
        "SELECT * FROM swift_container WHERE controller = $1 AND name = $2 FOR UPDATE", controller, name
    )
    return None if row is None else _container(row)


async def update_container(
    conn: Connection, container: Container, *, metadata: Mapping[str, str], state: ContainerState, at: datetime
) -> None:
    """Change what a container says and is; the caller holds its row."""
    await conn.execute(
        "UPDATE swift_container SET metadata = $3, state = $4, updated_at = $5 WHERE controller = $1 AND name = $2",
        container.controller,
        container.name,
        dict(metadata),
        str(state),
        at,
    )


async def sealing(db: _Executor, *, spool: UUID) -> list[Container]:
    """Return this host's containers that were called complete and are not on record yet, oldest first."""
    rows = await db.fetch(
        "SELECT * FROM swift_container WHERE spool = $1 AND state = 'sealing' ORDER BY created_at", spool
    )
    return [_container(row) for row in rows]


async def objects_of(db: _Executor, controller: UUID, container: str) -> list[Held]:
    """Return the objects of a container in the order of their names' bytes."""
    rows = await db.fetch(
        f"""SELECT {_HELD} FROM swift_object WHERE controller = $1 AND container = $2 ORDER BY name COLLATE "C" """,  # noqa: S608
        controller,
        container,
    )
    return [_held(row) for row in rows]


async def count_objects(db: _Executor, controller: UUID, container: str) -> tuple[int, int]:
    """Return how many objects a container has, and their bytes together."""
    row = await db.fetchrow(
        """SELECT count(*) AS count, coalesce(sum(size), 0)::bigint AS size FROM swift_object
           WHERE controller = $1 AND container = $2""",
        controller,
        container,
    )
    assert row is not None  # noqa: S101 - an aggregate has one row
    return row["count"], row["size"]


async def find_object(db: _Executor, controller: UUID, container: str, name: str) -> Held | None:
    """Return an object."""
    row = await db.fetchrow(
        f"SELECT {_HELD} FROM swift_object WHERE controller = $1 AND container = $2 AND name = $3",  # noqa: S608
        controller,
        container,
        name,
    )
    return None if row is None else _held(row)


async def put_object(conn: Connection, container: Container, held: Held) -> None:
    """Put an object in the place of what had its name; the caller holds the container's row."""
    await conn.execute(
        """INSERT INTO swift_object (controller, container, name, kind, upload, body, sha256, md5, size, metadata,
               updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
           ON CONFLICT (controller, container, name) DO UPDATE SET kind = excluded.kind, upload = excluded.upload,
               body = excluded.body, sha256 = excluded.sha256, md5 = excluded.md5, size = excluded.size,
               metadata = excluded.metadata, updated_at = excluded.updated_at""",
        container.controller,
        container.name,
        held.name,
        str(held.kind),
        held.upload,
        held.body,
        held.sha256,
        held.md5,
        held.size,
        dict(held.metadata),
        held.updated_at,
    )


async def describe_object(
    conn: Connection, container: Container, name: str, *, metadata: Mapping[str, str], at: datetime
) -> None:
    """Replace what is said about an object; the caller holds the container's row."""
    await conn.execute(
        """UPDATE swift_object SET metadata = $4, updated_at = $5
           WHERE controller = $1 AND container = $2 AND name = $3""",
        container.controller,
        container.name,
        name,
        dict(metadata),
        at,
    )


async def forget_bodies(conn: Connection, container: Container) -> None:
    """Drop the bytes that are objects by now."""
    await conn.execute(
        "UPDATE swift_object SET body = NULL WHERE controller = $1 AND container = $2",
        container.controller,
        container.name,
    )


async def settle_source(db: _Executor, upload: UUID, source: Source) -> None:
    """Say of an upload that is not complete where its bytes come from."""
    await db.execute(
        "UPDATE upload SET recorder = $2, recorded_at = $3, officer = $4 WHERE id = $1 AND state = 'open'",
        upload,
        source.recorder,
        source.recorded_at,
        source.officer,
    )


def _container(row: asyncpg.Record) -> Container:
    return Container(
        controller=row["controller"],
        name=row["name"],
        recording=row["recording"],
        spool=row["spool"],
        metadata=row["metadata"],
        state=ContainerState(row["state"]),
    )


def _held(row: asyncpg.Record) -> Held:
    return Held(**{**dict(row), "kind": ObjectKind(row["kind"])})
