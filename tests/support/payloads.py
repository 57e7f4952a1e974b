"""Payloads and events for tests: valid ones, made from as little as a test cares about."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from uuid import UUID

from evidence.cases.cases import LinkedClip, link_clip, open_case
from evidence.clips.annotations import Annotated, annotate
from evidence.clips.content import read_content
from evidence.core.clock import Clock, format_time
from evidence.core.digest import CHUNK_BYTES
from evidence.core.ids import uuid7
from evidence.custody.record import Recorded, record
from evidence.db.pool import Connection
from ledger.canonical import JsonValue
from tests.support.clock import SeededEntropy

STAFF = "staff:0195a000-0000-7000-8000-000000000001"
"""The person who acts in these tests."""


@dataclass(kw_only=True)
class Scribe:
    """Records events with a clock and entropy of its own; every content, id and time differs from the one before."""

    conn: Connection
    clock: Clock
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

    async def attribute(self, clip: UUID, *, version: int = 1, **changes: JsonValue) -> None:
        """Record whose a clip is: nobody's, and recorded at a time put right, unless changed."""
        payload: dict[str, JsonValue] = {"clip": str(clip), "version": version, "officer": None, "unit": None}
        payload |= {"flags": [], "blocked": False, "recorded_at": None, "basis": "name"}
        await self.write("clip.attributed", f"clip:{clip}", payload | changes)

    def derived(self, clip: UUID, **changes: JsonValue) -> dict[str, JsonValue]:
        """Return a `clip.derived` payload with a proxy and a poster."""
        payload: dict[str, JsonValue] = {
            "clip": str(clip),
            "attempt": 1,
            "outcome": "reviewable",
            "reason": None,
            "tools": {"ffmpeg": "8.1.2"},
            "parameters": {"height": 720},
            "probe": {"duration_ms": 6_000, "streams": [{"codec": "h264"}, {"codec": "aac"}]},
            "objects": [
                {"kind": kind, "sha256": hashlib.sha256(self.entropy(32)).hexdigest(), "size": 10, "media_type": kind}
                for kind in ("poster", "proxy")
            ],
        }
        return payload | changes

    async def derive(self, clip: UUID, **changes: JsonValue) -> Recorded:
        """Record what could be made of a clip."""
        return await self.write("clip.derived", f"clip:{clip}", self.derived(clip, **changes))

    async def annotate(self, clip: UUID, *, expected_version: int = 0, **content: object) -> Annotated:
        """Write an annotation version in a transaction of its own."""
        async with self.conn.transaction():
            return await annotate(
                self.conn,
                clip=clip,
                content=read_content(content),
                expected_version=expected_version,
                actor=STAFF,
                clock=self.clock,
                entropy=self.entropy,
            )

    async def open_case(self, number: str = "晋环罚〔2026〕1号", title: str = "某化工厂违法排污案") -> UUID:
        """Open a case and return its id."""
        async with self.conn.transaction():
            opened = await open_case(
                self.conn, number=number, title=title, actor=STAFF, clock=self.clock, entropy=self.entropy
            )
        return opened.case_id

    async def link(self, case_id: UUID, clip: UUID) -> LinkedClip:
        """Make a clip an exhibit."""
        async with self.conn.transaction():
            return await link_clip(
                self.conn, case_id=case_id, clip=clip, actor=STAFF, clock=self.clock, entropy=self.entropy
            )
