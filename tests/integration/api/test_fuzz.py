"""Generated requests against the document: whatever is sent, every answer keeps to what is declared."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from evidence.parties.roles import Role
from tests.support.rounds import rounds
from tests.support.service import RunningService

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
EXAMPLES = rounds(everyday=12, soak=30)
"""Drawn requests per operation, after those that walk through every value's limits, which are always the same."""


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("role", sorted(Role))
async def test_fuzz_every_operation(service: RunningService, role: Role, tmp_path: Path) -> None:
    await service.derive(await service.clip(b"something to find"), b"something to see")
    program = Path(sys.executable).with_name("st")
    process = await asyncio.create_subprocess_exec(
        *(str(program), "--no-color", "run", f"{service.url}/openapi.json", "--checks", CHECKS),
        *("--header", f"Authorization:Bearer {await service.token(role)}"),
        *("--max-examples", str(EXAMPLES), "--seed", str(sorted(Role).index(role)), "--request-timeout", "20"),
        *("--phases", "examples,coverage,fuzzing", "--suppress-health-check", "all"),
        # Their media type is not one that requests can be generated for; test_uploads and test_uploads_raw see to them.
        *("--exclude-operation-id", "append_upload", "--exclude-operation-id", "override_upload"),
        # A stream stays open for as long as it is asked to; test_console_operations sees to it.
        *("--exclude-operation-id", "watch_docks"),
        cwd=tmp_path,
        env={**os.environ, "NO_COLOR": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    # What failed comes first, pages of hints after it.
    told = said.decode(errors="replace")
    assert process.returncode == 0, told[max(0, told.find("FAILURES")) :][:8000]
