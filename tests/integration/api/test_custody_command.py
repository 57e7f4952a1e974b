"""`shilu custody`: what it prints and writes, for people and as JSON, and its exit codes."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from typer.testing import CliRunner

from api.cli.main import app
from evidence.errors import ClipUnknown
from evidence.export.certificate.pdf import font_family
from evidence.parties.roles import Role
from tests.support.service import config_for, running_service


async def looked_at(database: str, folder: Path) -> tuple[str, str, str]:
    """Have a clip looked at; return it, the person, and the entry."""
    async with running_service(config_for(database, folder)) as service:
        clip = await service.clip(b"looked at")
        await service.derive(clip, b"proxy")
        body = {"purpose": "litigation"}
        opened = await service.ask("POST", f"/v1/clips/{clip}/views", role=Role.REVIEWER, json=body)
        entry = opened.json()["entry"]
        assert await service.services.waiter.wait(UUID(entry), timeout_seconds=20) is not None
        person = (await service.ask("GET", "/v1/session", role=Role.REVIEWER)).json()["staff"]
        return str(clip), person, entry


def test_a_report_is_printed_and_written(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip, person, entry = asyncio.run(looked_at(database, tmp_path / "data"))

    def shilu(*words: str) -> tuple[int, str]:
        place = ["--data", str(tmp_path / "data"), "--database", database]
        result = CliRunner().invoke(app, ["custody", *words, *place], env={"COLUMNS": "250"})
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout

    code, told = shilu(clip, "--json")
    assert (code, [line["entry"] for line in json.loads(told)["lines"] if line["looks"]]) == (0, [entry])
    (line,) = json.loads(shilu("--staff", person, "--json")[1])["lines"]
    assert (line["entry"], line["clips"], line["purpose"]) == (entry, [clip], "litigation")
    for early in (["--to", "2020-01-01T00:00:00.000Z"], ["--from", "2999-01-01T00:00:00.000Z"]):
        assert json.loads(shilu("--staff", person, "--json", *early)[1])["lines"] == []
    table = shilu(clip)[1]
    assert "1 of them looking" in table
    assert "Asia/Shanghai" in table
    page = tmp_path / "report.html"
    assert shilu(clip, "--html", str(page)) == (0, f"{page}\n")
    assert entry in page.read_text(encoding="utf-8")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "report.html"]
    if font_family() is not None:
        monkeypatch.setattr("api.custody_reports.PDF_LINES_MAX", 2)
        parts = json.loads(shilu(clip, "--pdf", str(tmp_path / "r.pdf"), "--json")[1])["written"]
        assert [Path(part).name for part in parts] == ["r.pdf", "r-2.pdf"]
        assert all(Path(part).read_bytes().startswith(b"%PDF-") for part in parts)
    for wrong in ([], [clip, "--staff", person], [clip, "--from", "2020-01-01T00:00:00.000Z"], ["no-uuid"]):
        assert shilu(*wrong)[0] == 2, wrong
    with pytest.raises(ClipUnknown):
        shilu(str(uuid4()), "--json")
