"""Short programs of the demonstration: one that hangs is ended and run again."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.demo.programs import ask_program

HANGS_ONCE = """
import pathlib, time
def main():
    seen = pathlib.Path(__file__).with_suffix(".seen")
    if not seen.exists():
        seen.touch()
        time.sleep(60)
    print('{"ok": true}')
"""


async def test_a_program_that_hangs_is_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hangs_once.py").write_text(HANGS_ONCE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert await ask_program("hangs_once", limit_seconds=1.0) == {"ok": True}
