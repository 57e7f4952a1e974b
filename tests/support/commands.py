"""Commands run in this very process: a start of the program takes a second of processor.

`shilu` and `shilu_json` are commands of people with a token, beside a service that answers in this process as well;
`shilu_here` is any command from its words to its exit code, for tests without an event loop.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner

from api.cli import remote
from api.cli.main import app, main
from evidence.parties.roles import Role
from tests.support.service import RunningService


async def shilu(service: RunningService, role: Role, *words: str) -> tuple[int, str]:
    """Run a command as a person in a role; return its exit code and what it printed."""
    line = [*words, "--url", service.url, "--token", await service.token(role)]
    # In a thread nobody can take up signals.
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(remote, "run", asyncio.run)
        result = await asyncio.to_thread(CliRunner().invoke, app, line)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


async def shilu_json(service: RunningService, role: Role, *words: str, code: int = 0) -> Any:
    """Run a command with `--json` and return the object it printed."""
    done, text = await shilu(service, role, *words, "--json")
    assert done == code, text
    # The service logs to the same standard output here.
    return json.loads(next(line for line in text.splitlines() if line.startswith("{")))


@dataclass(frozen=True)
class Ran:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """Standard output, which must be one JSON object and nothing else."""
        body: dict[str, Any] = json.loads(self.out)
        return body


def shilu_here(*words: str, **environment: str) -> Ran:
    """Run `shilu` to its end, with its own event loop and signals, its way of reporting errors and its exit code."""
    out, err = (TextIOWrapper(BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    logs = structlog.get_config()
    try:
        with pytest.MonkeyPatch.context() as patched, redirect_stdout(out), redirect_stderr(err):
            for name, value in {"COLUMNS": "120", **environment}.items():
                patched.setenv(name, value)
            with pytest.raises(SystemExit) as ended:
                main(words)
    finally:
        # The command's logs go to the standard error that it had.
        structlog.configure(**logs)
    code = ended.value.code
    assert isinstance(code, int), code
    return Ran(code, *(stream.buffer.getvalue().decode() for stream in (out, err)))
