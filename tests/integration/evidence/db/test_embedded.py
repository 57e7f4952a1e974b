"""Our own PostgreSQL: joined, left, killed, orphaned, misplaced, and always found again with what was committed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import pytest

from evidence.db.account import server_account
from evidence.db.binaries import find_binaries
from evidence.db.cluster import find_cluster, remove_cluster
from evidence.db.embedded import EmbeddedPostgres, running_dsn
from evidence.errors import PostgresFolderUnusable, PostgresStartFailed
from tests.support.program import ROOT, Program, wait_until

IS_ROOT = os.geteuid() == 0
USER = """
import sys
from pathlib import Path
from evidence.db.embedded import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), durable=False)
print(server.start(), flush=True)
sys.stdin.read()
server.stop()
"""


@pytest.fixture
def folder(data_folder: Path) -> Iterator[Path]:
    """A folder for one server; whatever still runs there at the end is killed."""
    folder = data_folder / "postgres"
    yield folder
    if running_dsn(folder) is not None:
        os.kill(postmaster(folder), signal.SIGKILL)
    remove_cluster(folder)


def server_in(folder: Path) -> EmbeddedPostgres:
    return EmbeddedPostgres(folder, durable=False)


def postmaster(folder: Path) -> int:
    return int((find_cluster(folder).data / "postmaster.pid").read_text().split("\n")[0])


def standing_in(folder: Path) -> list[int]:
    """Return the processes whose working directory is this folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "cwd").readlink() == folder:
                found.append(int(process.name))
    return found


def running(program: str, folder: Path) -> list[int]:
    """Return the processes of one of PostgreSQL's programs in this folder, for example `initdb`."""
    return [pid for pid in standing_in(folder) if name_of(pid) == program]


def name_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().rstrip("\n")
    except OSError:
        return ""


def killed_but_for(spared: int, folder: Path) -> list[int]:
    """Kill every process of a server but one, and return those that stood there."""
    found = [pid for pid in standing_in(folder) + standing_in(folder / "cluster") if pid != spared]
    for pid in found:
        os.kill(pid, signal.SIGKILL)
    return found


def guardians(folder: Path) -> list[int]:
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = process.read_bytes().split(b"\0")
        except OSError:
            continue
        if any(word.endswith(b"guardian.py") for word in words) and os.fsencode(folder) in words:
            found.append(int(process.parent.name))
    return found


def query(dsn: str, statement: str) -> object:
    async def ask() -> object:
        conn = await asyncpg.connect(dsn)
        try:
            return await conn.fetchval(statement)
        finally:
            await conn.close()

    return asyncio.run(ask())


def test_a_server_is_made_started_stopped_and_started_again_with_its_data(folder: Path) -> None:
    server = server_in(folder)
    with server as dsn:
        query(dsn, "CREATE TABLE kept AS SELECT '执法记录'::text AS word")
        assert server.start() == dsn, "starting twice does no harm"
        assert running_dsn(folder) == dsn
    assert running_dsn(folder) is None
    server.stop()
    with server as dsn:
        assert query(dsn, "SELECT word FROM kept") == "执法记录"
    assert guardians(folder) == []


def test_the_cluster_is_what_evidence_needs(folder: Path) -> None:
    with EmbeddedPostgres(folder) as dsn:
        for setting, value in {
            "data_checksums": "on",
            "fsync": "on",
            "full_page_writes": "on",
            "synchronous_commit": "on",
            "listen_addresses": "",
            "server_encoding": "UTF8",
            "TimeZone": "UTC",
        }.items():
            assert query(dsn, f"SHOW {setting}") == value, setting
        assert query(dsn, "SELECT datlocprovider::text FROM pg_database WHERE datname = 'shilu'") == "b"
        data = find_cluster(folder).data
        assert data.stat().st_mode & 0o777 == 0o700


def test_a_second_program_joins_and_the_last_one_stops_the_server(folder: Path) -> None:
    with Program(USER, str(folder)) as first, Program(USER, str(folder)) as second:
        dsn = first.line()
        assert second.line() == dsn
        assert first.end() == 0
        assert running_dsn(folder) == dsn
        assert second.end() == 0
        assert running_dsn(folder) is None


