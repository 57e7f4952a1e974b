"""Figures and samples over HTTP."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from uuid import uuid4

import pytest

from api.cli.statistics import By
from api.client import RequestRefused
from evidence.parties.roles import Role
from evidence.statistics.figures_store import GROUPS
from tests.support.commands import shilu, shilu_json
from tests.support.service import RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")

SEED = bytes(range(32))


async def test_figures_name_their_checkpoint_and_recompute_there(shared: RunningService) -> None:
    await shared.clip(b"some footage")
    await _published(shared)
    first = (await shared.ask("GET", "/v1/statistics", role=Role.ADMINISTRATOR, params={"by": "dock"})).json()
    assert first["total"]["clips"] == 1
    assert first["price"] is None
    price = {"hundredths": 20000, "currency": "CNY", "citation": "采购合同"}
    assert (await shared.ask("POST", "/v1/statistics/prices", role=Role.ADMINISTRATOR, json=price)).status == 201
    bad = {**price, "currency": "\u0007"}
    refused = await shared.ask("POST", "/v1/statistics/prices", role=Role.ADMINISTRATOR, json=bad)
    assert refused.code == "party.name_invalid"
    await _published(shared)
    then = {"by": "dock", "size": str(first["size"])}
    assert (await shared.ask("GET", "/v1/statistics", role=Role.AUDITOR, params=then)).json() == first
    now = (await shared.ask("GET", "/v1/statistics", role=Role.AUDITOR, params={"by": "dock"})).json()
    assert now["total"]["cost"] is not None
    table = await shared.ask("GET", "/v1/statistics", role=Role.AUDITOR, params={"form": "csv"})
    assert table.headers["Content-Type"].startswith("text/csv")
    assert table.body.decode().splitlines()[-1].startswith("total,1,")
    for wrong in ({"by": "name"}, {"size": "0"}, {"form": "xlsx"}):
        assert (await shared.ask("GET", "/v1/statistics", role=Role.AUDITOR, params=wrong)).code == "request.query"
    missing = await shared.ask("GET", "/v1/statistics", role=Role.AUDITOR, params={"size": "999999"})
    assert missing.code == "statistics.checkpoint_unknown"


async def test_a_sample_is_bound_drawn_and_assessed(shared: RunningService) -> None:
    for n in range(5):
        case = {"number": f"晋环罚〔2026〕{n}号", "title": "某厂"}
        assert (await shared.ask("POST", "/v1/cases", role=Role.INVESTIGATOR, json=case)).status == 201
    await _published(shared)
    wish = {"commitment": hashlib.sha256(SEED).hexdigest(), "draw": 2, "purpose": "案卷评查"}
    too_many = await shared.ask("POST", "/v1/samples", role=Role.REVIEWER, json={**wish, "draw": 6})
    assert too_many.code == "sample.invalid"
    sample = (await shared.ask("POST", "/v1/samples", role=Role.REVIEWER, json=wish)).json()["sample"]
    address, seed = f"/v1/samples/{sample}", {"seed": SEED.hex()}
    wrong = await shared.ask("POST", f"{address}/draw", role=Role.REVIEWER, json={"seed": "00" * 32})
    assert wrong.code == "sample.seed_wrong"
    await _published(shared)
    drawn = (await shared.ask("POST", f"{address}/draw", role=Role.REVIEWER, json=seed)).json()
    assert len(drawn["cases"]) == 2
    assert (await shared.ask("POST", f"{address}/draw", role=Role.REVIEWER, json=seed)).json() == drawn
    found = {"case": drawn["cases"][0]["case"], "points": 80, "note": "缺告知"}
    assert (await shared.ask("POST", f"{address}/scores", role=Role.REVIEWER, json=found)).status == 201
    sheet = [{"item": "执法程序", "points": 45, "of": 60, "note": "缺告知"}, {"item": "证据", "points": 40, "of": 40}]
    for other in ({"points": 84}, {"sheet": [{**sheet[0], "points": 61}], "points": 61}):
        body = {**found, "points": 85, "sheet": sheet, **other}
        refused = await shared.ask("POST", f"{address}/scores", role=Role.REVIEWER, json=body)
        assert refused.code == "sample.invalid"
    found |= {"points": 85, "sheet": sheet}
    assert (await shared.ask("POST", f"{address}/scores", role=Role.REVIEWER, json=found)).status == 201
    outside = {**found, "case": str(uuid4())}
    assert (await shared.ask("POST", f"{address}/scores", role=Role.REVIEWER, json=outside)).code == "sample.invalid"
    shown = (await shared.ask("GET", address, role=Role.AUDITOR)).json()
    assert (shown["cases"][0]["points"], shown["cases"][0]["sheet"]) == (85, sheet)
    listed = (await shared.ask("GET", "/v1/samples", role=Role.AUDITOR)).json()["items"]
    assert [one["sample"] for one in listed] == [sample]
    assert (await shared.ask("GET", f"/v1/samples/{uuid4()}", role=Role.AUDITOR)).code == "sample.unknown"


async def test_r43_the_commands_keep_the_seed_until_the_draw(shared: RunningService, tmp_path: Path) -> None:
    seed = tmp_path / "seed"
    words = ("sample", "commit", "--draw", "1", "--seed", str(seed))
    case = {"number": f"抽{uuid4()}", "title": "某厂"}
    assert (await shared.ask("POST", "/v1/cases", role=Role.INVESTIGATOR, json=case)).status == 201
    await _published(shared)
    sample = (await shilu_json(shared, Role.REVIEWER, *words))["sample"]
    assert seed.stat().st_mode & 0o777 == 0o600
    assert (await shilu(shared, Role.REVIEWER, *words))[0] == 2, "a seed is never overwritten"
    await _published(shared)
    drawn = await shilu_json(shared, Role.REVIEWER, "sample", "draw", sample, "--seed", str(seed))
    assert drawn["seed"] == seed.read_text().strip()
    assert await shilu_json(shared, Role.REVIEWER, "sample", "draw", sample, "--seed", str(seed)) == drawn
    chosen = drawn["cases"][0]["case"]
    score = ("sample", "score", sample, chosen, "--points", "85", "--note", "缺告知")
    assert (await shilu(shared, Role.ARCHIVIST, *score))[0] == 0
    assert "缺告知" in (await shilu(shared, Role.AUDITOR, "sample", "show", sample))[1]
    await _score_by_sheet(shared, tmp_path / "sheet.csv", sample, chosen)
    assert sample in {one["sample"] for one in (await shilu_json(shared, Role.AUDITOR, "sample", "list"))["items"]}
    empty = tmp_path / "empty"
    empty.write_text("no seed")
    assert (await shilu(shared, Role.REVIEWER, "sample", "draw", sample, "--seed", str(empty)))[0] == 2


async def _score_by_sheet(service: RunningService, file: Path, sample: str, case: str) -> None:
    """A sheet says more than its sum; what does not add up, or is no sheet, is refused."""
    words = ("sample", "score", sample, case, "--note", "见评分表", "--sheet", str(file))
    good = "评查项目,得分,满分,说明\r\n执法程序,45,60,缺告知\r\n证据,40,40,\r\n"
    for encoding in ("utf-8-sig", "gb18030"):
        file.write_bytes(good.encode(encoding))
        assert (await shilu(service, Role.ARCHIVIST, *words))[0] == 0
        shown = (await service.ask("GET", f"/v1/samples/{sample}", role=Role.AUDITOR)).json()["cases"]
        (told,) = [one for one in shown if one["case"] == case]
        assert (told["points"], told["note"], told["sheet"]) == (
            85,
            "见评分表",
            [
                {"item": "执法程序", "points": 45, "of": 60, "note": "缺告知"},
                {"item": "证据", "points": 40, "of": 40},
            ],
        )
    with pytest.raises(RequestRefused, match="do not add up to 84"):
        await shilu(service, Role.ARCHIVIST, *words, "--points", "84")
    for wrong in ("", "item,points,of\n", "item,points\na,1\n", "item,points,of\n,1,2\n", "item,points,of\na,-1,2\n",
                  "item,points,of\na,1.5,2\n", "colour,points,of\na,1,2\n", "item,points,of\n=1+1,1,2\n"):  # fmt: skip
        file.write_text(wrong, encoding="utf-8")
        assert (await shilu(service, Role.ARCHIVIST, *words))[0] == 2, wrong
    file.unlink()
    assert (await shilu(service, Role.ARCHIVIST, *words))[0] == 2
    assert (await shilu(service, Role.ARCHIVIST, "sample", "score", sample, case, "--note", "x"))[0] == 2


async def test_r42_the_command_shows_the_same_figures_at_the_same_checkpoint(shared: RunningService) -> None:
    await shared.clip(b"counted by a command")
    await _published(shared)
    told = await shilu_json(shared, Role.AUDITOR, "statistics", "--by", "recorder")
    asked = {"by": "recorder", "size": str(told["size"])}
    assert (await shared.ask("GET", "/v1/statistics", role=Role.AUDITOR, params=asked)).json() == told
    assert told["root"] in (await shilu(shared, Role.AUDITOR, "statistics", "--size", str(told["size"])))[1]
    assert (await shilu(shared, Role.AUDITOR, "statistics", "--by", "colour"))[0] == 2
    assert sorted(By) == sorted(GROUPS)


async def _published(service: RunningService) -> None:
    """Wait until everything on record has its place in the published log."""
    async with asyncio.timeout(20), service.services.pool.acquire() as conn:
        while await conn.fetchval(
            """SELECT (SELECT count(*) FROM ledger_entry) > (SELECT coalesce(max(size), 0) FROM ledger_publication)"""
        ):
            await asyncio.sleep(0.02)
