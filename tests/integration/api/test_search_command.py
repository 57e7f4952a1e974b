"""`shilu search` against a running service: kept questions, what is new, and tables that narrow terminals can show."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import uuid4

import pytest
from rich.cells import cell_len
from typer.testing import CliRunner

from api.cli import search
from api.cli.main import app
from evidence.core.clock import utc_now
from evidence.parties.roles import Role
from tests.support.clock import SeededEntropy
from tests.support.payloads import Scribe
from tests.support.service import RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(autouse=True)
def without_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command runs in a thread, where nobody can take up signals."""
    monkeypatch.setattr(search, "run", asyncio.run)


async def shilu(service: RunningService, *words: str, columns: int = 120) -> tuple[int, str]:
    """Run the command as a person with a token does, beside the service, in a terminal of this width."""
    token = await service.token(Role.INVESTIGATOR)
    line = ["search", *words, "--url", service.url, "--token", token]
    runner = CliRunner(env={"COLUMNS": str(columns), "TERM": "dumb"})
    result = await asyncio.to_thread(runner.invoke, app, line)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


async def sealed(service: RunningService, word: str, **changes: Any) -> str:
    """Put a clip on record whose annotation says a word."""
    async with service.services.pool.acquire() as conn:
        scribe = Scribe(conn=conn, clock=utc_now, entropy=SeededEntropy(uuid4().int))
        clip = await scribe.seal(**changes)
        await scribe.annotate(
            clip, remark=f"{word}：执法人员在某某化工有限责任公司东侧围墙外排污口进行现场检查并告知权利义务" * 2
        )
    return str(clip)


def read(answer: tuple[int, str]) -> Any:
    assert answer[0] == 0, answer
    return json.loads(next(line for line in answer[1].splitlines() if line.startswith("{")))


def clips(answer: tuple[int, str]) -> list[str]:
    return [item["clip"] for item in read(answer)["items"]]


async def test_a_question_is_kept_and_asked_again_for_what_is_new(shared: RunningService) -> None:
    word = f"词{uuid4().hex[:8]}"
    first = await sealed(shared, word)
    assert clips(await shilu(shared, word, "--save", word, "--json")) == [first]
    assert clips(await shilu(shared, "--saved", word, "--new", "--json")) == [first], "it was never asked again before"
    assert clips(await shilu(shared, "--saved", word, "--new", "--json")) == []
    second = await sealed(shared, word)
    assert clips(await shilu(shared, "--saved", word, "--new", "--json")) == [second]
    assert set(clips(await shilu(shared, "--saved", word, "--json"))) == {first, second}


async def test_what_makes_no_sense_is_refused_before_anybody_is_asked(shared: RunningService) -> None:
    for words in (("查封", "--saved", "x"), ("--new",), ("--saved", "x", "--save", "y"), ("--saved", "没有这个")):
        code, said = await shilu(shared, *words)
        assert code == 2, (words, said)
    code, said = await shilu(shared, "查封 -marker:亮证", "--explain")
    assert (code, said.strip()) == (0, '"查封" -marker:"credentials_shown"')


@pytest.mark.parametrize("columns", [80, 120])
async def test_tables_fit_the_terminal_in_chinese_widths(shared: RunningService, columns: int) -> None:
    word = f"宽{uuid4().hex[:8]}"
    clip = await sealed(shared, word, name="现场检查笔录附录像全程记录仪原始文件（第一部分）.mp4")
    code, said = await shilu(shared, word, columns=columns)
    # The service logs to the same standard output here.
    lines = [line for line in said.splitlines() if line[:1] in tuple("┏┃┡│└├")]
    assert code == 0
    assert lines
    assert all(cell_len(line) <= columns for line in lines), [line for line in lines if cell_len(line) > columns]
    squeezed = "".join("".join(line.split("│")[1:2]) for line in lines).replace(" ", "")
    assert clip in squeezed, "the id can be read whole, if in two lines"
