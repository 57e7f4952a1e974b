"""The files of one embedded PostgreSQL: where they lie, how they are made, what its configuration says.

    <folder>/start.lock ...   who may start it, who uses it (see guardian.py)
    <folder>/elsewhere        the path of its home, only when the server's account cannot reach <folder>
    <home>/cluster/           PostgreSQL's data, 0700
    <home>/socket/            its Unix socket, 0700; in /tmp when the path would be too long for one
    <home>/socket-folder      then, the path of the socket's folder
    <home>/server.log         what the server has to say

Crash story: a cluster is made under a name of its own, `cluster.new-*`, and renamed when it is complete, so a half-made
one is never used, and an `initdb` that outlives the program which began it finds nothing of its successor's to remove.
Configuration is written anew at every start.

Trust: no TCP. The socket's folder is closed to other accounts, and the server asks the kernel who connects (`peer`):
only the account of the program that started it gets in, without a password that could leak.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from evidence.core.durable import make_folders, sync_folder, write_file
from evidence.db.account import Account
from evidence.db.binaries import Binaries, shared_state_folder
from evidence.db.guardian import server_pid
from evidence.errors import PostgresFolderUnusable, PostgresStartFailed

ROLE = "shilu"
DATABASE = "shilu"
PORT = 5432

_POINTER = "elsewhere"
_HALF_MADE = "cluster.new-"
_IMPOSSIBLE_PID = 2**31 - 1
"""Above the kernel's own limit of 2^22 (proc(5), pid_max)."""
_SOCKET_NAME_BYTES = len(f"/.s.PGSQL.{PORT}.lock")
_SOCKET_PATH_BYTES_MAX = 107
"""Longest path of a Unix socket on Linux: `sun_path` of unix(7), less its final NUL."""

