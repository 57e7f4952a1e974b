"""What a package is made of: its files in order, each with the digest that it will have, before a byte is written.

Digests of originals are those that were sealed; everything else is small and at hand. So the lists of a package, and
with them the entry that puts it on record, stand before the first byte leaves.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from evidence.core.digest import CHUNK_BYTES, has_sm3, start_sm3
from evidence.core.wire.bag import (
    BAGIT_NAME,
    BAGIT_TEXT,
    INFO_NAME,
    MANIFEST_NAME,
    PAYLOAD_FOLDER,
    SM3_NAME,
    TAG_MANIFEST_NAME,
    TRACE_NAME,
    format_info,
    format_manifest,
    payload_oxum,
)
from evidence.export.spool import Spilled


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Chunks of an original in the object store.

    Attributes:
        sha256: The object, 32 bytes.
        leaves: Proved leaf hashes of all its chunks, 32 bytes each, one after the other.
        size: Bytes of the whole original.
        runs: Which chunks, as (first, stop), rising.
    """

    sha256: bytes
    leaves: bytes = field(repr=False)
    size: int
    runs: tuple[tuple[int, int], ...]

    @property
    def length(self) -> int:
        """Bytes of the chunks."""
        return sum(min(stop * CHUNK_BYTES, self.size) - first * CHUNK_BYTES for first, stop in self.runs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One file of a package: where it lies in it, and where its bytes are.

    Attributes:
        path: Below the package's root, parts divided by `/`.
        sha256: 32 bytes, of the file.
        sm3: 32 bytes; None where nobody knows it.
    """

    path: str
    size: int
    sha256: bytes
    sm3: bytes | None
    source: bytes | Spilled | Stored = field(repr=False)

    def pieces(self) -> Iterator[bytes]:
        """Yield the bytes of a file that is no original, at most `PIECE_BYTES` at once where they were put aside."""
        if isinstance(self.source, bytes):
            yield self.source
        elif isinstance(self.source, Spilled):
            yield from self.source.pieces()
        else:
            raise TypeError("an original is copied")


def small(path: str, data: bytes) -> Member:
    """Return a file whose bytes are at hand."""
    return _digested(path, data, [data], len(data))


def spilled(path: str, data: Spilled) -> Member:
    """Return a file whose bytes were put aside; they are read once.

    Raises:
        OSError: They cannot be.
    """
    return _digested(path, data, data.pieces(), data.size)


def _digested(path: str, source: bytes | Spilled, pieces: Iterable[bytes], size: int) -> Member:
    hashers = [hashlib.sha256(), *([start_sm3()] if has_sm3() else [])]
    for piece in pieces:
        for hasher in hashers:
            hasher.update(piece)
    digests = [hasher.digest() for hasher in hashers]
    return Member(path=path, size=size, sha256=digests[0], sm3=digests[1] if digests[1:] else None, source=source)


@dataclass(frozen=True)
class Payload:
    """The files below `data/`, and the list of them that goes on record."""

    members: tuple[Member, ...]

    @cached_property
    def manifest(self) -> bytes:
        """`manifest-sha256.txt`."""
        return format_manifest({member.path: member.sha256 for member in self.members})

    @cached_property
    def manifest_sha256(self) -> bytes:
        """32 bytes: what the entry commits to."""
        return hashlib.sha256(self.manifest).digest()

    @property
    def bytes(self) -> int:
        """Bytes of all files."""
        return sum(member.size for member in self.members)


@dataclass(frozen=True)
class Plan:
    """A whole package, in the order in which it is written.

    Attributes:
        root: Name of the folder that holds it.
        members: Its files, tag files first.
    """

    root: str
    members: tuple[Member, ...]

    @cached_property
    def digest(self) -> str:
        """Names the plan: two plans with one digest are written as the same bytes."""
        listed = "".join(f"{member.path}\0{member.size}\0{member.sha256.hex()}\n" for member in self.members)
        return hashlib.sha256(f"{self.root}\n{listed}".encode()).hexdigest()

    @property
    def bytes(self) -> int:
        """Bytes of all files."""
        return sum(member.size for member in self.members)


def make_plan(
    root: str, payload: Payload, *, beside: Mapping[str, bytes], info: Sequence[tuple[str, str]], at: datetime
) -> Plan:
    """Put the lists around a payload.

    Args:
        root: Name of the package's folder.
        payload: What is handed over.
        beside: Name -> content of the files beside `data/` that are not lists: page, policy, instructions, trace.
        info: Labels and values of `bag-info.txt`.
        at: The package's own time; nothing else in it depends on when it is made, but the trace among `beside`.
    """
    sizes = {member.path: member.size for member in payload.members}
    labels = (*info, ("Bagging-Date", at.date().isoformat()), ("Payload-Oxum", payload_oxum(sizes)))
    sm3 = {member.path: member.sm3 for member in payload.members if member.sm3 is not None}
    tags = {
        BAGIT_NAME: BAGIT_TEXT,
        INFO_NAME: format_info(labels),
        MANIFEST_NAME: payload.manifest,
        **({SM3_NAME: format_manifest(sm3)} if sm3 else {}),
        **beside,
    }
    tags[TAG_MANIFEST_NAME] = format_manifest({name: hashlib.sha256(data).digest() for name, data in tags.items()})
    first = tuple(small(name, data) for name, data in sorted(tags.items()))
    return Plan(root, (*first, *sorted(payload.members, key=lambda member: member.path)))


__all__ = ["PAYLOAD_FOLDER", "TRACE_NAME", "Member", "Payload", "Plan", "Stored", "make_plan", "small"]
