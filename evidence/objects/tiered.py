"""Two stores as one: objects come to the local one, and are read from the second where the local one has none.

Everything arrives in the local store, so that sealing never waits for another machine; `evidence.objects.copies` brings
it over. What is read from the second store is fetched whole into a folder of its own and compared with its digest. It
does not become a local object again: that one is missing stays visible to the audit, which looks at the local list.

A local object that is there with other bytes is not replaced behind anybody's back either: whoever reads it whole says
so, and the audit names it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from evidence.errors import ObjectMissing
from evidence.objects.store import ObjectStore, StoredObject

if TYPE_CHECKING:
    from evidence.objects.s3 import S3Objects


class TieredObjects:
    """A local store, and behind it a second one that is only read here."""

    def __init__(self, local: ObjectStore, second: S3Objects) -> None:
        self._local = local
        self._second = second

    def adopt(self, source: Path, sha256: str) -> None:
        """See `ObjectStore.adopt`."""
        self._local.adopt(source, sha256)

    def put(self, data: bytes) -> str:
        """See `ObjectStore.put`."""
        return self._local.put(data)

    def open_path(self, sha256: str) -> Path:
        """See `ObjectStore.open_path`."""
        try:
            return self._local.open_path(sha256)
        except ObjectMissing:
            return self._second.open_path(sha256)

    def exists(self, sha256: str) -> bool:
        """See `ObjectStore.exists`."""
        return self._local.exists(sha256) or self._second.exists(sha256)

    def size(self, sha256: str) -> int:
        """See `ObjectStore.size`."""
        try:
            return self._local.size(sha256)
        except ObjectMissing:
            return self._second.size(sha256)

    def list(self) -> Iterator[StoredObject]:
        """Yield the local objects; see `ObjectStore.list`."""
        return self._local.list()