def test_ten_programs_at_once_make_one_server(folder: Path) -> None:
    programs = [Program(USER, str(folder)) for _ in range(10)]
    try:
        assert len({program.line() for program in programs} - {""}) == 1
    finally:
        for program in programs:
            program.close()
    assert wait_until(lambda: running_dsn(folder) is None)


def test_the_server_stops_when_its_last_program_is_killed(folder: Path) -> None:
    with Program(USER, str(folder)) as program:
        dsn = program.line()
        query(dsn, "CREATE TABLE kept AS SELECT 1")
        program.kill()
    assert wait_until(lambda: running_dsn(folder) is None)
    assert wait_until(lambda: guardians(folder) == [])
    with server_in(folder) as dsn:
        assert query(dsn, "SELECT count(*) FROM kept") == 1


def test_a_killed_program_does_not_take_the_server_from_another(folder: Path) -> None:
    with Program(USER, str(folder)) as first, Program(USER, str(folder)) as second:
        dsn = first.line()
        assert second.line() == dsn
        first.kill()
        assert not wait_until(lambda: running_dsn(folder) is None, seconds=0.5)
        assert query(dsn, "SELECT 1") == 1


def test_an_orphaned_server_is_adopted_and_guarded_again(folder: Path) -> None:
    with Program(USER, str(folder)) as program:
        dsn = program.line()
        assert wait_until(lambda: guardians(folder) != []), "a process just made has no command line for a moment"
        for guardian in guardians(folder):
            os.kill(guardian, signal.SIGKILL)
        program.kill()
    before = postmaster(folder)
    with Program(USER, str(folder)) as program:
        assert program.line() == dsn
        assert postmaster(folder) == before
        program.kill()
    assert wait_until(lambda: running_dsn(folder) is None), "the adopted server has a guardian of its own"


