"""`shilu accounts`: how the first administrator comes in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from api.cli.main import app
from evidence.accounts.errors import AccountUnknown
from evidence.federated.errors import LinkTaken, SubjectInvalid


def shilu(database: str, folder: Path, *words: str) -> Result:
    arguments = ["accounts", *words, "--data", str(folder / "data"), "--database", database]
    return CliRunner().invoke(app, arguments, catch_exceptions=False)


def test_the_first_administrator_comes_in_by_command(database: str, tmp_path: Path) -> None:
    words = ("create", "Root.Admin", "--name", "管理员", "--role", "administrator")
    made = json.loads(shilu(database, tmp_path, *words, "--json").stdout)
    assert made["login"] == "Root.Admin"
    assert len(made["code"]) == 29
    assert "no password yet" in shilu(database, tmp_path, "list", "--json").stdout
    newer = shilu(database, tmp_path, "code", "root.admin")
    assert newer.stdout.strip() != made["code"]
    changed = shilu(database, tmp_path, "change", "root.admin", "--disable", "--reason", "演练", "--json")
    assert json.loads(changed.stdout)["state"] == "disabled"
    with pytest.raises(AccountUnknown):
        shilu(database, tmp_path, "code", "nobody")


def test_an_account_is_linked_with_a_person_of_the_provider(database: str, tmp_path: Path) -> None:
    shilu(database, tmp_path, "create", "zhang.san", "--name", "张三", "--role", "reviewer")
    words = ("link", "zhang.san", "--subject", "248289761001", "--issuer", "https://id.example.cn")
    assert json.loads(shilu(database, tmp_path, *words, "--json").stdout)["subject"] == "248289761001"
    with pytest.raises(LinkTaken):
        shilu(database, tmp_path, *words)
    with pytest.raises(SubjectInvalid):
        shilu(database, tmp_path, "link", "zhang.san", "--subject", "248289761001")
    assert json.loads(shilu(database, tmp_path, "strangers", "--json").stdout) == {"strangers": []}
