"""`shilu outbox`: what an administrator sees and does about it on the host."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from typer.testing import CliRunner, Result

from api.cli.main import app
from api.services import open_services
from evidence.outbox.errors import SubscriptionUnknown, TargetRefused
from evidence.outbox.subscriptions import new_secret, subscribe
from tests.support.service import config_for

TARGET = "http://127.0.0.1:9"


def shilu(database: str, folder: Path, *words: str) -> Result:
    arguments = ["outbox", *words, "--data", str(folder / "data"), "--database", database]
    return CliRunner().invoke(app, arguments, catch_exceptions=False)


async def given_up(database: str, folder: Path) -> UUID:
    """Make a subscription of which one message was given up."""
    async with open_services(config_for(database, folder / "data")) as services:
        more: dict[str, Any] = {"clock": services.clock, "entropy": services.entropy}
        async with services.pool.acquire() as conn, conn.transaction():
            made = await subscribe(
                conn,
                name="公示平台",
                url=f"{TARGET}/hooks",
                types=["case.opened"],
                detail="ids",
                targets=[TARGET],
                actor="service",
                **more,
            )
            await new_secret(conn, made.subscription, **more)
            await conn.execute(
                """INSERT INTO outbox_dead (subscription, entry_id, log_index, problem, given_up_at)
                   VALUES ($1, gen_random_uuid(), 3, 'answered 500', now())""",
                made.subscription,
            )
        return made.subscription


def test_a_platform_is_looked_at_paused_tried_and_told_again(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = str(asyncio.run(given_up(database, tmp_path)))

    def said(*words: str) -> dict[str, Any]:
        result = shilu(database, tmp_path, *words, "--json")
        found: dict[str, Any] = json.loads(result.stdout)
        return found

    (listed,) = said("list")["subscriptions"]
    assert (listed["subscription"], listed["lag"], listed["dead"]) == (name, 0, 1)
    (dead,) = said("dead", name)["dead"]
    assert (dead["problem"], dead["again_at"]) == ("answered 500", None)
    assert said("pause", name)["paused_at"] is not None
    assert "paused since" in shilu(database, tmp_path, "list").stdout.replace("\n", " ")
    assert said("resume", name)["paused_at"] is None
    assert said("resend", name, "--entry", str(UUID(int=1)))["waiting"] == 0
    assert said("resend", name, "--all")["waiting"] == 1
    assert said("dead", name)["dead"][0]["again_at"] is not None
    with pytest.raises(TargetRefused):
        shilu(database, tmp_path, "test", name)
    monkeypatch.setenv("SHILU_OUTBOX_TARGETS", TARGET)
    tried = shilu(database, tmp_path, "test", name)
    assert (tried.exit_code, "not taken" in tried.stdout) == (1, True)
    for wrong in ([], ["--all", "--entry", str(UUID(int=1))]):
        assert shilu(database, tmp_path, "resend", name, *wrong).exit_code == 2
    with pytest.raises(SubscriptionUnknown):
        shilu(database, tmp_path, "pause", str(UUID(int=1)))
