"""`shilu deadlines` on a database: what it prints for people and as JSON, and its exit codes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli.main import app
from evidence.cases.cases import open_case
from evidence.core.clock import utc_now
from evidence.db.pool import open_pool
from evidence.deadlines import statements
from evidence.deadlines.errors import RulesBackdated, RulesInvalid, RulesUnknown
from evidence.deadlines.rules import PRESETS
from tests.support.clock import SeededEntropy
from tests.support.payloads import STAFF

Command = Callable[..., tuple[int, str]]


@pytest.fixture
def shilu(database: str, tmp_path: Path) -> Command:
    """The program on a data folder and a database of this test's own."""

    def call(*words: str) -> tuple[int, str]:
        where = () if words[1] == "rules" else ("--data", str(tmp_path / "data"), "--database", database)
        result = CliRunner().invoke(app, [*words, *where], env={"COLUMNS": "240"})
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout

    assert call("keys", "log")[0] == 0
    return call


def revoked(database: str, *, days_ago: int) -> None:
    """Put a case on record whose decision was revoked so many days ago."""

    async def write() -> None:
        entropy = SeededEntropy(days_ago)
        async with open_pool(database, program="test") as pool, pool.acquire() as conn, conn.transaction():
            opened = await open_case(
                conn, number=f"撤{days_ago}号", title="某厂案", actor=STAFF, clock=utc_now, entropy=entropy
            )
            await statements.start(
                conn,
                case=opened.case_id,
                kind="withdrawal",
                started_at=datetime.now(UTC).replace(microsecond=0) - timedelta(days=days_ago),
                note="复议决定书",
                actor=STAFF,
                clock=utc_now,
                entropy=entropy,
            )

    asyncio.run(write())


def test_what_is_overdue_stands_on_top_and_fails_a_check(shilu: Command, database: str) -> None:
    assert shilu("deadlines", "list", "--check")[0] == 0
    for days_ago in (0, 60):
        revoked(database, days_ago=days_ago)
    code, shown = shilu("deadlines", "list")
    assert code == 0
    assert shown.index("撤60号") < shown.index("撤0号")
    assert "OVERDUE" in shown
    assert "第四十八条" in shown
    code, shown = shilu("deadlines", "list", "--check", "--json")
    assert code == 1
    assert [one["name"] for one in json.loads(shown)["items"]] == ["撤60号", "撤0号"]
    asked = ("--kind", "withdrawal", "--before", "2026-01-01", "--json")
    assert json.loads(shilu("deadlines", "list", *asked)[1])["items"] == []
    for slip in (("--state", "soon"), ("--kind", "lunch"), ("--before", "soon"), ("--limit", "0")):
        assert shilu("deadlines", "list", *slip)[0] == 2, slip


def test_tables_are_shown_with_citations_and_published(shilu: Command, tmp_path: Path) -> None:
    for name in PRESETS:
        code, shown = shilu("deadlines", "rules", name, "--json")
        assert code == 0
        assert all(rule["citation"] for rule in json.loads(shown)["table"]["rules"])
    assert "枣应急发" in shilu("deadlines", "rules", "zaozhuang-emergency-2019")[1]
    assert "version 1" in shilu("deadlines", "publish", "zaozhuang-emergency-2019", "--from", "2026-01-01")[1]
    with pytest.raises(RulesBackdated):
        shilu("deadlines", "publish", "zaozhuang-emergency-2019")
    with pytest.raises(RulesUnknown):
        shilu("deadlines", "rules", "nobody-2020")
    own = tmp_path / "own.toml"
    for text in (b"effective_from = 2026-01-01\n", b"x = ["):
        own.write_bytes(text)
        with pytest.raises(RulesInvalid):
            shilu("deadlines", "publish", str(own))
    for text in (b"\xff", b"#" * (1024 * 1024 + 1)):
        own.write_bytes(text)
        assert shilu("deadlines", "publish", str(own))[0] == 2
