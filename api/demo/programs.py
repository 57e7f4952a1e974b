"""Short programs that the demonstration runs to their end, and whose JSON it reads."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

from api.demo.errors import DemoProgramFailed

SHILU = "api.cli.main"
DOCK = "dockstation.cli"
VERIFY = "evidence.verify.cli"

_RETRIES_MAX = 20
_RETRY_PAUSE_SECONDS = 0.5
_UNAVAILABLE = 3


async def ask_program(
    module: str,
    *arguments: str,
    accept: Collection[int] = (0,),
    again: Collection[int] = (_UNAVAILABLE,),
    pid_file: Path | None = None,
    limit_seconds: float | None = None,
) -> dict[str, Any]:
    """Run a program with `--json` and return the object it prints.

    Args:
        accept: Exit codes under which the answer counts.
        again: Exit codes that say that something was away for a moment; the program is run again.
        pid_file: Where to say its process id while it runs.
        limit_seconds: A run that takes longer is ended and counts as one of `again`; None for as long as it takes.

    Raises:
        DemoProgramFailed: Another exit code, or no JSON.
    """
    # The module is asked for its `main`, so that the same words work whether or not scripts were installed.
    code = f"import sys; from {module} import main; sys.exit(main())"
    for attempt in range(_RETRIES_MAX):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            code,
            *arguments,
            "--json",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        if pid_file is not None:
            pid_file.write_text(f"{process.pid}\n", encoding="ascii")
        out, err, in_time = b"", b"", True
        try:
            async with asyncio.timeout(limit_seconds):
                out, err = await process.communicate()
        except TimeoutError:
            in_time = False
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            if pid_file is not None:
                pid_file.unlink(missing_ok=True)
        if process.returncode in accept and out.strip():
            answer: dict[str, Any] = json.loads(out)
            return answer
        if (in_time and process.returncode not in again) or attempt == _RETRIES_MAX - 1:
            break
        await asyncio.sleep(_RETRY_PAUSE_SECONDS)
    tail = (err or out).decode("utf-8", "replace").strip().splitlines()[-8:]
    words = " ".join([module, *arguments])
    raise DemoProgramFailed(f"`{words}` ended with exit code {process.returncode}: {' / '.join(tail)}", log_tail=tail)
