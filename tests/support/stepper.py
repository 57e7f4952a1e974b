"""Kills a real process between any two of its system calls, and tells which calls it made in which order."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# The profiler sees every system call of the interpreter just before it is made; it notes their names, and kills the
# process with SIGKILL when its allowance is used up.
_STEPPER = """
import os, signal, sys
from pathlib import Path
{imports}
allowance, calls = int(sys.argv[1]), []
def watch(frame, event, function):
    if event == "c_call" and getattr(function, "__module__", None) == "posix":
        if len(calls) == allowance:
            os.kill(os.getpid(), signal.SIGKILL)
        calls.append(function.__name__)
folder = Path(sys.argv[2])
sys.setprofile(watch)
{action}
sys.setprofile(None)
print(" ".join(name for name in calls if name != "fspath"))
"""


def step(action: str, folder: Path, *, imports: str, allowance: int = 10_000) -> list[str] | None:
    """Run an action with at most that many system calls; return their names, or None when it was killed.

    Args:
        action: Python statements; `folder` is at hand in them.
        folder: Where it works.
        imports: Statements that run before anybody counts.
        allowance: System calls before the kill.
    """
    code = _STEPPER.format(imports=imports, action=action)
    command = [sys.executable, "-c", code, str(allowance), str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    if done.returncode == -signal.SIGKILL:
        return None
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def killed_runs(action: str, folder: Path, *, imports: str) -> Iterator[Path]:
    """Yield a folder per point at which the action can be killed, once to be prepared and once to be looked at."""
    for allowance in range(200):
        place = folder / f"killed-after-{allowance}"
        place.mkdir()
        yield place
        finished = step(action, place, imports=imports, allowance=allowance) is not None
        yield place
        if finished:
            assert allowance > 3, "the action is expected to have several steps"
            return
    raise AssertionError("the action never ends")
