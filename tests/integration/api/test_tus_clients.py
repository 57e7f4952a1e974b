"""Clients of tus that others wrote, as they are: they know nothing of this service but the protocol."""

from __future__ import annotations

import asyncio
import hashlib
import io
import secrets
from collections.abc import Sequence
from typing import Any

import aiotus
import pytest
from tusclient.client import TusClient

from evidence.parties.roles import Role
from tests.support.service import RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")

SIZE = 2 * 1024 * 1024 + 333
CHUNK = 700_000


async def headers_of(shared: RunningService) -> dict[str, str]:
    return {"Authorization": f"Bearer {await shared.token(Role.INVESTIGATOR)}"}


async def found(service: RunningService, name: str) -> list[dict[str, Any]]:
    reply = await service.ask("GET", "/v1/clips", role=Role.INVESTIGATOR, params={"q": name})
    items: list[dict[str, Any]] = reply.json()["items"]
    return items


async def until_sealed(service: RunningService, data: bytes, *, name: str) -> None:
    """Wait until a clip of that name is there, and see that it is these bytes."""
    async with asyncio.timeout(20):
        while not (items := await found(service, name)):
            await asyncio.sleep(0.05)
    assert [item["sha256"] for item in items] == [hashlib.sha256(data).hexdigest()]


@pytest.mark.parametrize("checksum", [False, True])
async def test_tuspy(shared: RunningService, *, checksum: bool) -> None:
    headers = await headers_of(shared)
    data, name = secrets.token_bytes(SIZE), f"tuspy-{checksum}.mp4"

    def upload() -> None:
        client = TusClient(f"{shared.url}/uploads", headers=headers)
        uploader = client.uploader(
            file_stream=io.BytesIO(data), chunk_size=CHUNK, metadata={"filename": name}, upload_checksum=checksum
        )
        uploader.upload()

    await asyncio.to_thread(upload)
    await until_sealed(shared, data, name=name)


async def test_aiotus(shared: RunningService) -> None:
    data = secrets.token_bytes(SIZE)
    metadata = {"filename": b"aiotus.mp4"}
    assert (
        await aiotus.upload(
            f"{shared.url}/uploads", io.BytesIO(data), metadata, headers=await headers_of(shared), chunksize=CHUNK
        )
        is not None
    )
    await until_sealed(shared, data, name="aiotus.mp4")


@pytest.mark.parametrize("sizes", [[SIZE], [1, SIZE, 500_000]])
async def test_aiotus_in_parts(shared: RunningService, sizes: Sequence[int]) -> None:
    parts = [secrets.token_bytes(size) for size in sizes]
    name = f"aiotus-{len(parts)}.mp4"
    location = await aiotus.upload_multiple(
        f"{shared.url}/uploads",
        [io.BytesIO(part) for part in parts],
        {"filename": name.encode()},
        headers=await headers_of(shared),
        chunksize=CHUNK,
    )
    assert location is not None
    await until_sealed(shared, b"".join(parts), name=name)
