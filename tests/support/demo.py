"""The demonstration as a test runs it: a real process over real programs, whose ids can be found and killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.house import ROOT

VICTIMS = ("service", "worker", "dock", "postgres")


class DemoProcess:
    """One run of `shilu demo --exit --json` on a data folder."""

    def __init__(self, data: Path, *words: str) -> None:
        self.data = data
        self._errors = data.with_suffix(".stderr").open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "api.cli.main", "demo", "--exit", "--json", "--data", str(data), *words],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )

    def is_running(self) -> bool:
        """Tell whether the demonstration has not ended yet."""
        return self._process.poll() is None

    def kill(self, victim: str) -> bool:
        """Kill one of its programs with SIGKILL; tell whether there was one to kill."""
        pid = self._pid(victim)
        if pid is None:
            return False
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    def kill_all(self) -> None:
        """Kill the demonstration itself; its programs end with it."""
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def finish(self, *, seconds: float) -> tuple[int, dict[str, Any]]:
        """Wait for its end; return the exit code and the JSON it printed (empty if it printed none).

        Raises:
            AssertionError: It did not end in time; with what its programs said and which of them still ran.
        """
        try:
            out, _ = self._process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            running = [f"{victim} {self._pid(victim)}" for victim in VICTIMS]
            raise AssertionError(f"not done after {seconds} s; running: {running}\n{self.story()}") from None
        finally:
            if self._process.poll() is None:
                self._process.kill()
                self._process.communicate()
            self._errors.close()
        return self._process.returncode, json.loads(out) if out.strip() else {}

    def story(self) -> str:
        """Return what it and its programs wrote for people, to explain a failed test."""
        logs = [self.data.with_suffix(".stderr"), *sorted((self.data / "logs").glob("*.log"))]
        return "\n".join(f"--- {log.name}\n{log.read_text(errors='replace')[-3000:]}" for log in logs if log.exists())

    def _pid(self, victim: str) -> int | None:
        if victim == "postgres":
            files = sorted((self.data / "postgres").rglob("postmaster.pid"))
        else:
            files = [self.data / "run" / f"{victim}.pid"]
        try:
            pid = int(files[0].read_text().split()[0])
        except (IndexError, OSError, ValueError):
            return None
        # A cluster in the making bears a negative number, which `kill` would take for a group of processes.
        return pid if pid > 0 else None
