"""The bonds of the child process, tried out in processes of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict, replace

import pytest

from ingest.media.limits import GIBIBYTE, MEBIBYTE, Limits

LIMITS = Limits(memory_bytes=GIBIBYTE, cpu_seconds=5, output_bytes=MEBIBYTE, open_files=32)


def bound(code: str, limits: Limits = LIMITS, *, parent: int | None = None) -> subprocess.CompletedProcess[str]:
    """Run Python statements in a process that has bound itself first."""
    program = (
        "import json, os, sys\nfrom ingest.media.limits import Limits, confine\n"
        f"confine(Limits(**json.loads(sys.argv[1])), parent={os.getpid() if parent is None else parent})\n{code}"
    )
    return subprocess.run(
        [sys.executable, "-I", "-c", program, json.dumps(asdict(limits))],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def refused(code: str) -> None:
    ended = bound(f"try:\n    {code}\nexcept PermissionError:\n    print('refused')")
    assert ended.stdout.strip() == "refused", ended


@pytest.mark.parametrize(
    "code",
    [
        "import socket; socket.socket()",
        "import socket; socket.socket(socket.AF_UNIX)",
        "import socket; socket.socketpair()",
        "os.execv('/bin/true', ['/bin/true'])",
        "os.fork()",
        "import subprocess; subprocess.run(['/bin/true'])",
        "os.posix_spawn('/bin/true', ['/bin/true'], {})",
    ],
)
def test_no_network_and_no_other_process(code: str) -> None:
    refused(code)


def test_threads_are_allowed() -> None:
    ended = bound("import threading\nt = threading.Thread(target=print, args=('done',))\nt.start(); t.join()")
    assert ended.stdout.strip() == "done", ended


def test_memory_is_bound() -> None:
    ended = bound("try:\n    bytearray(2 << 30)\nexcept MemoryError:\n    print('refused')")
    assert ended.stdout.strip() == "refused", ended


def test_a_file_that_grows_too_large_is_an_error_and_not_a_death() -> None:
    ended = bound(
        "import errno, tempfile\nwith tempfile.TemporaryFile() as f:\n"
        "    try:\n        f.write(b'x' * (2 << 20)); f.flush()\n"
        "    except OSError as error:\n        print(errno.errorcode[error.errno], flush=True); os._exit(0)"
    )
    assert ended.stdout.strip() == "EFBIG", ended


def test_open_files_are_bound() -> None:
    ended = bound("try:\n    keep = [open('/dev/null') for _ in range(100)]\nexcept OSError as e:\n    print(e.errno)")
    assert ended.stdout.strip() == "24", ended


def test_processor_time_is_bound_and_says_so() -> None:
    ended = bound("while True: pass", replace(LIMITS, cpu_seconds=1))
    assert ended.returncode == -signal.SIGXCPU


def test_it_steps_back_behind_who_serves() -> None:
    ended = bound("import os\nprint(os.getpriority(os.PRIO_PROCESS, 0))")
    assert int(ended.stdout) == min(19, os.getpriority(os.PRIO_PROCESS, 0) + 10), ended


def test_a_crash_leaves_no_core() -> None:
    ended = bound("import resource\nprint(resource.getrlimit(resource.RLIMIT_CORE))")
    assert ended.stdout.strip() == "(0, 0)"


def test_no_new_privileges() -> None:
    ended = bound("print([line for line in open('/proc/self/status') if line.startswith(('NoNewPrivs', 'Seccomp:'))])")
    assert "NoNewPrivs:\\t1" in ended.stdout
    assert "Seccomp:\\t2" in ended.stdout


def test_what_it_writes_is_for_its_owner_alone() -> None:
    ended = bound("print(oct(os.umask(0)))")
    assert ended.stdout.strip() == "0o77"


def test_a_child_whose_parent_is_gone_does_not_begin() -> None:
    ended = bound("print('began')", parent=1 if os.getpid() != 1 else 2)
    assert (ended.returncode, ended.stdout) == (1, "")


def test_limits_grow_with_the_file_and_leave_room_for_any_honest_one() -> None:
    hour_of_sparse_footage = Limits.for_size(45 * MEBIBYTE)
    assert hour_of_sparse_footage.cpu_seconds >= 3 * 220
    day = Limits.for_size(64 * GIBIBYTE)
    assert day.output_bytes > 64 * GIBIBYTE, "keeping the original as the copy must be possible"
    assert day.idle_seconds > 64 * GIBIBYTE / (100 * MEBIBYTE)
    tiny = Limits.for_size(1)
    assert tiny.cpu_seconds < day.cpu_seconds
    assert tiny.idle_seconds == 60
    assert tiny.wall_seconds > tiny.cpu_seconds
