"""Under which account the embedded PostgreSQL runs, and what that account can reach.

PostgreSQL refuses to run as root. Started by root it runs as `nobody`, which sees neither below a home that is closed
to others nor into a checkout there. Nothing that is not ours is ever opened up for it: what must be reachable is put
where it is.
"""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from evidence.errors import PostgresStartFailed

_UNPRIVILEGED = "nobody"


@dataclass(frozen=True, slots=True)
class Account:
    """The operating system account of a server process.

    Attributes:
        uid: Its user id; equal to our own unless we are root.
        gid: Its group id.
        changed: Whether it differs from our own, so that processes must be started as it and folders handed to it.
        client: Name of the account that programs connect as, our own; the server asks the kernel for it.
    """

    uid: int
    gid: int
    changed: bool
    client: str

    @property
    def pair(self) -> tuple[int, int] | None:
        """User and group id to switch to, or None when the server runs as ourselves."""
        return (self.uid, self.gid) if self.changed else None

    def reaches(self, path: Path) -> bool:
        """Tell whether the account may pass through an existing folder and all folders above it."""
        if not self.changed:
            return os.access(path, os.X_OK)
        return all(self._passes(folder) for folder in (path, *path.parents))

    def give(self, path: Path) -> None:
        """Hand a file or folder that we made to the account."""
        if self.changed:
            os.chown(path, self.uid, self.gid)

    def _passes(self, folder: Path) -> bool:
        status = folder.stat()
        if status.st_uid == self.uid:
            return bool(status.st_mode & 0o100)
        return bool(status.st_mode & (0o010 if status.st_gid == self.gid else 0o001))


def server_account() -> Account:
    """Choose the account: our own, or `nobody` when we are root.

    Raises:
        PostgresStartFailed: Our user id, or `nobody`, has no entry in the system's list of users.
    """
    try:
        own = pwd.getpwuid(os.geteuid())
        other = pwd.getpwnam(_UNPRIVILEGED) if own.pw_uid == 0 else own
    except KeyError as error:
        raise PostgresStartFailed(
            f"the system's list of users lacks an account PostgreSQL needs: {error.args[0]}"
        ) from error
    return Account(uid=other.pw_uid, gid=other.pw_gid, changed=own.pw_uid == 0, client=own.pw_name)
