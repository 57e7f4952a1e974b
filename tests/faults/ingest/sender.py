"""A process that takes an upload in and says every acknowledged offset; the test kills it with SIGKILL."""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

from evidence.core.clock import utc_now
from evidence.db.pool import open_pool
from tests.support.intake import STAFF, footage, open_intake


async def main(dsn: str, folder: str, upload: str, size: int) -> None:
    """Continue an upload from its acknowledged offset, slowly, printing what HEAD would say."""
    data = footage(size)
    async with (
        open_pool(dsn) as pool,
        open_intake(pool, Path(folder), clock=utc_now, entropy=secrets.token_bytes) as intake,
    ):
        await intake.service.recover()
        offset = (await intake.service.status(actor=STAFF, upload=UUID(upload))).offset

        async def stream() -> AsyncIterator[bytes]:
            for start in range(offset, size, 20_000):
                yield data[start : start + 20_000]
                await asyncio.sleep(0.002)

        async def say() -> None:
            while True:
                state = await intake.service.status(actor=STAFF, upload=UUID(upload))
                print(state.offset, flush=True)
                await asyncio.sleep(0.01)

        teller = asyncio.create_task(say())
        await intake.service.append(actor=STAFF, upload=UUID(upload), offset=offset, stream=stream())
        teller.cancel()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
