"""`shilu annotate` against a running service: what it adds and shows, for people and as JSON, and its exit codes."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from api.cli import annotate
from api.cli.main import app
from evidence.parties.roles import Role
from tests.support.clock import SeededEntropy, SteppingClock
from tests.support.payloads import Scribe
from tests.support.service import RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(autouse=True)
def without_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command runs in a thread, where nobody can take up signals."""
    monkeypatch.setattr(annotate, "run", asyncio.run)


async def shilu(service: RunningService, *words: str) -> tuple[int, str]:
    """Run the command as a person with a token does, beside the service."""
    token = await service.token(Role.INVESTIGATOR)
    line = ["annotate", *words, "--url", service.url, "--token", token]
    result = await asyncio.to_thread(CliRunner().invoke, app, line)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


async def clips_of(service: RunningService, count: int) -> list[str]:
    async with service.services.pool.acquire() as conn:
        scribe = Scribe(conn=conn, clock=SteppingClock(), entropy=SeededEntropy(uuid4().int))
        return [str(await scribe.seal()) for _ in range(count)]


def read(answer: tuple[int, str], *, code: int = 0) -> Any:
    assert answer[0] == code, answer
    # The service logs to the same standard output here.
    return json.loads(next(line for line in answer[1].splitlines() if line.startswith("{")))


async def test_what_is_added_is_shown_and_a_repeat_changes_nothing(shared: RunningService) -> None:
    clips = await clips_of(shared, 2)
    words = [
        *("add", *clips, "--remark", "集中检查", "--marker", "亮证@0:01:30.5", "--marker", "key_moment@75"),
        *("--document", "现场检查笔录:9号", "--document", "照片", "--reason", "统一补录"),
    ]
    told = read(await shilu(shared, *words, "--json"))
    assert (told["written"], [item["version"] for item in told["items"]]) == (2, [1, 1])
    shown = read(await shilu(shared, "show", clips[1], "--json"))
    assert shown["content"] == {
        "remark": "集中检查",
        "markers": [{"kind": "credentials_shown", "at_ms": 90_500}, {"kind": "key_moment", "at_ms": 75_000}],
        "documents": [{"kind": "现场检查笔录", "number": "9号"}, {"kind": "照片"}],
    }
    code, text = await shilu(shared, *words)
    assert (code, "0 written, 2 unchanged, 0 refused" in text) == (0, True)
    assert (await shilu(shared, "add", clips[0], "--remark", "别的", "--place", "朔州"))[0] == 0
    changes = read(await shilu(shared, "show", clips[0], "--since", "1", "--json"))["changes"]
    assert [(change["where"], change["after"]) for change in changes] == [("place", "朔州")]
    code, text = await shilu(shared, "show", clips[0], "--version", "1")
    assert (code, "统一补录" in text, "集中检查" in text) == (0, True, True)


async def test_a_clip_that_is_refused_ends_with_one(shared: RunningService) -> None:
    (clip,) = await clips_of(shared, 1)
    told = read(await shilu(shared, "add", clip, str(uuid4()), "--place", "朔州", "--json"), code=1)
    assert [item["outcome"] for item in told["items"]] == ["written", "refused"]
    assert "nobody has annotated" in (await shilu(shared, "show", (await clips_of(shared, 1))[0]))[1]


@pytest.mark.parametrize(
    "words",
    [
        ["not-an-id", "--place", "朔州"],
        [str(uuid4()), "--marker", "亮证"],
        [str(uuid4()), "--marker", "亮证@tomorrow"],
        [str(uuid4()), "--marker", "无此标记@5"],
        [str(uuid4()), "--item", "现场检查", "--item-key", "site"],
    ],
)
async def test_a_command_line_that_is_wrong(shared: RunningService, words: list[str]) -> None:
    assert (await shilu(shared, "add", *words))[0] == 2
