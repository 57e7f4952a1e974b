"""Runs a sequencer in a process of its own: `python -m tests.support.sequencer_process DSN FOLDER KEY [CALLS]`.

Prints "leading" once it leads. With CALLS it takes one term instead, and kills itself with SIGKILL just before that
file system call of the threads that write the log folder; it prints "through" when there are not so many.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from pathlib import Path

from evidence.core.clock import utc_now
from evidence.db.pool import connect
from ledger.note import Signer
from ledger.publish import LogFolder
from ledger.sequencer import Sequencer


def kill_at(calls: int) -> None:
    """Arm the threads to come; the profiler sees each real system call of theirs just before it is made."""
    made = 0

    def watch(_frame: object, event: str, function: object) -> None:
        nonlocal made
        if event == "c_call" and getattr(function, "__module__", None) in ("posix", "fcntl"):
            if made == calls:
                os.kill(os.getpid(), signal.SIGKILL)
            made += 1

    threading.setprofile(watch)


async def main(dsn: str, folder: str, key: str, calls: str | None = None) -> None:
    """Run until killed, or one term."""
    sequencer = Sequencer(lambda: connect(dsn, program="test"), LogFolder(Path(folder)), Signer.parse(key), utc_now)
    if calls is not None:
        kill_at(int(calls))
        await sequencer.recover()
        while await sequencer.step():
            pass
        await sequencer.close()
        sys.stdout.write("through\n")
        return
    running = asyncio.create_task(sequencer.run(asyncio.Event()))
    while not sequencer.status.is_leading:
        await asyncio.sleep(0.01)
    sys.stdout.write("leading\n")
    sys.stdout.flush()
    await running


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
