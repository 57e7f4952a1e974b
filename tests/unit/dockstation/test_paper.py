"""Paper and code say the same: settings, modules, exit codes, error classes, labels."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import dockstation
from dockstation import cli
from dockstation.config import Settings
from dockstation.console import _PHASES, human_bytes, visible
from dockstation.errors import DockError
from dockstation.events import LABELS, Kind
from dockstation.journal import State
from ledger.errors import error_classes
from tests.support import house

HOME = Path(dockstation.__file__).parent
DESIGN = (HOME / "DESIGN.md").read_text(encoding="utf-8")
MODULES = sorted(
    path.relative_to(HOME).with_suffix("").as_posix().replace("/", ".")
    for path in HOME.rglob("*.py")
    if not path.stem.startswith("__")
)


def test_every_setting_stands_in_the_design_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| `([^`]*)` \|", DESIGN, re.MULTILINE))
    spelled = {"True": "true", "False": "false", "()": "[]"}
    defaults = {}
    for field in fields(Settings):
        text = f'"{field.default}"' if isinstance(field.default, str) else str(field.default)
        defaults[field.name] = spelled.get(text, text)
    assert rows == defaults


def test_every_module_stands_in_the_design() -> None:
    names = {module: (module, f"{module}.py", module.rpartition(".")[2]) for module in MODULES}
    assert [module for module in MODULES if not any(f"`{name}`" in DESIGN for name in names[module])] == []


def test_every_state_stands_on_the_journal_s_front_page() -> None:
    text = (HOME / "journal.py").read_text(encoding="utf-8").partition("from __future__")[0]
    assert [state.value for state in State if state.value not in text] == []


def test_every_exit_code_stands_on_the_command_line_s_front_page() -> None:
    documented = {int(code) for code in re.findall(r"^\| (\d+) \|", cli.__doc__ or "", re.MULTILINE)}
    named = {cli.INCOMPLETE, cli.WRONG_SETUP, cli.STATE_BUSY, cli.SERVICE_AWAY, cli.DEFECT, cli.INTERRUPTED}
    assert documented == named | {0, 2}


def test_error_codes_are_unique_and_say_what_to_do() -> None:
    classes = [kind for kind in error_classes(DockError) if kind.__module__ == "dockstation.errors"]
    codes = [kind.code for kind in classes]
    assert len(codes) == len(set(codes)) > 15
    assert all(code.startswith("dock.") for code in codes)
    assert all(len(kind.__doc__ or "") > 40 for kind in classes)


def test_every_event_has_a_label_in_both_languages() -> None:
    assert set(LABELS) == set(Kind)
    for chinese, english in LABELS.values():
        assert re.fullmatch(r"[\u4e00-\u9fff]{2}", chinese), chinese
        assert english.isascii()


def test_every_phase_that_is_shown_has_a_label() -> None:
    text = (HOME / "showcase.py").read_text(encoding="utf-8")
    used = set(re.findall(r'phase(?:="|, message = ")(\w+)"', text)) | {"reading"}
    assert used <= set(_PHASES)


HEAVY = ("asyncpg", "av", "numpy", "pydantic", "sqlalchemy", "alembic", "pgqueuer", "uvloop", "api", "ingest")
OPTIONAL = ("dbus_fast", "pyudev", "watchdog")


def test_every_module_imports_without_the_service_s_and_the_optional_libraries() -> None:
    modules = [f"dockstation.{name}" for name in MODULES]
    code = f"""
import importlib, sys
class Wall:
    def find_spec(self, name, path=None, target=None):
        top = name.split(".")[0]
        if top in {HEAVY + OPTIONAL!r}:
            raise ImportError("not in a light install: " + name)
sys.meta_path.insert(0, Wall())
for name in {modules!r}:
    importlib.import_module(name)
heavy = sorted(name for name in sys.modules if name.startswith(("evidence.", "ledger.")))
allowed = ("evidence.core", "evidence.errors", "ledger.")
assert all(name.startswith(allowed) for name in heavy), heavy
assert not [name for name in heavy if name.startswith("ledger.store")], heavy
"""
    run = subprocess.run([sys.executable, "-c", code], cwd=house.ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_what_a_terminal_would_act_upon_is_escaped() -> None:
    assert visible("执法 a\x1b[2J\u202e\n\x00\u200b") == "执法 a\\x1b[2J\\u202e\\n\\x00\\u200b"
    assert visible("\udcff") == "\\udcff"


def test_bytes_for_people() -> None:
    assert [human_bytes(n) for n in (0, 999, 1000, 34_120_000, 10**12, 10**16)] == [
        "0 B",
        "999 B",
        "1 kB",
        "34.1 MB",
        "1 TB",
        "10000 TB",
    ]
