"""The state folder and the settings: strict, private, and owned by one agent at a time."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from dockstation.config import Settings, StateFolder, default_state, parse_settings, trust
from dockstation.errors import ConfigInvalid, NotEnrolled, StateTaken
from ledger.note import Signer
from tests.support.clock import SeededEntropy
from tests.support.dock_journal import DOCK, ENROLMENT, SIGNER


@pytest.fixture
def folder(tmp_path: Path) -> StateFolder:
    state = StateFolder(tmp_path / "a" / "state")
    state.create()
    return state


def test_an_enrolment_is_read_back_as_it_was_saved(folder: StateFolder) -> None:
    assert not folder.is_enrolled()
    folder.save_enrolment(ENROLMENT, SIGNER)
    assert folder.load_enrolment() == ENROLMENT
    assert folder.load_signer(DOCK) == SIGNER


def test_nobody_else_can_read_the_key_or_the_folder(folder: StateFolder) -> None:
    folder.save_enrolment(ENROLMENT, SIGNER)
    assert folder.key.stat().st_mode & 0o777 == 0o600
    assert folder.path.stat().st_mode & 0o777 == 0o700
    folder.key.chmod(0o640)
    with pytest.raises(ConfigInvalid, match="read by others"):
        folder.load_signer(DOCK)


def test_a_folder_without_an_enrolment_says_what_to_do(folder: StateFolder) -> None:
    with pytest.raises(NotEnrolled, match="shilu-dock enrol URL CODE"):
        folder.load_enrolment()


@pytest.mark.parametrize("name", ["dock.key", "enrolment.toml", "log.policy"])
@pytest.mark.parametrize("damage", [b"", b"\xff\xfe", b"nonsense"])
def test_a_damaged_enrolment_is_no_enrolment(folder: StateFolder, name: str, damage: bytes) -> None:
    folder.save_enrolment(ENROLMENT, SIGNER)
    path = folder.path / name
    path.chmod(0o600)
    path.write_bytes(damage)
    if name == "log.policy" and damage != b"\xff\xfe":
        assert folder.load_enrolment().policy == damage.decode()
        return
    with pytest.raises(ConfigInvalid):
        folder.load_signer(folder.load_enrolment().dock)


def test_another_station_s_key_is_not_this_one_s(folder: StateFolder) -> None:
    other = Signer.generate("dock.01a2009d-0000-7888-a423-4ed77a4bff8e", SeededEntropy(6))
    folder.save_enrolment(ENROLMENT, other)
    with pytest.raises(ConfigInvalid, match="is the key of"):
        folder.load_signer(DOCK)


def test_one_agent_at_a_time_and_the_lock_ends_with_its_process(folder: StateFolder) -> None:
    assert not folder.is_owned()
    code = (
        "import sys, pathlib; from dockstation.config import StateFolder\n"
        f"with StateFolder(pathlib.Path({str(folder.path)!r})).owned():\n"
        "    print('mine', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"mine\n"
        assert folder.is_owned()
        with pytest.raises(StateTaken), folder.owned():
            pass
        other.kill()
    with folder.owned():
        assert folder.is_owned()


def test_settings_come_from_the_file_and_have_defaults(folder: StateFolder) -> None:
    assert folder.load_settings() == Settings()
    folder.config.write_text('watch = ["/media"]\nclear = true\nkeep_hours = 24\n', encoding="utf-8")
    assert folder.load_settings() == Settings(watch=("/media",), clear=True, keep_hours=24.0)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("colour = 1", "unknown key 'colour'"),
        ("clear = 1", "clear is not a bool"),
        ('clear = "yes"', "clear is not a bool"),
        ("parallel = true", "parallel is not a int"),
        ("parallel = 0", "parallel is not within"),
        ("parallel = 2.5", "parallel is not a int"),
        ("interval_seconds = true", "interval_seconds is not a float"),
        ("interval_seconds = 0", "interval_seconds is not within"),
        ("interval_seconds = nan", "interval_seconds is not within"),
        ("keep_hours = -1", "out of bounds"),
        ("watch = '/media'", "watch is not a list of strings"),
        ("watch = [1]", "watch is not a list of strings"),
        ("patch_bytes_max = 5", "patch_bytes_max is below"),
        ("rehash = 'sometimes'", "rehash is neither"),
        ("clear =", "config.toml"),
    ],
)
def test_a_mistyped_setting_refuses_the_start(folder: StateFolder, text: str, fault: str) -> None:
    folder.config.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigInvalid) as caught:
        folder.load_settings()
    assert fault in caught.value.message


def test_every_setting_can_be_given() -> None:
    defaults = {field.name: field.default for field in fields(Settings)}
    data = {name: list(value) if isinstance(value, tuple) else value for name, value in defaults.items()}
    assert parse_settings(data) == Settings()


def test_certificate_authorities_are_the_system_s_unless_named(tmp_path: Path) -> None:
    assert trust(Settings()) is None
    with pytest.raises(ConfigInvalid):
        trust(Settings(ca_file=str(tmp_path / "missing.pem")))
    (tmp_path / "bad.pem").write_text("no certificate")
    with pytest.raises(ConfigInvalid):
        trust(Settings(ca_file=str(tmp_path / "bad.pem")))


def test_the_state_folder_can_be_named_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHILU_DOCK_STATE", "/somewhere")
    assert default_state() == Path("/somewhere")
    monkeypatch.delenv("SHILU_DOCK_STATE")
    monkeypatch.setenv("XDG_STATE_HOME", "/x")
    assert default_state() == Path("/x/shilu-dock")
