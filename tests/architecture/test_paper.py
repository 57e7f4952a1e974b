"""What is written down is what the programs do: pages made from the code, commands, make targets."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from tests.support import house, paper

READMES = ("README.md", "README.zh-CN.md")
COMMANDS = ("docs/commands.md", "docs/commands.zh-CN.md")
PROGRAMS = ("shilu", "shilu-dock", "shilu-verify", "shilu-witness")


@pytest.mark.parametrize("page", paper.PAGES)
def test_page_is_made_from_the_code(page: str) -> None:
    assert (paper.DOCS / page).read_text(encoding="utf-8") == paper.PAGES[page](), "python -m tests.support.paper"


@pytest.mark.parametrize("page", READMES + COMMANDS)
def test_links_lead_somewhere(page: str) -> None:
    path = house.ROOT / page
    found = re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8"))
    targets = [target for target in found if not target.startswith("http")]
    assert targets
    assert not [target for target in targets if not (path.parent / target).exists()]


@pytest.mark.parametrize("pages", [READMES, COMMANDS])
def test_both_languages_show_the_same_commands(pages: tuple[str, str]) -> None:
    english, chinese = (_commands(page) for page in pages)
    assert english == chinese


def test_the_readme_begins_with_commands_of_the_whole_list() -> None:
    whole = _commands("docs/commands.md")
    assert [words for words in _commands("README.md") if words not in whole] == []


def test_every_command_of_the_service_is_on_the_list() -> None:
    from typer.main import get_command

    from api.cli.main import app

    listed = {words[1] for words in _commands("docs/commands.md") if words[0] == "shilu"}
    commands = get_command(app).commands  # type: ignore[attr-defined]
    assert set(commands) - listed == {"demo"}, "demo has a section of its own in the README"


@pytest.mark.parametrize("target", ["demo", "test"])
def test_readme_targets_exist_in_the_makefile(target: str) -> None:
    assert f"make {target}" in (house.ROOT / "README.md").read_text(encoding="utf-8")
    assert re.search(rf"^{target}:", (house.ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def test_commands_on_the_list_are_understood() -> None:
    """Every option shown is an option the program knows, as its own --help says."""
    helps: dict[tuple[str, ...], str] = {}
    for words in _commands("docs/commands.md"):
        path = _subcommand(words)
        if path not in helps:
            helps[path] = _help(path)
        for word in words:
            if word.startswith("--"):
                assert word in helps[path], f"{' '.join(words)}: {word} is not in --help"


def _commands(readme: str) -> list[list[str]]:
    text = (house.ROOT / readme).read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    lines = [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]
    return [shlex.split(line) for line in lines if line.split(" ")[0] in PROGRAMS]


def _subcommand(words: list[str]) -> tuple[str, ...]:
    if words[0] == "shilu-verify":
        return (words[0],)
    grouped = {
        "shilu": {
            *("accounts", "annotate", "axis", "case", "docks", "items", "keys", "log", "quarantine", "recorders"),
            *(
                "access",
                "calendar",
                "deadlines",
                "dispose",
                "hold",
                "publish",
                "register",
                "retention",
                "review",
                "sample",
                "share",
                "witness",
                "outbox",
            ),
        },
        "shilu-dock": {"profile"},
    }
    depth = 3 if words[1] in grouped.get(words[0], set()) else 2
    return tuple(words[:depth])


def _help(path: tuple[str, ...]) -> str:
    if path[0] == "shilu-verify":
        code = "from evidence.verify.cli import main; main(['--help'])"
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stdout
    if path[0] == "shilu":
        from api.cli.main import app
    elif path[0] == "shilu-witness":
        from api.witness_app.cli import app
    else:
        from dockstation.cli import app
    result = CliRunner().invoke(app, [*path[1:], "--help"], env={"COLUMNS": "200", "TERM": "dumb"})
    assert result.exit_code == 0, result.output
    return result.output
