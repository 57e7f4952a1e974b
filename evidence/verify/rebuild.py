"""Making a playable file of an excerpt: the original's size, its chunks at their places, zeros where nothing lies.

The zeros are holes where the file system knows such: an excerpt of a large clip takes no more room than its chunks.
Ordinary players open the file and play the seconds that are there; elsewhere they find nothing or noise. What is
written is hashed and proved once more on the way, so that the file holds nothing but proved bytes and zeros.

A transport stream has no table that leads over a hole, and players give up in zeros. There the holes are filled with
null packets (ISO/IEC 13818-1, 2.4.3.3: PID 8191, to be skipped), in step with the packets at the file's beginning.

A file that is half written bears a temporary name; a crash leaves that, never a file that looks whole.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

from evidence.core.digest import CHUNK_BYTES, ClipDigest
from evidence.core.durable import TEMPORARY_PREFIX, sync_file, sync_folder
from evidence.verify.chunk_reading import runs_read
from evidence.verify.errors import RebuildImpossible
from evidence.verify.excerpt_statement import ExcerptStatement
from evidence.verify.hashing import FileUnreadable
from ledger.errors import ProofError
from ledger.tree import check_range, leaf_hash

_NULL_PACKET: Final = b"\x47\x1f\xff\x10".ljust(188, b"\xff")
_PACKETS_LOOKED_AT: Final = 64


def rebuild(chunks: Path, statement: ExcerptStatement, digest: ClipDigest, target: Path) -> None:
    """Write the file.

    Args:
        chunks: Where the chunks lie.
        statement: What they are.
        digest: The clip's, proved by the log.
        target: The file to make; it must not exist, its folder must.

    Raises:
        RebuildImpossible: It exists, cannot be written, or the chunks are not what the clip's root proves.
    """
    if target.exists() or target.is_symlink():
        raise RebuildImpossible(f"{target} is there already")
    temporary = target.with_name(f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}")
    try:
        _write(chunks, statement, digest, temporary)
        sync_file(temporary)
        # A link, unlike a rename, refuses to take the place of a file that has appeared meanwhile.
        os.link(temporary, target)
        temporary.unlink()
        sync_folder(target.parent)
    except OSError as error:
        raise RebuildImpossible(f"{target} cannot be written: {error.strerror}") from error
    except (FileUnreadable, ProofError) as error:
        raise RebuildImpossible(f"the chunks are not those of the clip: {error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def _write(chunks: Path, statement: ExcerptStatement, digest: ClipDigest, temporary: Path) -> None:
    with temporary.open("x+b", buffering=0) as file:
        os.truncate(file.fileno(), statement.size)
        for run, pieces in runs_read(chunks, statement):
            leaves = []
            for number, piece in enumerate(pieces, run.first):
                leaves.append(leaf_hash(piece))
                _write_at(file.fileno(), piece, number * CHUNK_BYTES)
            check_range(leaves=leaves, start=run.first, size=statement.chunks, proof=run.proof, root=digest.root)
        _fill(file.fileno(), statement)


def _fill(handle: int, statement: ExcerptStatement) -> None:
    """Put null packets into what was left out, if the file begins as a transport stream."""
    packet = _null_packet(os.pread(handle, CHUNK_BYTES, 0))
    for first, stop in statement.left_out() if packet else ():
        for number in range(first, stop):
            offset = number * CHUNK_BYTES
            phase, count = offset % len(packet), statement.bytes_of(number, number + 1)
            piece = packet * (count // len(packet) + 2)
            _write_at(handle, memoryview(piece)[phase : phase + count], offset)


def _null_packet(beginning: bytes) -> bytes:
    """Return the null packet of a stream's kind: bare ones of 188 bytes, or with four bytes of time before each."""
    for prefix in (b"", bytes(4)):
        packet = prefix + _NULL_PACKET
        marks = beginning[len(prefix) :: len(packet)][:_PACKETS_LOOKED_AT]
        if marks == _NULL_PACKET[:1] * _PACKETS_LOOKED_AT:
            return packet
    return b""


def _write_at(handle: int, piece: bytes | memoryview, offset: int) -> None:
    view = memoryview(piece)
    while view:
        count = os.pwrite(handle, view, offset)
        view, offset = view[count:], offset + count
