"""A process that carries out disposals and is killed at one point: `python -m tests.faults.evidence.disposer ...`.

Arguments: database, folder of the objects, the time it is (ISO 8601), and the point: `before_commit`, `after_commit`,
`before_removal`, `after_removal`, or `never`.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

from evidence.db.pool import open_pool
from evidence.objects.local import LocalObjects
from evidence.retention import disposal, removal
from evidence.retention.removal import Disposer


def die() -> NoReturn:
    """End as power does: nothing is flushed, rolled back or said."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("killed")


class Mortal(LocalObjects):
    """A store whose process dies before or after a removal."""

    point = "never"

    def destroy(self, sha256: str) -> bool:
        """Die, or remove and die."""
        if self.point == "before_removal":
            die()
        gone = super().destroy(sha256)
        if self.point == "after_removal":
            die()
        return gone


async def main(database: str, folder: str, now: str, point: str) -> None:
    """Carry out one round."""
    local = Mortal(Path(folder))
    local.point = point
    real = disposal.bury

    async def bury(conn: Any, **more: Any) -> Any:
        found = await real(conn, **more)
        if point == "before_commit":
            die()
        return found

    vars(removal)["bury"] = bury
    async with open_pool(database, program="test") as pool:
        disposer = Disposer(
            pool=pool,
            local=local,
            second=None,
            clock=lambda: datetime.fromisoformat(now),
            entropy=secrets.token_bytes,
        )
        if point == "after_commit":
            await disposer._bury_approved()
            die()
        await disposer.round()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
