"""Checksums of one request's body, as tus 1.0.0 knows them (`Upload-Checksum`).

Who states one asks for all or nothing: until the body has ended and its checksum has turned out right, none of its
bytes is acknowledged, and otherwise they are dropped. What guards the evidence are the digests of the whole file; this
one only tells a sender on a bad way early which request to repeat.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ingest.errors import UploadChecksumMismatch


def _sha1() -> hashlib._Hash:
    # Asked for by the protocol, against accidents on the way; nothing rests on it.
    return hashlib.sha1(usedforsecurity=False)


_STARTS: Mapping[str, Callable[[], hashlib._Hash]] = MappingProxyType({"sha256": hashlib.sha256, "sha1": _sha1})

DIGEST_BYTES: Mapping[str, int] = MappingProxyType({name: start().digest_size for name, start in _STARTS.items()})
"""The algorithms and the lengths of their digests in bytes."""


@dataclass(frozen=True, slots=True)
class BodyChecksum:
    """What a sender says its body comes to.

    Attributes:
        algorithm: A key of `DIGEST_BYTES`.
        digest: The raw digest.
    """

    algorithm: str
    digest: bytes


class RunningChecksum:
    """Takes a body as it comes and judges it at its end; fed from one thread."""

    def __init__(self, stated: BodyChecksum) -> None:
        self._stated = stated
        self._hash = _STARTS[stated.algorithm]()

    def take(self, data: memoryview) -> None:
        """Take the next bytes."""
        self._hash.update(data)

    def check(self) -> None:
        """See that the body was the stated one.

        Raises:
            UploadChecksumMismatch: It was not.
        """
        if self._hash.digest() != self._stated.digest:
            raise UploadChecksumMismatch(
                f"the body does not have the {self._stated.algorithm} that was stated", algorithm=self._stated.algorithm
            )
