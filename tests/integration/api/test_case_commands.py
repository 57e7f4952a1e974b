"""`shilu items` and `shilu case` on a database: what they print, for people and as JSON, and their exit codes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli.main import app
from evidence.cases.presets import PRESETS
from evidence.db.pool import open_pool
from evidence.errors import CaseUnknown
from tests.support.case_files import item, item_list, opened, publish
from tests.support.clock import SeededEntropy, SteppingClock
from tests.support.payloads import Scribe

Command = Callable[..., tuple[int, str]]


@pytest.fixture
def shilu(database: str, tmp_path: Path) -> Command:
    """The program on a data folder and a database of this test's own."""

    def call(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, [*words, "--data", str(tmp_path / "data"), "--database", database])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout

    assert call("keys", "log")[0] == 0
    return call


def test_lists_are_shown_published_and_shown_in_force(shilu: Command, tmp_path: Path) -> None:
    for name in PRESETS:
        code, shown = shilu("items", "show", name, "--json")
        assert (code, json.loads(shown)["list"]["items"][0]["source"][:1]) == (0, "S")
    assert "publish one with" in shilu("items", "show")[1]
    assert shilu("items", "publish", "zaozhuang-emergency-2019", "--from", "2019-07-08")[0] == 0
    own = tmp_path / "own.toml"
    own.write_text("effective_from = 2026-01-01\n", encoding="utf-8")
    assert shilu("items", "publish", "zaozhuang-emergency-2019", "--from", "soon")[0] == 2
    code, shown = shilu("items", "show", "--json")
    assert [(one["version"], one["agency"]) for one in json.loads(shown)["lists"]] == [(1, "枣庄市应急管理局")]
    assert "30 days" in shilu("items", "show")[1]
    assert json.loads(shilu("items", "show", "--on", "2019-07-07", "--json")[1]) == {"lists": []}


async def a_case(database: str) -> None:
    """Open a case by a list of two items."""
    async with open_pool(database, program="test") as pool, pool.acquire() as conn:
        scribe = Scribe(conn=conn, clock=SteppingClock(), entropy=SeededEntropy(1))
        await publish(scribe, item_list(item("visit", exemptible=True), archive=[{"days": 30, "source": "总则"}]))
        await opened(scribe, "晋环罚〔2026〕7号", kind="penalty")


def test_a_case_is_judged_stated_about_and_archived(shilu: Command, database: str) -> None:
    asyncio.run(a_case(database))
    number = "晋环罚（2026）７号".replace("（", "〔").replace("）", "〕")
    code, shown = shilu("case", "coverage", number, "--json")
    assert (code, json.loads(shown)["missing"]) == (1, ["visit"])
    assert "missing" in shilu("case", "coverage", number)[1]
    code, shown = shilu("case", "archive", number, "--json")
    assert (code, [one["code"] for one in json.loads(shown)["reasons"]]) == (1, ["not_concluded", "item_missing"])
    said = {"kind": "exemption", "item": "visit", "ground": "text_record", "reason": "笔录全面", "approver": "李某"}
    said["reference"] = "审批表1号"
    assert shilu("case", "state", number, json.dumps(said, ensure_ascii=False))[0] == 0
    assert shilu("case", "state", number, '{"kind":"conclusion","on":"2020-01-01"}')[0] == 0
    assert shilu("case", "state", number, "{}")[0] == 2
    assert shilu("case", "coverage", number)[0] == 0
    shown = shilu("case", "show", number)[1]
    assert "案卷目录" in shown
    assert "to be archived by 2020-01-31 (总则): OVERDUE" in shown
    code, shown = shilu("case", "archive", number, "--json")
    assert (code, len(json.loads(shown)["root"])) == (0, 64)
    assert json.loads(shilu("case", "show", number, "--json")[1])["case"]["state"] == "archived"
    with pytest.raises(CaseUnknown):
        shilu("case", "show", "无此案")
