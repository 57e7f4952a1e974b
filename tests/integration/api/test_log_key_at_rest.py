"""The log's key at rest: guarded by permissions or a passphrase, for a service and for the commands that change it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from api.cli.main import main
from api.config import ServiceConfig
from api.errors import LogKeyDamaged, LogKeyExposed, PassphraseMissing, PassphraseUnusable, PassphraseWrong
from api.folders import DataFolders
from api.key_file import Guise, guise_of, load_key, no_passphrase
from api.services import Duty, open_services
from tests.support.service import config_for

SEQUENCE = frozenset({Duty.SEQUENCE})
SECRET = "口令 correct horse"


@pytest.fixture
def passphrase_file(tmp_path: Path) -> Path:
    file = tmp_path / "credentials"
    file.write_text(f"{SECRET}\n", encoding="utf-8")
    return file


def with_passphrase(database: str, data: Path, file: Path | None) -> ServiceConfig:
    return config_for(database, data).model_copy(update={"log_key_passphrase_file": file})


async def started(config: ServiceConfig) -> str:
    async with open_services(config, duties=SEQUENCE) as services:
        return services.log_verifier.vkey


def ran(monkeypatch: pytest.MonkeyPatch, words: Sequence[str], *, passphrase_file: Path | None = None) -> int | str:
    if passphrase_file is None:
        monkeypatch.delenv("SHILU_LOG_KEY_PASSPHRASE_FILE", raising=False)
    else:
        monkeypatch.setenv("SHILU_LOG_KEY_PASSPHRASE_FILE", str(passphrase_file))
    with pytest.raises(SystemExit) as end:
        main(words)
    return end.value.code or 0


async def test_a_key_is_protected_from_birth_where_a_passphrase_is_set(
    database: str, tmp_path: Path, passphrase_file: Path
) -> None:
    config = with_passphrase(database, tmp_path / "data", passphrase_file)
    vkey = await started(config)
    key = DataFolders(tmp_path / "data").log_key
    assert guise_of(key) is Guise.PROTECTED
    assert "PRIVATE+KEY" not in key.read_text()
    assert await started(config) == vkey


async def test_a_log_whose_key_cannot_be_opened_is_not_served_and_nothing_is_lost(
    database: str, tmp_path: Path, passphrase_file: Path
) -> None:
    config = with_passphrase(database, tmp_path / "data", passphrase_file)
    vkey = await started(config)
    key = DataFolders(tmp_path / "data").log_key
    whole = key.read_bytes()
    wrong = tmp_path / "wrong"
    wrong.write_text("another passphrase")
    for file, refusal in ((None, PassphraseMissing), (tmp_path / "away", PassphraseUnusable), (wrong, PassphraseWrong)):
        with pytest.raises(refusal):
            await started(with_passphrase(database, tmp_path / "data", file))
    key.write_bytes(whole[:-80])
    with pytest.raises(LogKeyDamaged):
        await started(config)
    key.write_bytes(whole)
    assert await started(config) == vkey


async def test_programs_that_do_not_sign_ask_for_no_passphrase(
    database: str, tmp_path: Path, passphrase_file: Path
) -> None:
    vkey = await started(with_passphrase(database, tmp_path / "data", passphrase_file))
    bare = with_passphrase(database, tmp_path / "data", None)
    for duties in (frozenset[Duty](), frozenset({Duty.WORK}), frozenset({Duty.AUDIT})):
        async with open_services(bare, duties=duties) as services:
            assert services.log_verifier.vkey == vkey


async def test_a_key_that_others_may_read_is_refused_with_the_cure(database: str, tmp_path: Path) -> None:
    config = config_for(database, tmp_path / "data")
    vkey = await started(config)
    key = DataFolders(tmp_path / "data").log_key
    key.chmod(0o640)
    with pytest.raises(LogKeyExposed, match="chmod 600"):
        await started(config)
    key.chmod(0o600)
    assert await started(config) == vkey


async def test_protect_and_unprotect_change_the_guise_and_not_the_key(
    database: str,
    tmp_path: Path,
    passphrase_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    vkey = await started(config_for(database, tmp_path / "data"))
    key, where = DataFolders(tmp_path / "data").log_key, ("--data", str(tmp_path / "data"))
    assert ran(monkeypatch, ("keys", "protect", *where, "--json"), passphrase_file=passphrase_file) == 0
    assert json.loads(capsys.readouterr().out) == {"guarded_by": "passphrase", "keys": [vkey]}
    assert guise_of(key) is Guise.PROTECTED
    assert await started(with_passphrase(database, tmp_path / "data", passphrase_file)) == vkey
    assert ran(monkeypatch, ("keys", "unprotect", *where, "--json"), passphrase_file=passphrase_file) == 0
    assert json.loads(capsys.readouterr().out) == {"guarded_by": "permissions", "keys": [vkey]}
    assert load_key(key, no_passphrase).verifier.vkey == vkey
    assert key.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in key.parent.iterdir()] == ["log.key"]


async def test_a_refused_passphrase_changes_no_file(
    database: str,
    tmp_path: Path,
    passphrase_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    await started(with_passphrase(database, tmp_path / "data", passphrase_file))
    key, where = DataFolders(tmp_path / "data").log_key, ("--data", str(tmp_path / "data"), "--json")
    whole, wrong, short = key.read_bytes(), tmp_path / "wrong", tmp_path / "short"
    wrong.write_text("another passphrase")
    short.write_text("brief")
    for words, file, code in (
        (("keys", "unprotect"), wrong, "keys.passphrase_wrong"),
        (("keys", "unprotect"), None, "keys.passphrase_missing"),
        (("keys", "protect"), short, "keys.passphrase_unusable"),
        (("keys", "protect"), None, "keys.passphrase_missing"),
        (("keys", "protect"), wrong, "keys.passphrase_wrong"),
    ):
        assert ran(monkeypatch, (*words, *where), passphrase_file=file) == 2
        assert json.loads(capsys.readouterr().err)["error"]["code"] == code
        assert key.read_bytes() == whole