_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "port": str(PORT),
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "jit": "off",
}
_FORGETFUL_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True, slots=True)
class Cluster:
    """A home for one server's files, see the module's page."""

    home: Path

    @property
    def data(self) -> Path:
        """PostgreSQL's data folder."""
        return self.home / "cluster"

    @property
    def log(self) -> Path:
        """The server's own log."""
        return self.home / "server.log"

    def running_dsn(self) -> str | None:
        """Return the address of the server that runs on this cluster and takes connections, or None."""
        if server_pid(self.data) is None:
            return None
        try:
            lines = (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
            socket, ready = Path(lines[4]), lines[7].strip() == "ready"
        except (OSError, IndexError):
            return None
        return dsn_of(socket) if ready else None

    def forget_dead_server(self) -> None:
        """Let a new server start although a dead one left its lock files and their number is in use again.

        The pid file also names the shared memory by which PostgreSQL notices that children of the dead server still
        run. So it is kept, with a number that no process can have; the socket's own lock file says nothing else.
        """
        pid_file = self.data / "postmaster.pid"
        if pid_file.exists():
            _, _, rest = pid_file.read_text(encoding="utf-8").partition("\n")
            pid_file.write_text(f"{_IMPOSSIBLE_PID}\n{rest}", encoding="utf-8")
        for folder in (self.home / "socket", self.remembered_socket()):
            if folder is not None:
                (folder / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)

    def remembered_socket(self) -> Path | None:
        """Return the socket folder that was chosen because the cluster's own path is too long, or None."""
        try:
            return Path((self.home / "socket-folder").read_text(encoding="utf-8").rstrip("\n"))
        except FileNotFoundError:
            return None


def dsn_of(socket: Path) -> str:
    """Write the address of the database behind a socket folder."""
    return f"postgresql://{ROLE}@/{DATABASE}?host={quote(str(socket), safe='')}&port={PORT}"


def find_cluster(folder: Path) -> Cluster:
    """Return the cluster of a folder, wherever its home is; nothing is made."""
    pointer = folder / _POINTER
    try:
        return Cluster(Path(pointer.read_text(encoding="utf-8").rstrip("\n")))
    except FileNotFoundError:
        return Cluster(folder)
    except OSError as error:
        raise PostgresFolderUnusable(f"cannot read {pointer}: {error.strerror}") from error


def claim_folder(folder: Path) -> None:
    """Make the folder if it is missing and see that it is ours.

    Raises:
        PostgresFolderUnusable: It cannot be made, belongs to another account, or has a name with control characters.
    """
    if any(character < " " for character in str(folder)):
        raise PostgresFolderUnusable("PostgreSQL's own files cannot hold a folder name with control characters")
    try:
        if not folder.exists():
            make_folders(folder)
            folder.chmod(0o755)
        owner = folder.stat().st_uid
    except OSError as error:
        raise PostgresFolderUnusable(f"cannot use {folder}: {error.strerror}", folder=str(folder)) from error
    if owner != os.geteuid():
        raise PostgresFolderUnusable(f"{folder} belongs to another account (uid {owner})", folder=str(folder))


def place_cluster(folder: Path, account: Account) -> Cluster:
    """Decide where the home is: in the folder, or, when the account cannot reach that, below `/var/lib/shilu`.

    Raises:
        PostgresFolderUnusable: No place can be made, or the one there was is gone or out of reach.
    """
    cluster = find_cluster(folder)
    if not cluster.home.is_dir():
        raise PostgresFolderUnusable(
            f"the database of {folder} lived in {cluster.home}, which is gone; restore it from a backup, "
            f"or remove {folder} to begin anew",
            folder=str(cluster.home),
        )
    if account.reaches(cluster.home):
        return cluster
    if cluster.data.exists():
        # Going elsewhere would mean to begin anew with an empty database.
        raise PostgresFolderUnusable(
            f"there is a database in {cluster.home}, but the account it runs as (uid {account.uid}) cannot reach it "
            "any more; open the folders above it, or move it",
            folder=str(cluster.home),
        )
    # A new name each time: a folder that was deleted and made again must not meet its former self.
    try:
        home = Path(tempfile.mkdtemp(prefix="postgres-", dir=shared_state_folder()))
        home.chmod(0o755)
        write_file(folder / _POINTER, f"{home}\n".encode())
    except OSError as error:
        raise PostgresFolderUnusable(f"cannot make a home for {folder}: {error.strerror}") from error
    return Cluster(home)


def remove_cluster(folder: Path) -> None:
    """Delete the cluster of a folder and everything around it, wherever its home is; its server must not run."""
    cluster = find_cluster(folder)
    if (socket := cluster.remembered_socket()) is not None:
        shutil.rmtree(socket, ignore_errors=True)
    for place in {cluster.home, folder}:
        shutil.rmtree(place, ignore_errors=True)


def make_cluster(cluster: Cluster, *, binaries: Binaries, account: Account, durable: bool) -> None:
    """Initialise the cluster unless it is there, with data checksums and a locale no system update can change.

    Raises:
        PostgresStartFailed: `initdb` failed.
        PostgresFolderUnusable: The cluster there is of another major version.
    """
    if cluster.data.is_dir():
        version = (cluster.data / "PG_VERSION").read_text().strip()
        if version != binaries.major:
            raise PostgresFolderUnusable(
                f"{cluster.data} was made by PostgreSQL {version}, the programs are {binaries.major}; "
                "dump it with the old version and load it with the new",
                folder=str(cluster.data),
            )
        return
    _remove_half_made(cluster)
    new = Path(tempfile.mkdtemp(prefix=_HALF_MADE, dir=cluster.home))
    account.give(new)
    run(
        [
            binaries.program("initdb"),
            "-D",
            new.name,
            f"--username={ROLE}",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--locale=C.UTF-8",
            "--data-checksums",
            "--auth=peer",
            *(() if durable else ("--no-sync",)),
        ],
        cwd=cluster.home,
        account=account,
    )
    run(
        [binaries.program("postgres"), "--single", "-D", new.name, "template1"],
        cwd=cluster.home,
        account=account,
        typed=f"CREATE DATABASE {DATABASE}\n",
    )
    new.rename(cluster.data)
    sync_folder(cluster.home)
    _remove_half_made(cluster)


def _remove_half_made(cluster: Cluster) -> None:
    """Remove what broken-off attempts left; one that still runs puts some back, and the next start meets it."""
    for stale in cluster.home.glob(f"{_HALF_MADE}*"):
        shutil.rmtree(stale, ignore_errors=True)


def configure(cluster: Cluster, *, account: Account, durable: bool) -> None:
    """Write the server's configuration and choose its socket folder."""
    settings = _SETTINGS | ({} if durable else _FORGETFUL_SETTINGS)
    settings["unix_socket_directories"] = f'"{_socket_folder(cluster, account)}"'
    files = {
        "postgresql.conf": "".join(f"{name} = {_quoted(value)}\n" for name, value in settings.items()),
        "pg_hba.conf": f"local all {ROLE} peer map={ROLE}\n",
        "pg_ident.conf": f'{ROLE} "{account.client}" {ROLE}\n',
    }
    for name, text in files.items():
        path = cluster.data / name
        write_file(path, text.encode(), mode=0o600)
        account.give(path)


def run(command: list[str | Path], *, cwd: Path, account: Account, typed: str = "") -> None:
    """Run one of PostgreSQL's programs as the server's account, in a bare environment, and wait for its end.

    Paths of people's choosing are given relative to `cwd`: PostgreSQL's programs hand their arguments to a shell.

    Raises:
        PostgresStartFailed: It did not end well; its last words are in the details.
    """
    # A server that stays behind keeps its standard output open: a pipe would never end, a file does no harm.
    with tempfile.TemporaryFile() as output:
        result = subprocess.run(
            command,
            input=typed.encode(),
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"},
            user=account.uid if account.changed else None,
            group=account.gid if account.changed else None,
            extra_groups=[] if account.changed else None,
            umask=0o077,
            check=False,
        )
        output.seek(0)
        words = output.read().decode(errors="replace")
    if result.returncode != 0:
        name = Path(command[0]).name
        raise PostgresStartFailed(f"{name} ended with {result.returncode}: {_last_line(words)}", output=words[-4000:])


def _socket_folder(cluster: Cluster, account: Account) -> Path:
    beside = cluster.home / "socket"
    # A comma would split the address into two hosts, a quote the setting.
    fits = len(os.fsencode(beside)) + _SOCKET_NAME_BYTES <= _SOCKET_PATH_BYTES_MAX
    if fits and not set(str(beside)) & set(",\"'\\\n"):
        if not beside.is_dir():
            beside.mkdir(mode=0o700)
            account.give(beside)
        return beside
    kept = cluster.remembered_socket()
    if kept is not None and _is_private(kept, account):
        return kept
    made = Path(tempfile.mkdtemp(prefix="shilu-socket-", dir="/tmp"))
    account.give(made)
    write_file(cluster.home / "socket-folder", f"{made}\n".encode())
    return made


def _is_private(folder: Path, account: Account) -> bool:
    try:
        status = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == account.uid and stat.S_IMODE(status.st_mode) == 0o700


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"
