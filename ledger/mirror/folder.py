"""The folder of whoever follows a log: what is believed, the copy, and the evidence against the log.

    checkpoint, tile/...        the copy, a log that any web server may serve as it is; the checkpoint is written last
    checkpoint.next             the checkpoint that the copy is growing to: believed already, not yet complete
    evidence/<id>.kept          two checkpoints, both signed by the log, that cannot both be true (or show a way back):
    evidence/<id>.offending     the one that was believed, and the one that was shown afterwards
    log.policy                  whom the one who began this folder decided to trust
    watch.json                  of a monitor: when it saw what

`checkpoint.next` is on disk before the first file beyond `checkpoint` is: if the log shows another history after a
crash, the promise it broke has not been lost.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.durable import make_folders, remove_temporaries, write_file
from ledger.mirror.errors import MirrorBusy
from ledger.publish import CHECKPOINT_PATH, LogFolder

_LOCK_NAME = ".following"
_NEXT = "checkpoint.next"


class FollowFolder:
    """See the module. Files are small and few besides the copy, so they are read and written in place.

    Args:
        root: The folder; `opened` makes it.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.copy = LogFolder(root)

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Hold the folder against other processes, and remove what a crash left half written.

        Raises:
            MirrorBusy: Another process holds it.
        """
        make_folders(self.root)
        handle = os.open(self.root / _LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise MirrorBusy(f"another process follows a log into {self.root}") from error
            for folder in (self.root, self.root / "evidence"):
                remove_temporaries(folder)
            yield
        finally:
            os.close(handle)

    def read(self, name: str) -> bytes | None:
        """Return a file of this folder, None when there is none."""
        try:
            return (self.root / name).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, name: str, data: bytes) -> None:
        """Write a file of this folder; durable when this returns."""
        write_file(self.root / name, data, mode=0o644)

    def kept(self) -> bytes | None:
        """Return the checkpoint that the copy is complete for."""
        return self.read(CHECKPOINT_PATH)

    def following(self) -> bytes | None:
        """Return the checkpoint that the copy is growing to."""
        return self.read(_NEXT)

    def believe(self, note: bytes) -> None:
        """Remember the checkpoint that the copy will grow to."""
        self.write(_NEXT, note)

    def arrive(self) -> None:
        """Forget the checkpoint that the copy was growing to: it is `checkpoint` now."""
        (self.root / _NEXT).unlink(missing_ok=True)

    def keep_evidence(self, *, kept: bytes, offending: bytes) -> dict[str, str]:
        """Write two checkpoints that do not fit together; return where. The same two are written once."""
        number = hashlib.sha256(kept + offending).hexdigest()[:16]
        places = {}
        make_folders(self.root / "evidence")
        for role, note in (("kept", kept), ("offending", offending)):
            path = self.root / "evidence" / f"{number}.{role}"
            if not path.exists():
                write_file(path, note)
            places[role] = str(path)
        return places
