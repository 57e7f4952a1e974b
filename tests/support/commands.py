"""Commands of people with a token, run beside a service that answers in this very process."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from typer.testing import CliRunner

from api.cli import remote
from api.cli.main import app
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
