"""What every object store does: keep bytes under the digest of their content, once, and give them back.

Objects are named by their SHA-256 in 64 lower-case hex digits. An object is never changed; what appears under its name
is whole, or it is not there. All calls block, and some ask another machine, so asynchronous code makes each of them in
a thread, `open_path` included: it may have to fetch the object first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from evidence.errors import ObjectMissing

_NAME = re.compile(r"[0-9a-f]{64}")


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
            ObjectStoreUnreachable, ObjectStoreUnsuitable: A store on another machine does not do its part.
            OSError: The disk refused; `source` is whole or the object is.
        """
        ...

    def put(self, data: bytes) -> str:
        """Keep a small object and return its digest; the same bytes again change nothing.

        Raises:
            ObjectDamaged: It is there with another size; nothing is touched.
            ObjectStoreUnreachable, ObjectStoreUnsuitable: A store on another machine does not do its part.
            OSError: The disk refused; nothing half-made stays visible.
        """
        ...

    def open_path(self, sha256: str) -> Path:
        """Return a local file to read the object from; it must not be written to, moved or kept a note of.

        A store on another machine fetches the object whole and compares its digest before it returns.

        Raises:
            ObjectMissing: There is none.
            ObjectDamaged: What was fetched has another digest.
            ObjectStoreUnreachable: It cannot be fetched now.
        """
        ...

    def exists(self, sha256: str) -> bool:
        """Tell whether there is such an object.

        Raises:
            ObjectStoreUnreachable: Nobody can tell now.
        """
        ...

    def size(self, sha256: str) -> int:
        """Return the size in bytes as it lies in the store.

        Raises:
            ObjectMissing: There is none.
            ObjectStoreUnreachable: Nobody can tell now.
        """
        ...

    def list(self) -> Iterator[StoredObject]:
        """Yield every object in order of digests, in bounded memory; objects that appear meanwhile may be left out."""
        ...


def is_name(text: str) -> bool:
    """Tell whether a text is the name of an object."""
    return _NAME.fullmatch(text) is not None


def require_name(sha256: str) -> str:
    """Return the name of an object if it is one.

    Raises:
        ObjectMissing: It is none, so there is no such object.
    """
    if not is_name(sha256):
        raise ObjectMissing(f"not a digest in 64 lower-case hex digits: {sha256[:80]!r}")
    return sha256
