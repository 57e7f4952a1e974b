"""The guardian stops an embedded PostgreSQL when the last program that uses it is gone, killed ones included.

Every program holds a shared lock on `users.lock`; the kernel drops it when the program ends, however it ends. The
guardian, a small process of its own, waits for the exclusive lock: when it gets it nobody is left, and it stops the
server. Starting and stopping are serialised by `start.lock`, so that a program that comes just then either still finds
the server or starts it anew. Lock order: `start.lock` before `users.lock`, except for the guardian's first wait, which
it gives up before it takes `start.lock`.

Run as a script with nothing but the standard library, so that it is small and starts at once:
`guardian.py FOLDER PG_CTL CLUSTER [UID GID]`.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

START_LOCK = "start.lock"
USERS_LOCK = "users.lock"
GUARDIAN_LOCK = "guardian.lock"

_STOP_SECONDS = 60
_ORPHANS_LOOKS_MAX = 500
_SERVER_PROGRAMS = frozenset({"postgres", "pg_ctl"})


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the exclusive lock on a file for the length of a `with` block, waiting for it as long as it takes."""
    handle = open_lock(path)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def open_lock(path: Path) -> int:
    """Open a lock file, made if missing; the lock ends when the returned descriptor is closed."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def try_exclusive(handle: int) -> bool:
    """Take the exclusive lock if nobody else holds any, without waiting."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def server_pid(cluster: Path) -> int | None:
    """Return the process id of the server that runs on a cluster, or None.

    A pid file alone proves nothing: after a crash, or in a new container, its number may be a zombie or another
    process. A PostgreSQL server stands in its data folder, and nobody else does.
    """
    try:
        pid = int((cluster / "postmaster.pid").read_text().split("\n", 1)[0])
        standing = Path(f"/proc/{pid}/cwd").readlink()
    except (OSError, ValueError):
        return None
    return pid if standing == cluster.resolve() else None


def end_orphans(cluster: Path) -> None:
    """Kill what a dead server left running on a cluster; under the start lock, and only when no server runs.

    Its children, which hold the shared memory until they notice, and a `pg_ctl` that outlived the program which asked
    it for a server: that one's server would come up beside ours, in the instant in which we take the pid file for a
    dead one's. What is committed is in the log, and recovered at the next start. Only PostgreSQL's own programs are
    ended: an administrator may stand in the folder with a shell.
    """
    # Until nobody is found: what a `pg_ctl` has just forked shows its own name a moment later. Who waits for a broken
    # disk does not die of it; the server's own start says so then.
    for _ in range(_ORPHANS_LOOKS_MAX):
        if not _kill_programs_in({cluster.resolve(), cluster.parent.resolve()}):
            return
        time.sleep(0.01)


def _kill_programs_in(folders: set[Path]) -> bool:
    found = False
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            program = (process / "exe").readlink().name.removesuffix(" (deleted)")
            if program in _SERVER_PROGRAMS and (process / "cwd").readlink() in folders:
                os.kill(int(process.name), signal.SIGKILL)
                found = True
    return found


def stop_server(pg_ctl: Path, cluster: Path, account: tuple[int, int] | None) -> None:
    """Stop the server of a cluster: connections are cut, what is committed is kept. No server is no error."""
    user, group = account if account else (None, None)
    for mode in ("fast", "immediate"):
        if server_pid(cluster) is None:
            return
        # Immediate is what a power cut would be: safe, only slower at the next start.
        subprocess.run(
            [pg_ctl, "stop", "-D", cluster, "-m", mode, "-w", "-t", str(_STOP_SECONDS)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            user=user,
            group=group,
            extra_groups=None if account is None else [],
            check=False,
        )


def guard(folder: Path, pg_ctl: Path, cluster: Path, account: tuple[int, int] | None) -> None:
    """Wait until no program uses the server below `folder`, then stop it; return at once if another guardian waits."""
    guardian = open_lock(folder / GUARDIAN_LOCK)
    if not try_exclusive(guardian):
        return
    while True:
        with locked(folder / USERS_LOCK):
            pass
        with locked(folder / START_LOCK):
            users = open_lock(folder / USERS_LOCK)
            try:
                if try_exclusive(users):
                    stop_server(pg_ctl, cluster, account)
                    # Before the start lock goes: whoever starts the server next must be able to post its own guardian.
                    os.close(guardian)
                    return
            finally:
                os.close(users)


if __name__ == "__main__":
    _folder, _pg_ctl, _cluster = (Path(argument) for argument in sys.argv[1:4])
    _account = (int(sys.argv[4]), int(sys.argv[5])) if len(sys.argv) > 5 else None
    guard(_folder, _pg_ctl, _cluster, _account)
