"""The data folder: what lies where, and who may look.

postgres/     the embedded database, its own account's business
objects/      originals and derivatives by digest     one file system for these three: bytes are moved between
spool/        unfinished uploads                      them by renaming
quarantine/   refused bytes with the reason
work/         scratch of the workers, emptied by them
fetched/      objects read from the second store, for a day; made with the first one
exports/      packages that wait to be fetched, copies for a while; made with the first one
shares/       marked copies for links to watch by, until the links end; made with the first one
log/          the published log: tiles, bundles, checkpoint
cosigned/     checkpoints that witnesses without a network cosigned by file
keys/         log.key, the log's signing key (0600, or protected by a passphrase); log.key.next, its successor
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from evidence.core.durable import make_folders

_PRIVATE_MODE = 0o700


@dataclass(frozen=True, slots=True)
class DataFolders:
    """Paths below one data folder."""

    root: Path

    @property
    def postgres(self) -> Path:
        """The embedded database."""
        return self.root / "postgres"

    @property
    def objects(self) -> Path:
        """Originals and derivatives."""
        return self.root / "objects"

    @property
    def spool(self) -> Path:
        """Unfinished uploads."""
        return self.root / "spool"

    @property
    def quarantine(self) -> Path:
        """Refused bytes."""
        return self.root / "quarantine"

    @property
    def work(self) -> Path:
        """Scratch of the workers."""
        return self.root / "work"

    @property
    def fetched(self) -> Path:
        """Objects read from the second store; made with it."""
        return self.root / "fetched"

    @property
    def exports(self) -> Path:
        """Packages that wait to be fetched; made with the first one."""
        return self.root / "exports"

    @property
    def shares(self) -> Path:
        """Marked copies for links to watch by; made with the first one."""
        return self.root / "shares"

    @property
    def log(self) -> Path:
        """The published log."""
        return self.root / "log"

    @property
    def cosigned(self) -> Path:
        """Cosigned checkpoints that came as files; made with the first one."""
        return self.root / "cosigned"

    @property
    def log_key(self) -> Path:
        """The log's signing key."""
        return self.root / "keys" / "log.key"

    @property
    def next_log_key(self) -> Path:
        """The key that is to follow the log's signing key, while both sign."""
        return self.root / "keys" / "log.key.next"

    def make(self) -> None:
        """Create what is missing; what holds footage or keys is closed to other accounts.

        The data folder itself stays open to be passed through: the embedded database runs under an account of its own.
        """
        make_folders(self.root)
        make_folders(self.log)
        for private in (self.objects, self.spool, self.quarantine, self.work, self.log_key.parent):
            make_folders(private)
            private.chmod(_PRIVATE_MODE)
