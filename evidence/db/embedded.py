"""A PostgreSQL server of our own for trials, small sites and tests; production gives the address of a real one.

Any number of programs share the server of a folder: the first one starts it, later ones join, and it stops when the
last one is gone, be it by `stop()` or by `kill -9` (see guardian.py). What a crash leaves behind is met at every start:

    server still there, programs dead      adopted: the address is in its own pid file, a new guardian is posted
    server dead, lock files left           made harmless, in case their number is in use again, then started anew
    server still recovering                waited for
    server dead, children or pg_ctl left   ended, as PostgreSQL's manual asks of whoever restarts it by hand
    shared memory not yet free             tried again
    cluster half made                      made again under a temporary name (see cluster.py)

Everything here blocks; asynchronous programs call it in a thread.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import sys
import time
from pathlib import Path
from types import TracebackType

from evidence.db import guardian
from evidence.db.account import Account, server_account
from evidence.db.binaries import Binaries, find_binaries
from evidence.db.cluster import (
    Cluster,
    claim_folder,
    configure,
    find_cluster,
    make_cluster,
    place_cluster,
    remove_cluster,
    run,
)
from evidence.errors import PostgresFolderUnusable, PostgresStartFailed
from ledger.pausing import happens

_LOG_BYTES_MAX = 8 << 20
_MEMORY_WAIT_SECONDS = 15.0
_MEMORY_IN_USE = "pre-existing shared memory block"


def running_dsn(folder: Path) -> str | None:
    """Return the address of the server that runs on a folder, or None; for commands beside the one that started it."""
    return find_cluster(folder.resolve()).running_dsn()


class EmbeddedPostgres:
    """The server of one folder, as seen by this program.

    Args:
        folder: A folder of its own, made if missing; any path, spaces and Chinese characters included.
        durable: False gives up safety against power cuts for speed; for tests only.
        start_seconds_max: How long crash recovery may take before the start counts as failed.
    """

    def __init__(self, folder: Path, *, durable: bool = True, start_seconds_max: int = 300) -> None:
        self._folder = folder.resolve()
        self._durable = durable
        self._start_seconds_max = start_seconds_max
        self._users_lock: int | None = None
        self._guardians: list[int] = []

    def __enter__(self) -> str:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> str:
        """Start the server or join the one that runs, and return its address; calling it again does no harm.

        Raises:
            PostgresUnavailable: Its programs are not installed.
            PostgresFolderUnusable: The folder is another account's, of another version, or out of reach.
            PostgresStartFailed: It did not start; the end of its log is in the details.
        """
        account = server_account()
        binaries = find_binaries(account)
        claim_folder(self._folder)
        with guardian.locked(self._folder / guardian.START_LOCK):
            cluster = place_cluster(self._folder, account)
            dsn = cluster.running_dsn()
            if dsn is None:
                make_cluster(cluster, binaries=binaries, account=account, durable=self._durable)
                dsn = self._launch(cluster, binaries=binaries, account=account)
            self._use(cluster, binaries=binaries, account=account)
        return dsn

    def stop(self) -> None:
        """Leave the server, and stop it if nobody else uses it; a second call does nothing."""
        if self._users_lock is None:
            return
        account = server_account()
        pg_ctl = find_binaries(account).program("pg_ctl")
        with guardian.locked(self._folder / guardian.START_LOCK):
            handle, self._users_lock = self._users_lock, None
            try:
                # Our shared lock becomes exclusive exactly when no other program holds one.
                if guardian.try_exclusive(handle):
                    guardian.stop_server(pg_ctl, find_cluster(self._folder).data, account.pair)
            finally:
                os.close(handle)
        self._reap_guardians()

    def remove(self) -> None:
        """Leave the server and delete all its data, unless another program uses it.

        Raises:
            PostgresFolderUnusable: It still runs, so somebody else uses it.
        """
        self.stop()
        if self.running_dsn() is not None:
            raise PostgresFolderUnusable(f"the server in {self._folder} is used by another program")
        remove_cluster(self._folder)

    def running_dsn(self) -> str | None:
        """Return the address of the running server, or None."""
        return running_dsn(self._folder)

    async def keep_running(self, stop: asyncio.Event, *, interval_seconds: float = 1.0) -> None:
        """Start the server again whenever it dies, until `stop` is set; the address stays the same.

        Raises:
            PostgresStartFailed: It died and cannot be started again.
        """
        while not stop.is_set():
            if self.running_dsn() is None:
                await asyncio.to_thread(self.start)
            await happens(stop, interval_seconds)

    def _launch(self, cluster: Cluster, *, binaries: Binaries, account: Account) -> str:
        if guardian.server_pid(cluster.data) is None:
            guardian.end_orphans(cluster.data)
            cluster.forget_dead_server()
            configure(cluster, account=account, durable=self._durable)
            _prepare_log(cluster, account)
            self._run_pg_ctl(cluster, binaries=binaries, account=account)
        deadline = time.monotonic() + self._start_seconds_max
        while (dsn := cluster.running_dsn()) is None:
            if guardian.server_pid(cluster.data) is None or time.monotonic() > deadline:
                raise PostgresStartFailed("the server does not become ready", folder=str(cluster.home))
            time.sleep(0.05)
        return dsn

    def _run_pg_ctl(self, cluster: Cluster, *, binaries: Binaries, account: Account) -> None:
        command: list[str | Path] = [
            binaries.program("pg_ctl"),
            "start",
            "-w",
            "-s",
            "-t",
            str(self._start_seconds_max),
        ]
        command += ["-D", cluster.data.name, "-l", cluster.log.name]
        began = time.monotonic()
        while True:
            said_before = cluster.log.stat().st_size
            try:
                return run(command, cwd=cluster.home, account=account)
            except PostgresStartFailed as error:
                with cluster.log.open("rb") as log:
                    log.seek(said_before)
                    said = log.read()[-4000:].decode(errors="replace")
                if _MEMORY_IN_USE not in said or time.monotonic() - began > _MEMORY_WAIT_SECONDS:
                    raise PostgresStartFailed(error.message, log=said, folder=str(cluster.home)) from error
            time.sleep(0.2)

    def _use(self, cluster: Cluster, *, binaries: Binaries, account: Account) -> None:
        if self._users_lock is None:
            self._users_lock = guardian.open_lock(self._folder / guardian.USERS_LOCK)
            fcntl.flock(self._users_lock, fcntl.LOCK_SH)
        self._reap_guardians(wait_seconds=0.0)
        paths = (Path(guardian.__file__), self._folder, binaries.program("pg_ctl"), cluster.data)
        words = [sys.executable, "-I", "-S", *map(str, paths), *map(str, account.pair or ())]
        nothing = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (0, 1, 2)]
        self._guardians.append(
            os.posix_spawn(sys.executable, words, {"PATH": "/usr/bin:/bin"}, file_actions=nothing, setsid=True)
        )

    def _reap_guardians(self, *, wait_seconds: float = 2.0) -> None:
        # A second guardian ends at once, the last one with the server; nobody may be left as a zombie of ours.
        deadline = time.monotonic() + wait_seconds
        while self._guardians:
            ended = [pid for pid in self._guardians if _has_ended(pid)]
            self._guardians = [pid for pid in self._guardians if pid not in ended]
            if time.monotonic() >= deadline:
                return
            time.sleep(0.01)


def _has_ended(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True


def _prepare_log(cluster: Cluster, account: Account) -> None:
    if not cluster.log.exists() or cluster.log.stat().st_size > _LOG_BYTES_MAX:
        cluster.log.write_bytes(b"")
    account.give(cluster.log)
