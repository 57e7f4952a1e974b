"""Fixtures of the whole suite: a real PostgreSQL, a fresh database per test, folders that its account can reach.

Pytest's own temporary folders are closed to other accounts, and as root PostgreSQL runs as another one. So a run has a
folder of its own, made by the controlling process and shared by the workers of pytest-xdist; the server in it is
started by the first test that needs one and ends with the last worker.
"""

from __future__ import annotations

import gc
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from evidence.db.embedded import EmbeddedPostgres
from evidence.db.pool import Pool, open_pool
from tests.support.clock import SeededEntropy, SteppingClock
from tests.support.database import fresh_database, make_template_now

if TYPE_CHECKING:
    from tests.support.s3_bucket import Bucket
    from tests.support.s3_server import S3Server

_RUN_FOLDER = pytest.StashKey[Path]()
_IN_MEMORY = Path("/dev/shm")
_IN_MEMORY_BYTES_MIN = 4 << 30
"""Room that the databases of a run want at the most; where memory has less, they lie beside everything else."""


class _ShareRunFolder:
    """Tells the workers of pytest-xdist which folder the run has; registered only when that plugin is there."""

    def pytest_configure_node(self, node: object) -> None:
        workerinput: dict[str, str] = node.workerinput  # type: ignore[attr-defined]  # xdist has no types for nodes
        workerinput["run_folder"] = str(node.config.stash[_RUN_FOLDER])  # type: ignore[attr-defined]


def pytest_configure(config: pytest.Config) -> None:
    # Most tests are not about who may see what; those that are set it themselves (see test_permits).
    os.environ.setdefault("SHILU_ACCESS", "roles")
    workerinput: dict[str, str] | None = getattr(config, "workerinput", None)
    if workerinput is None:
        folder = Path(tempfile.mkdtemp(prefix="shilu-test-", dir="/tmp"))
        folder.chmod(0o711)
        if _IN_MEMORY.is_dir() and shutil.disk_usage(_IN_MEMORY).free > _IN_MEMORY_BYTES_MIN:
            _databases(folder).mkdir(mode=0o711)
        if config.pluginmanager.hasplugin("xdist"):
            config.pluginmanager.register(_ShareRunFolder())
    else:
        folder = Path(workerinput["run_folder"])
    config.stash[_RUN_FOLDER] = folder


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    # Thousands of tests and modules that live as long as the run: the collector need not walk them again and again.
    gc.collect()
    gc.freeze()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput") and _RUN_FOLDER in config.stash:
        shutil.rmtree(config.stash[_RUN_FOLDER], ignore_errors=True)
        shutil.rmtree(_databases(config.stash[_RUN_FOLDER]), ignore_errors=True)


def _databases(run_folder: Path) -> Path:
    """Return where the databases of a run lie if memory has room: hundreds of small files for each of many tests."""
    return _IN_MEMORY / run_folder.name


@pytest.fixture(scope="session")
def run_folder(pytestconfig: pytest.Config) -> Path:
    """The run's folder, which every account may pass through."""
    return pytestconfig.stash[_RUN_FOLDER]


@pytest.fixture(scope="session")
def postgres(run_folder: Path) -> Iterator[str]:
    """Address of the run's server, with the migrated template in it; not safe against power cuts."""
    folder = _databases(run_folder) if _databases(run_folder).is_dir() else run_folder
    server = EmbeddedPostgres(folder / "postgres", durable=False)
    with server as dsn:
        make_template_now(dsn)
        yield dsn


@pytest.fixture
async def database(postgres: str) -> AsyncIterator[str]:
    """Address of a fresh, migrated database of this test's own."""
    async with fresh_database(postgres) as dsn:
        yield dsn


@pytest.fixture
async def empty_database(postgres: str) -> AsyncIterator[str]:
    """Address of a database of this test's own without any table."""
    async with fresh_database(postgres, template="template1") as dsn:
        yield dsn


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    """A pool on this test's own database."""
    async with open_pool(database, program="test") as opened:
        yield opened


@pytest.fixture
def data_folder(run_folder: Path) -> Iterator[Path]:
    """A short-lived folder that PostgreSQL's account can reach, with a space and Chinese characters in its path."""
    folder = run_folder / f"数据 {secrets.token_hex(4)}"
    folder.mkdir()
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def clock() -> SteppingClock:
    """A clock that the test steers."""
    return SteppingClock()


@pytest.fixture
def entropy() -> SeededEntropy:
    """Random bytes that are the same in every run."""
    return SeededEntropy()


# Object storage. What it takes is imported where it is asked for: it is long to load, and few tests need it.


@pytest.fixture(scope="module")
def running() -> Iterator[S3Server]:
    """A server of S3 over real HTTP, which can be told to fail."""
    from tests.support.s3_server import s3_server

    with s3_server() as server:
        yield server


@pytest.fixture(scope="session")
def session() -> Any:
    """One session for all tests: it reads a description of S3 that is megabytes long."""
    from botocore.session import get_session

    return get_session()


@pytest.fixture
def bucket(running: S3Server, session: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """A bucket with Object Lock, of this test's own."""
    from tests.support.s3_bucket import make_bucket, use_test_credentials

    use_test_credentials(monkeypatch)
    running.reset()
    made = make_bucket(running, session)
    yield made
    running.speak()
    running.reset()
