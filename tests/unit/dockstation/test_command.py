"""The command line without a service: wrong words, wrong set-up, explanations, and their exit codes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dockstation.cli import DEFECT, INCOMPLETE, INTERRUPTED, SERVICE_AWAY, STATE_BUSY, WRONG_SETUP, exit_code, main
from dockstation.config import StateFolder
from dockstation.errors import DockError, JournalConflict, JournalUnusable
from ledger.errors import Blame, CodedError, error_classes
from tests.support.dock_journal import ENROLMENT, SIGNER
from tests.support.dock_process import Ended
from tests.support.dock_station import clip_name, make_recorder, write_clip

Call = Callable[..., Ended]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Run the program's entry point in this process."""

    def run(*words: str | Path) -> Ended:
        monkeypatch.setattr(sys, "argv", ["shilu-dock", *map(str, words)])
        with pytest.raises(SystemExit) as caught:
            main()
        out, err = capsys.readouterr()
        return Ended(caught.value.code if isinstance(caught.value.code, int) else 0, out, err)

    return run


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A station enrolled with a service that is not there."""
    folder = StateFolder(tmp_path / "state")
    folder.create()
    folder.save_enrolment(ENROLMENT, SIGNER)
    return folder.path


@pytest.mark.parametrize("words", [["run", "--once", "--recorder", "."], ["status"], ["run", "--watch", "."]])
def test_a_folder_without_enrolment(call: Call, tmp_path: Path, words: list[str]) -> None:
    ran = call(*words, "--state", tmp_path / "nothing", "--json")
    assert ran.code == WRONG_SETUP
    assert ran.json["ok"] is False
    assert ran.json["error"]["code"] == "dock.not_enrolled"
    assert "shilu-dock enrol URL CODE" in ran.err.replace("\n", " ")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--recorder", "CARD", "--profile", "nope"], WRONG_SETUP),
        (["--recorder", "CARD", "--parallel", "0"], WRONG_SETUP),
        (["--recorder", "CARD", "--patience", "-1"], WRONG_SETUP),
        (["--recorder", "CARD/missing"], INCOMPLETE),
        (["--colour"], 2),
        (["--parallel", "many"], 2),
        ([], 2),
    ],
)
def test_wrong_words_have_codes(call: Call, state: Path, tmp_path: Path, words: list[str], code: int) -> None:
    card = make_recorder(tmp_path / "card", count=1)
    ran = call("run", "--once", "--state", state, *[word.replace("CARD", str(card)) for word in words])
    assert ran.code == code
    assert ran.out == ""


def test_a_mistyped_setting_stops_every_command_that_would_use_it(call: Call, state: Path, tmp_path: Path) -> None:
    (state / "config.toml").write_text("claer = true", encoding="utf-8")
    assert call("run", "--state", state, "--recorder", tmp_path).code == WRONG_SETUP
    assert call("clear", "--state", state, "--recorder", tmp_path).code == WRONG_SETUP


def test_folders_may_stand_in_the_settings(call: Call, state: Path, tmp_path: Path) -> None:
    (tmp_path / "card").mkdir()
    (state / "config.toml").write_text(f"recorders = [{json.dumps(str(tmp_path / 'card'))}]", encoding="utf-8")
    ran = call("run", "--once", "--state", state, "--json")
    assert (ran.code, ran.json["recorders"][0]["slot"]) == (0, "card")


def test_a_service_out_of_reach_has_a_code_and_keeps_everything(call: Call, state: Path, tmp_path: Path) -> None:
    text = (state / "enrolment.toml").read_text(encoding="utf-8").replace("https://shilu.test", "http://127.0.0.1:9")
    (state / "enrolment.toml").unlink()
    (state / "enrolment.toml").write_text(text, encoding="utf-8")
    card = make_recorder(tmp_path / "card", count=1)
    ran = call("run", "--once", "--clear", "--state", state, "--recorder", card, "--patience", "0.3", "--json")
    assert (ran.code, ran.json["error"]["code"]) == (SERVICE_AWAY, "dock.link_lost")
    assert len(list(card.rglob("*.mp4"))) == 1
    assert call("enrol", "http://127.0.0.1:9", "x", "--state", tmp_path / "new").code == SERVICE_AWAY


def test_profile_test_explains_a_folder(call: Call, tmp_path: Path) -> None:
    card = make_recorder(tmp_path / "card", count=1)
    write_clip(card, clip_name(9, mark="_IMP"))
    write_clip(card, "Thumbs.db")
    (card / "link").symlink_to("/")
    ran = call("profile", "test", card, "--state", tmp_path / "none", "--json")
    assert (ran.code, ran.json["profile"]) == (0, "dcam")
    by_path = {file["path"]: file for file in ran.json["files"]}
    assert by_path["Thumbs.db"]["kind"] == "ignored"
    assert by_path[clip_name(9, mark="_IMP")]["key_mark"] is True
    assert by_path[clip_name(0)]["recorded_at"] == "2026-03-02T01:00:00.000Z"
    assert ran.json["not_read"][0]["path"] == "link"
    out = call("profile", "test", card, "--state", tmp_path / "none").out
    assert "★" in out
    assert "规则 rule ignore '**/Thumbs.db'" in out
    assert call("profile", "test", tmp_path / "missing").code == INCOMPLETE


def test_profile_list_shows_own_profiles_before_shipped_ones(call: Call, tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "mine.toml").write_text('name = "mine"\ntitle = "Mine"\ntime_zone = "UTC"\n')
    ran = call("profile", "list", "--state", tmp_path, "--json")
    assert [profile["name"] for profile in ran.json["profiles"]] == ["mine", "axis", "dcam", "dcim", "gopro"]
    assert ran.json["profiles"][0]["source"].endswith("mine.toml")
    assert "备用 fallback" in call("profile", "list", "--state", tmp_path).out


def test_a_replay_plays_its_script_and_says_where_it_went_another_way(call: Call, state: Path, tmp_path: Path) -> None:
    text = (state / "enrolment.toml").read_text(encoding="utf-8").replace("https://shilu.test", "http://127.0.0.1:9")
    (state / "enrolment.toml").unlink()
    (state / "enrolment.toml").write_text(text, encoding="utf-8")
    (state / "config.toml").write_text("patience_seconds = 0.2", encoding="utf-8")
    script = tmp_path / "script.toml"
    head = 'title = "t"\n[cards.a]\nfiles = [{path = "DCIM/x.mp4", size = 5}]\n'
    dock = '[[steps]]\ndo = "dock"\nslot = "1"\ncard = "a"\n'
    expect = '[[steps]]\ndo = "expect"\nslot = "1"\nphase = "{}"\nsafe = false\nwithin = {}\n'
    words = ["replay", script, "--state", state, "--media", "folder"]
    script.write_text(head + dock + expect.format("trouble", 20.0))
    ran = call(*words, "--json")
    assert ran.code == 0
    lines = [json.loads(line) for line in ran.out.splitlines()]
    assert [(line["step"], line["do"]) for line in lines if "step" in line] == [(1, "dock"), (2, "expect")]
    script.write_text(head + dock + expect.format("gone", 0.1))
    ran = call(*words)
    assert ran.code == INCOMPLETE
    assert "▶ 1  dock  1  a" in ran.err
    assert "step 2: slot 1 shows" in ran.err.replace("\n", " ")
    script.write_text(head + "[[steps]]\ndo = 'burn'")
    assert call(*words).code == WRONG_SETUP
    assert call("replay", tmp_path / "missing.toml", "--state", state).code == WRONG_SETUP
    assert call(*words[:-1], "tape").code == 2


COMMANDS = [
    [],
    ["run"],
    ["replay"],
    ["clear"],
    ["enrol"],
    ["status"],
    ["profile"],
    ["profile", "test"],
    ["profile", "list"],
]


@pytest.mark.parametrize("words", [[], *COMMANDS, ["profile", "test"], ["profile", "list"]])
def test_every_command_explains_itself(call: Call, words: list[str]) -> None:
    ran = call(*words, "--help")
    assert ran.code == 0
    assert "Usage" in ran.out


def test_every_error_of_the_dock_has_an_exit_code_and_only_bugs_that_of_a_defect() -> None:
    assert len({INCOMPLETE, WRONG_SETUP, STATE_BUSY, SERVICE_AWAY, DEFECT, INTERRUPTED, 0, 2}) == 8
    assert exit_code(JournalConflict("x")) == DEFECT
    assert exit_code(CodedError("x")) == DEFECT
    for kind in error_classes(DockError):
        assert (exit_code(kind("x")) == DEFECT) is (kind.blame is Blame.BUG), kind


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ValueError("nobody foresaw this"), DEFECT),
        (ExceptionGroup("g", [JournalUnusable("full"), ExceptionGroup("h", [JournalUnusable("full")])]), STATE_BUSY),
        (ExceptionGroup("g", [JournalUnusable("full"), KeyError("x")]), DEFECT),
    ],
    ids=["unforeseen", "group", "mixed group"],
)
def test_whatever_happens_ends_with_json_and_its_own_code(
    call: Call, state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, code: int
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("dockstation.cli.run_once", fail)
    ran = call("run", "--once", "--json", "--state", state, "--recorder", tmp_path)
    assert ran.code == code
    assert ran.json["ok"] is False
