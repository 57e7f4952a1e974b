"""Payloads and events for tests: valid ones, made from as little as a test cares about."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from uuid import UUID

from evidence.core.clock import format_time
from evidence.core.digest import CHUNK_BYTES
from evidence.core.ids import uuid7
from evidence.custody.record import Recorded, record
from evidence.db.pool import Connection
from ledger.canonical import JsonValue
from tests.support.clock import SeededEntropy, SteppingClock


@dataclass(kw_only=True)
class Scribe:
    """Records events with a clock and entropy of its own; every content, id and time differs from the one before."""

    conn: Connection
    clock: SteppingClock
    entropy: SeededEntropy

    def new_id(self) -> UUID:
        return uuid7(clock=self.clock, entropy=self.entropy)

    def sealed(self, **changes: JsonValue) -> dict[str, JsonValue]:
        """Return a `clip.sealed` payload of a made-up content from a dock."""
        payload: dict[str, JsonValue] = {
            "clip": str(self.new_id()),
            "upload": str(self.new_id()),
            "name": "DCAM_A100001_000042_20260302_093000.mp4",
            "path": "DCIM/DCAM_A100001_000042_20260302_093000.mp4",
            "raw": False,
            "recorder": "A100001",
            "dock": str(self.new_id()),
            "inventory": str(self.new_id()),
            "actor": "service",
            "size": 1_000,
            "chunk_size": CHUNK_BYTES,
            "chunks": 1,
            "root": hashlib.sha256(self.entropy(32)).hexdigest(),
            "sha256": hashlib.sha256(self.entropy(32)).hexdigest(),
            "manifest": None,
            "recorded_at": format_time(self.clock()),
            "officer": "000042",
            "key_mark": False,
            "received_at": format_time(self.clock()),
        }
        return payload | changes

    async def write(self, event_type: str, subject: str, payload: dict[str, JsonValue]) -> Recorded:
        """Record an event in a transaction of its own."""
        async with self.conn.transaction():
            return await record(
                self.conn,
                type=event_type,
                actor="service",
                subject=subject,
                payload=payload,
                clock=self.clock,
                entropy=self.entropy,
            )

    async def seal(self, **changes: JsonValue) -> UUID:
        """Record a sealed clip and return its id."""
        payload = self.sealed(**changes)
        await self.write("clip.sealed", f"clip:{payload['clip']}", payload)
        return UUID(str(payload["clip"]))
