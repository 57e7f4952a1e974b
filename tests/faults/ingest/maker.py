"""A process that makes an excerpt, a redacted or a marked copy and is killed at a named step, for `test_maker_crashes`.

    python -m tests.faults.ingest.maker '{"dsn", "root", "vkey", "kind", "subject", "victim", "step", "when"}'

SIGKILL is sent by the process to itself before or after the step's real work: nothing of it runs any more then, no
`finally` and no handler of signals.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import secrets
import signal
import sys
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any
from uuid import UUID

from evidence.core.clock import utc_now
from evidence.db.pool import Pool, open_pool
from evidence.export.clip import Exporter
from evidence.objects.local import LocalObjects
from ingest.excerpts import Wish, make_excerpt
from ingest.marked_copies import MarkedCopyMaker
from ingest.redactions import Redactor
from ingest.settings import WorkerSettings
from ledger.policy import Policy
from ledger.publish import LogFolder
from ledger.reader import LogReader


def kill_at(owner: object, step: str, when: str) -> None:
    """Have this process killed on one side of a step."""
    real = getattr(owner, step)

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def dying(*args: Any, **kwargs: Any) -> None:
        if when == "after":
            real(*args, **kwargs)
        die()

    async def dying_async(*args: Any, **kwargs: Any) -> None:
        if when == "after":
            await real(*args, **kwargs)
        die()

    setattr(owner, step, dying_async if iscoroutinefunction(real) else dying)


def marker(pool: Pool, objects: LocalObjects, root: Path) -> MarkedCopyMaker:
    """Return what makes marked copies below `root`."""
    folder = root / "shares"
    folder.mkdir(exist_ok=True)
    return MarkedCopyMaker(pool=pool, objects=objects, folder=folder, clock=utc_now, entropy=secrets.token_bytes)


async def main(told: dict[str, str]) -> None:
    """Do the work up to the step."""
    root = Path(told["root"])
    objects = LocalObjects(root / "objects")
    owner = objects if told["victim"] == "objects" else importlib.import_module(told["victim"])
    kill_at(owner, told["step"], told["when"])
    async with open_pool(told["dsn"], program="maker") as pool:
        if told["kind"] == "redaction":
            redactor = Redactor(
                pool=pool,
                objects=objects,
                workspace=root / "work",
                clock=utc_now,
                entropy=secrets.token_bytes,
                settings=WorkerSettings(),
            )
            await redactor.attempt(UUID(told["subject"]))
            return
        if told["kind"] == "marking":
            await marker(pool, objects, root).attempt()
            return
        policy = Policy.parse(f"log {told['vkey']}\nquorum none\n")
        exporter = Exporter(pool, LogReader(LogFolder(root / "log")), objects, policy, utc_now, secrets.token_bytes)
        wish = Wish(clip=UUID(told["subject"]), from_ms=200, to_ms=900, purpose="litigation", actor="service")
        await make_excerpt(exporter, wish, target=root / "out" / "excerpt", workspace=root / "work")


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
