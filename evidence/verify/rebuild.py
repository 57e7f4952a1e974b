"""Making a playable file of an excerpt: the original's size, its chunks at their places, zeros where nothing lies.

The zeros are holes where the file system knows such: an excerpt of a large clip takes no more room than its chunks.
Ordinary players open the file and play the seconds that are there; elsewhere they find nothing or noise. What is
written is hashed and proved once more on the way, so that the file holds nothing but proved bytes and zeros.

A file that is half written bears a temporary name; a crash leaves that, never a file that looks whole.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from evidence.core.digest import CHUNK_BYTES, ClipDigest
from evidence.core.durable import TEMPORARY_PREFIX, sync_file, sync_folder
from evidence.verify.chunk_reading import runs_read
from evidence.verify.errors import RebuildImpossible
from evidence.verify.excerpt_statement import ExcerptStatement
from evidence.verify.hashing import FileUnreadable
from ledger.errors import ProofError
from ledger.tree import check_range, leaf_hash


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
    with temporary.open("xb", buffering=0) as file:
        os.truncate(file.fileno(), statement.size)
        for run, pieces in runs_read(chunks, statement):
            leaves = []
            for number, piece in enumerate(pieces, run.first):
                leaves.append(leaf_hash(piece))
                _write_at(file.fileno(), piece, number * CHUNK_BYTES)
            check_range(leaves=leaves, start=run.first, size=statement.chunks, proof=run.proof, root=digest.root)


def _write_at(handle: int, piece: bytes, offset: int) -> None:
    view = memoryview(piece)
    while view:
        count = os.pwrite(handle, view, offset)
        view, offset = view[count:], offset + count
