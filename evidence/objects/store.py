"""What every object store does: keep bytes under the digest of their content, once, and give them back.

Objects are named by their SHA-256 in 64 lower-case hex digits. An object is never changed; what appears under its name
is whole, or it is not there. All calls block, so asynchronous code makes them in a thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object as it lies in the store; `size` in bytes as it lies there, which a fault may have changed."""

    sha256: str
    size: int


class ObjectStore(Protocol):
    """The one interface; `tests/suites/objects.py` is the exam that every store sits."""

    def adopt(self, source: Path, sha256: str) -> None:
        """Take over a finished file whose digest the caller has computed; afterwards `source` is gone.

        When the object is there already it is kept. After the return the object survives a power cut; before it, either
        `source` is whole or the object is, so the call can be made again.

        Raises:
            ObjectDamaged: The object is there with another size; nothing is touched.
            OSError: The disk refused; `source` is whole or the object is.
        """
        ...

    def put(self, data: bytes) -> str:
        """Keep a small object and return its digest; the same bytes again change nothing.

        Raises:
            ObjectDamaged: It is there with another size; nothing is touched.
            OSError: The disk refused; nothing half-made stays visible.
        """
        ...

    def open_path(self, sha256: str) -> Path:
        """Return a local file to read the object from; it must not be written to, moved or kept a note of.

        Raises:
            ObjectMissing: There is none.
        """
        ...

    def exists(self, sha256: str) -> bool:
        """Tell whether there is such an object."""
        ...

    def size(self, sha256: str) -> int:
        """Return the size in bytes as it lies in the store.

        Raises:
            ObjectMissing: There is none.
        """
        ...

    def list(self) -> Iterator[StoredObject]:
        """Yield every object in order of digests, in bounded memory; objects that appear meanwhile may be left out."""
        ...
