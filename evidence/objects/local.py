"""Objects in a local folder: `sha256/ab/<64 hex digits>`, read-only files, one folder per first byte.

What a restoration set aside lies in `quarantine/` (see `aside`); it is no object.

Crash story: see `ledger.durable`. An object appears by link(2) from a finished file, so its name never holds anything
but whole bytes; what a crash left without a name is the caller's `source`, still there to be adopted again, or a file
in `scratch/`, removed when it is a day old (younger ones may belong to another process that is just writing them).
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

from evidence.errors import ObjectDamaged, ObjectMissing
from evidence.objects.store import StoredObject, is_name, require_name
from ledger.durable import TEMPORARY_PREFIX, create_files, make_folders, publish_file, sync_folder

_STALE_SECONDS = 24 * 3600


class LocalObjects:
    """An object store in a folder, which is made if it is missing.

    Files to be adopted must lie on the same file system, so that taking them over moves no bytes.
    """

    def __init__(self, root: Path) -> None:
        self._folder = root / "sha256"
        self._scratch = root / "scratch"
        self.quarantine = root / "quarantine"
        make_folders(self._folder)
        make_folders(self._scratch)
        _remove_stale(self._scratch)

    def adopt(self, source: Path, sha256: str) -> None:
        """See `ObjectStore.adopt`."""
        target = self.place(sha256)
        try:
            publish_file(source, target)
        except FileExistsError as error:
            raise self._damaged(sha256, expected_size=source.stat().st_size) from error
        except FileNotFoundError:
            # A call that was cut off after its last step is made again: the object is there, the source is gone.
            if source.exists() or not target.exists():
                raise

    def put(self, data: bytes) -> str:
        """See `ObjectStore.put`."""
        sha256 = hashlib.sha256(data).hexdigest()
        target = self.place(sha256)
        make_folders(target.parent)
        taken = create_files({target: data}, scratch=self._scratch)
        if taken and target.stat().st_size != len(data):
            raise self._damaged(sha256, expected_size=len(data))
        return sha256

    def open_path(self, sha256: str) -> Path:
        """See `ObjectStore.open_path`."""
        path = self.place(sha256)
        if not path.is_file():
            raise ObjectMissing(f"there is no object {sha256}", sha256=sha256)
        return path

    def exists(self, sha256: str) -> bool:
        """See `ObjectStore.exists`."""
        return self.place(sha256).is_file()

    def size(self, sha256: str) -> int:
        """See `ObjectStore.size`."""
        return self.open_path(sha256).stat().st_size

    def list(self) -> Iterator[StoredObject]:
        """See `ObjectStore.list`."""
        for folder in sorted(path for path in self._folder.iterdir() if path.is_dir()):
            for path in sorted(folder.iterdir()):
                if is_name(path.name) and path.name.startswith(folder.name):
                    yield StoredObject(sha256=path.name, size=path.stat().st_size)

    def destroy(self, sha256: str) -> bool:
        """Remove an object for good, and damaged bytes of it that a repair put aside; True when anything was there.

        Only for what was disposed of: `tests/architecture` knows every caller. After the return it stays gone after a
        power cut; before it, it may be there or not, and the call can be made again.

        Raises:
            OSError: The disk refused; something may be left.
        """
        aside = self.quarantine.glob(f"{require_name(sha256)}.*") if self.quarantine.is_dir() else ()
        removed = False
        for path in (self.place(sha256), *aside):
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
                sync_folder(path.parent)
                removed = True
        return removed

    def place(self, sha256: str) -> Path:
        """Return where an object lies or would lie.

        Raises:
            ObjectMissing: That is no name of an object.
        """
        return self._folder / require_name(sha256)[:2] / sha256

    def temporary(self) -> Path:
        """Return a name of nobody's, for a file that is to become an object; what is left of it goes after a day."""
        return self._scratch / f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}"

    def _damaged(self, sha256: str, *, expected_size: int) -> ObjectDamaged:
        size = self.place(sha256).stat().st_size
        return ObjectDamaged(f"object {sha256} has {size} bytes where {expected_size} belong", sha256=sha256, size=size)


def _remove_stale(scratch: Path) -> None:
    stale = time.time() - _STALE_SECONDS
    for path in scratch.glob(f"{TEMPORARY_PREFIX}*"):
        # Two processes may tidy at once.
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < stale:
                path.unlink()
