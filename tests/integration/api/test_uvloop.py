"""The service on uvloop, which `shilu serve` runs on: streams, broken connections and ranges behave the same."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import uvloop

from api.tus import OFFSET_MEDIA_TYPE
from evidence.parties.roles import Role
from tests.support.database import fresh_database
from tests.support.service import TUS, config_for, running_service


def test_from_a_cut_line_to_a_played_range(postgres: str, tmp_path: Path) -> None:
    async def story() -> None:
        data = bytes(range(256)) * 8000
        async with fresh_database(postgres) as database, running_service(config_for(database, tmp_path)) as service:
            dock = await service.dock()
            upload, inventory = await service.create_upload(data, path="a.mp4", dock=dock)
            address = urlsplit(service.url)
            _, writer = await asyncio.open_connection(address.hostname, address.port)
            token = dock.token(origin=service.services.origin)
            head = (
                f"PATCH {upload} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {token}\r\nTus-Resumable: 1.0.0\r\n"
                f"Upload-Offset: 0\r\nContent-Type: {OFFSET_MEDIA_TYPE}\r\nContent-Length: {len(data)}\r\n\r\n"
            )
            writer.write(head.encode() + data[:1_000_000])
            await writer.drain()
            writer.close()
            offset = 0
            while offset < 1_000_000:
                await asyncio.sleep(0.05)
                reply = await service.ask("HEAD", upload, dock=dock, headers=TUS)
                offset = int(reply.headers["Upload-Offset"])
            assert (await service.append(upload, data[offset:], offset=offset, dock=dock)).status == 204
            sealed = await service.state_manifest(upload, data, path="a.mp4", inventory=inventory, dock=dock)
            assert sealed.status == 200
            (clip,) = (await service.ask("GET", "/v1/clips", role=Role.REVIEWER)).json()["items"]
            opened = await service.ask(
                "POST",
                f"/v1/clips/{clip['clip']}/views",
                role=Role.REVIEWER,
                json={"purpose": "litigation", "rendition": "original"},
            )
            part = await service.ask("GET", opened.json()["url"], headers={"Range": "bytes=1500000-"})
            assert (part.status, part.body) == (206, data[1_500_000:])

    uvloop.run(asyncio.wait_for(story(), 60))
