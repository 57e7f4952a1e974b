"""`shilu-witness` as real processes, for tests: made, started on a free port, killed, started again on the same one."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from api.witness_app.cli import main

PROGRAM = [sys.executable, "-m", "api.witness_app.cli"]
ROOT = Path(__file__).resolve().parents[2]


def run_witness(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command of `shilu-witness` to its end."""
    return subprocess.run([*PROGRAM, *map(str, words)], cwd=ROOT, capture_output=True, text=True, check=False)


class WitnessProcess:
    """One witness of an office.

    Args:
        folder: Where it lives.
        name: Name of its key.
        log_vkey: The log that it cosigns for.
    """

    def __init__(self, folder: Path, *, name: str, log_vkey: str) -> None:
        self.folder = folder
        self.vkey: str = self.told("init", name)["vkey"]
        self.told("add-log", log_vkey)
        self.url = ""
        self._process: subprocess.Popen[str] | None = None

    def told(self, *words: str | Path) -> dict[str, Any]:
        """Run a command on its folder, in this process, and return the JSON object."""
        out, err = StringIO(), StringIO()
        with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
            main([*map(str, words), "--folder", str(self.folder), "--json"])
        assert ended.value.code == 0, err.getvalue()
        answer: dict[str, Any] = json.loads(out.getvalue())
        return answer

    def start(self) -> None:
        """Start it, and wait until it listens; on the port it had before."""
        port = self.url.rpartition(":")[2] or "0"
        words = ["serve", "--listen", f"127.0.0.1:{port}", "--folder", str(self.folder), "--json"]
        self._process = subprocess.Popen([*PROGRAM, *words], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.url = json.loads(self._process.stdout.readline())["listening"]

    def kill(self) -> None:
        """Kill it with SIGKILL, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None