def test_a_killed_server_comes_back_at_the_same_address_with_what_was_committed(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    with server as dsn:
        query(dsn, "CREATE TABLE kept AS SELECT 1")
        os.kill(postmaster(folder), signal.SIGKILL)
        assert wait_until(lambda: server.running_dsn() is None)
        assert server.start() == dsn
        assert query(dsn, "SELECT count(*) FROM kept") == 1


def test_a_child_that_outlives_its_server_does_not_hold_up_the_next(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    with server as dsn:
        query(dsn, "CREATE TABLE kept AS SELECT 1")
        killed = postmaster(folder)
        child = next(pid for pid in standing_in(folder / "cluster") if pid != killed)
        os.kill(child, signal.SIGSTOP)
        os.kill(killed, signal.SIGKILL)
        assert wait_until(lambda: server.running_dsn() is None)
        began = time.monotonic()
        assert server.start() == dsn
        assert time.monotonic() - began < 12, "well before the patience with children ends"
        assert query(dsn, "SELECT count(*) FROM kept") == 1


def test_who_stands_in_the_folder_of_a_dead_server_with_a_shell_is_left_alone(folder: Path) -> None:
    server = server_in(folder)
    with server as dsn, subprocess.Popen(["sleep", "60"], cwd=folder / "cluster") as bystander:
        os.kill(postmaster(folder), signal.SIGKILL)
        assert wait_until(lambda: server.running_dsn() is None)
        assert server.start() == dsn
        assert bystander.poll() is None
        bystander.kill()


def test_a_pg_ctl_that_outlives_its_program_starts_no_second_server(folder: Path) -> None:
    """What `kill -9` of a service leaves behind while it starts the server again."""
    with server_in(folder) as dsn:
        pass
    with Program(USER, str(folder)) as program:
        assert wait_until(lambda: running("pg_ctl", folder) != [])
        orphan = min(running("pg_ctl", folder))
        os.kill(orphan, signal.SIGSTOP)
        program.kill()
    assert wait_until(lambda: killed_but_for(orphan, folder) == [])
    with server_in(folder) as again:
        assert again == dsn
        assert orphan not in standing_in(folder)
        assert query(dsn, "SELECT 1") == 1


async def test_a_watched_server_is_started_again_by_itself(folder: Path) -> None:
    server = server_in(folder)
    dsn = await asyncio.to_thread(server.start)
    stop = asyncio.Event()
    watching = asyncio.create_task(server.keep_running(stop, interval_seconds=0.05))
    killed = postmaster(folder)
    os.kill(killed, signal.SIGKILL)
    assert await asyncio.to_thread(wait_until, lambda: running_dsn(folder) == dsn and postmaster(folder) != killed)
    stop.set()
    await watching
    await asyncio.to_thread(server.stop)


def test_a_pid_file_whose_number_is_now_another_process_is_not_believed(folder: Path) -> None:
    with server_in(folder):
        left = (find_cluster(folder).data / "postmaster.pid").read_text().split("\n")
    left[0] = str(os.getpid())
    stale = find_cluster(folder).data / "postmaster.pid"
    stale.write_text("\n".join(left))
    assert running_dsn(folder) is None
    with server_in(folder) as dsn:
        assert query(dsn, "SELECT 1") == 1


@pytest.mark.parametrize("text", ["", "x", "1\n", "99999999\n/\n1\n5432\n/tmp\n\n\nready\n", "\0\n" * 9])
def test_a_broken_pid_file_is_no_server(folder: Path, text: str) -> None:
    data = folder / "cluster"
    data.mkdir(parents=True)
    (data / "postmaster.pid").write_text(text)
    assert running_dsn(folder) is None


def test_an_initdb_that_outlives_its_program_does_no_harm(folder: Path) -> None:
    """What `kill -9` of a service in its first seconds leaves behind: it works on, and removes what it made."""
    with Program(USER, str(folder)) as program:
        assert wait_until(lambda: list(folder.glob("cluster.new-*/global")) != [])
        # What it has just forked shows its name for a moment, under a later number.
        orphan = min(running("initdb", folder))
        os.kill(orphan, signal.SIGSTOP)
        program.kill()
    with ThreadPoolExecutor(1) as pool:
        dsn = pool.submit(server_in(folder).start)
        assert wait_until(lambda: len(running("initdb", folder)) >= 2)
        os.kill(orphan, signal.SIGCONT)
        assert query(dsn.result(), "SELECT 1") == 1
    assert wait_until(lambda: running("initdb", folder) == [])
    server_in(folder).stop()


def test_a_cluster_half_made_is_made_again(folder: Path) -> None:
    half = folder / "cluster.new-broken-off"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18")
    folder.chmod(0o755)
    with server_in(folder) as dsn:
        assert query(dsn, "SELECT 1") == 1
    assert not half.exists()


def test_a_cluster_of_another_version_is_left_alone(folder: Path) -> None:
    with server_in(folder):
        pass
    (find_cluster(folder).data / "PG_VERSION").write_text("13\n")
    with pytest.raises(PostgresFolderUnusable, match="PostgreSQL 13"):
        server_in(folder).start()


def test_a_server_that_cannot_start_shows_its_own_last_words(folder: Path) -> None:
    with server_in(folder):
        pass
    (find_cluster(folder).data / "global" / "pg_control").unlink()
    with pytest.raises(PostgresStartFailed) as caught:
        server_in(folder).start()
    assert "pg_control" in str(caught.value.details["log"])


def test_an_address_too_long_for_a_socket_is_shortened(data_folder: Path) -> None:
    deep = data_folder / ("很长的文件夹名" * 5) / ("x" * 100) / "postgres"
    server = server_in(deep)
    with server as dsn:
        assert "%2Ftmp%2Fshilu-socket-" in dsn
        assert query(dsn, "SELECT 1") == 1
    with server as again:
        assert again == dsn, "the short folder is kept"
    socket = Path((deep / "socket-folder").read_text().strip())
    server.remove()
    assert not socket.exists()
    assert not deep.exists()


def test_a_folder_may_have_a_name_full_of_traps(data_folder: Path) -> None:
    server = server_in(data_folder / "-D a,b \"c\" 'd' \\e $(touch f) `g` %20 @:?#" / "postgres")
    with server as dsn:
        assert query(dsn, "SELECT 1") == 1
    server.remove()


def test_a_folder_with_control_characters_in_its_name_is_refused(data_folder: Path) -> None:
    with pytest.raises(PostgresFolderUnusable, match="control characters"):
        server_in(data_folder / "a\nb").start()


def test_a_server_that_is_still_recovering_is_waited_for(folder: Path) -> None:
    """Seen from outside: its pid file does not say ready yet."""
    with server_in(folder) as dsn:
        pid_file = find_cluster(folder).data / "postmaster.pid"
        ready = pid_file.read_bytes()
        starting = ready.replace(b"ready   ", b"starting")
        assert len(starting) == len(ready)
        assert starting != ready
        # Over the old bytes, as PostgreSQL does: a file that is empty for a moment is that of a dead server.
        with pid_file.open("r+b", buffering=0) as file:
            file.write(starting)
            assert running_dsn(folder) is None
            with Program(USER, str(folder)) as program:
                time.sleep(0.3)
                file.seek(0)
                file.write(ready)
                assert program.line() == dsn


def test_a_server_in_use_is_not_removed(folder: Path) -> None:
    with Program(USER, str(folder)) as program:
        dsn = program.line()
        server = server_in(folder)
        server.start()
        with pytest.raises(PostgresFolderUnusable, match="another program"):
            server.remove()
        assert query(dsn, "SELECT 1") == 1


@pytest.mark.skipif(not IS_ROOT, reason="only root can make folders that another account cannot reach")
def test_what_the_servers_account_cannot_reach_is_put_elsewhere_and_nothing_is_opened_up(data_folder: Path) -> None:
    private = data_folder / "private"
    private.mkdir(mode=0o700)
    folder = private / "postgres"
    server = server_in(folder)
    with server as dsn:
        query(dsn, "CREATE TABLE kept AS SELECT 1")
    assert private.stat().st_mode & 0o777 == 0o700
    home = find_cluster(folder).home
    assert not home.is_relative_to(private)
    with server as dsn:
        assert query(dsn, "SELECT count(*) FROM kept") == 1
    shutil.rmtree(folder)
    with server as dsn:
        assert query(dsn, "SELECT to_regclass('kept')") is None, "a folder made anew does not meet its former self"
    shutil.rmtree(home)
    shutil.rmtree(find_cluster(folder).home)
    with pytest.raises(PostgresFolderUnusable, match="restore it from a backup"):
        server.start()


@pytest.mark.skipif(not IS_ROOT, reason="only root can make folders that another account cannot reach")
def test_a_database_that_went_out_of_reach_is_not_replaced_by_an_empty_one(folder: Path) -> None:
    with server_in(folder):
        pass
    folder.parent.chmod(0o700)
    with pytest.raises(PostgresFolderUnusable, match="cannot reach it"):
        server_in(folder).start()
    folder.parent.chmod(0o755)
    with server_in(folder) as dsn:
        assert query(dsn, "SELECT 1") == 1


@pytest.mark.skipif(not IS_ROOT, reason="only root can give folders away")
def test_another_accounts_folder_is_refused(folder: Path) -> None:
    folder.mkdir()
    os.chown(folder, 1, 1)
    with pytest.raises(PostgresFolderUnusable, match="another account"):
        server_in(folder).start()


@pytest.mark.skipif(not IS_ROOT, reason="only root can become the server's account")
def test_even_the_servers_own_account_cannot_connect(folder: Path) -> None:
    account = server_account()
    programs = find_binaries(account)
    with server_in(folder) as dsn:
        command = [str(programs.program("psql")), dsn, "-c", "SELECT 1"]
        environment = {"LD_LIBRARY_PATH": str(programs.folder.parent / "lib")}
        own = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert own.returncode == 0, own.stderr
        other = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, user=account.uid, group=account.gid
        )
    assert other.returncode != 0
    assert "Peer authentication failed" in other.stderr


@pytest.mark.skipif(not IS_ROOT, reason="an ordinary user runs every other test of this file as one")
def test_an_ordinary_user_needs_nothing_of_root(data_folder: Path) -> None:
    python = next((path for path in map(Path, ("/usr/bin/python3", sys.executable)) if _serves(path)), None)
    if python is None:
        pytest.skip("no Python >= 3.11 that another account can run")
    folder = data_folder / "ordinary"
    folder.mkdir()
    os.chown(folder, 1, 1)
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    result = subprocess.run(
        [python, "-c", USER, str(folder)],
        input="",
        env={"PYTHONPATH": f"{ROOT}:{packages}"},
        capture_output=True,
        text=True,
        check=False,
        user=1,
        group=1,
        extra_groups=[],
        cwd="/",
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("postgresql://")
    assert (folder / "cluster").stat().st_uid == 1


def _serves(python: Path) -> bool:
    check = "import sys; sys.exit(sys.version_info < (3, 11))"
    try:
        return subprocess.run([python, "-c", check], user=1, group=1, cwd="/", check=False).returncode == 0
    except OSError:
        return False
