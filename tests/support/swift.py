"""A body worn system on paper, written from the published description: what its controller sends, over a socket."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from tests.support.controllers import PaperController
from tests.support.service import Reply, RunningService

WEARER = "5b3e2f9a-33a1-4b1c-9f0e-0b0b0b0b0b0b"
SERIAL = "B8A44F0A1B2C"
CONTAINER = f"{WEARER}_{SERIAL}_20260302_093000"
CLIP = "20260302_093000_4F2A.mkv"
SECOND = "20260302_093500_4F2A.mkv"
TRAIL = f"20260302_093000_4F2A_{SERIAL}_gpstrail.json"
BOOKMARK = "bookmark_1772444110_7"
STATED = {
    "BWCSerialNumber": SERIAL,
    "SCUSerialNumber": "B8A44F000001",
    "FirmwareVersion": "2.3.1",
    "UserID": WEARER,
    "TriggerOn": "Button",
    "TriggerOnTime": "1772443800",
    "TriggerOnTimeISO": "2026-03-02T09:30:00Z",
    "TriggerOffTimeISO": "2026-03-02T09:40:00Z",
    "TriggerOnLocation": "31.2304 121.4737 8 1772443800",
    "BWCModel": "W102",
    "Status": "Transferring",
}
CLIP_STATED = {"StartTimeISO": "2026-03-02T09:30:00Z", "StopTimeISO": "2026-03-02T09:35:00Z", "ContainerType": "mkv"}
SECOND_STATED = {"StartTimeISO": "2026-03-02T09:35:00Z", "StopTimeISO": "2026-03-02T09:40:00Z", "ContainerType": "mkv"}
MARKED = {"CategoryName": "违法排污", "StartTime": "2026-03-02T09:35:10Z", "Tags": "TriggerOn:Button"}


def meta(level: str, stated: Mapping[str, str]) -> dict[str, str]:
    """Spell metadata as a controller does: one header each, the value URL-encoded."""
    return {f"X-{level}-Meta-{name}": quote(value, safe="") for name, value in stated.items()}


@dataclass(slots=True)
class PaperSystem:
    """A body worn system: the requests of its controller, in the order of a day."""

    service: RunningService
    controller: PaperController
    container: str = CONTAINER
    more: dict[str, str] = field(default_factory=dict)

    async def ask(self, method: str, path: str = "", *, headers: Mapping[str, str] | None = None, **more: Any) -> Reply:
        """Send a request below the account."""
        merged = {"X-Auth-Token": self.controller.token, **self.more, **(headers or {})}
        return await self.service.ask(method, self.controller.account + path, headers=merged, **more)

    async def create(self, stated: Mapping[str, str] | None = None) -> Reply:
        """Create the recording's container."""
        return await self.ask("PUT", f"/{self.container}", headers=meta("Container", stated or STATED))

    async def put(
        self,
        name: str,
        data: bytes | io.BytesIO | AsyncIterator[bytes],
        stated: Mapping[str, str] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send an object."""
        merged = meta("Object", stated or {}) | dict(headers or {})
        return await self.ask("PUT", f"/{self.container}/{name}", headers=merged, data=data)

    async def complete(self) -> Reply:
        """Say that everything was sent."""
        return await self.ask("POST", f"/{self.container}", headers=meta("Container", {"Status": "Complete"}))

    async def register(self, name: str = "张三", number: str = "013579") -> None:
        """Say who wears recorders."""
        assert (await self.ask("PUT", "/Users")).status in {201, 202}
        headers = meta("Object", {"Name": name, "UserID": number, "Active": "True"})
        assert (await self.ask("PUT", f"/Users/{WEARER}", headers=headers, data=b"")).status == 201

    async def deliver(self, first: bytes, second: bytes, *, said: str = "排污口") -> None:
        """Deliver a whole recording of two clips, a bookmark and a trail."""
        await self.register()
        assert (await self.create()).status == 201
        assert (await self.put(CLIP, first, CLIP_STATED)).status == 201
        assert (await self.put(SECOND, second, SECOND_STATED)).status == 201
        assert (await self.put(TRAIL, b'{"CoordinateEntries": []}', {"FileType": "json"})).status == 201
        assert (await self.put(BOOKMARK, said.encode(), MARKED)).status == 201
        reply = await self.complete()
        assert reply.status == 204, reply.body
