"""An excerpt of a clip: the chunks that hold some seconds, proved to be part of the sealed original, in one folder.

The order of effects is that of every export, "nobody looks without leaving a trace":

1. receipt, payload and leaf hashes are held against each other        nothing has happened yet
2. `clip.excerpted` is committed: what was asked, which chunks, cut     crash: a trace without an excerpt, harmless
3. the folder is written beside its place, each chunk hashed on the     crash: a folder with a temporary name
   way and held against its leaf, and renamed                           nothing goes out that is not what was sealed

Only the chunks that are wanted are read: the leaves of the others are kept, and proved by the clip's root. Which chunks
are wanted, and the playable copy, are the caller's business: media is not known here.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import UUID

from evidence.clips.store import read_leaves
from evidence.core.digest import CHUNK_BYTES
from evidence.custody.record import record
from evidence.errors import EvidenceDamaged, ExportTargetUnusable
from evidence.export.clip import Exporter, in_thread, locate_original, prove_kept_leaves
from evidence.export.folder import require_free, writing_folder
from evidence.export.names import safe_name
from evidence.export.order import Order
from evidence.verify.excerpt_statement import ChunkRun, Cut, ExcerptStatement, format_excerpt
from evidence.verify.package import CHUNKS_SUFFIX, DOCK_SUFFIX, EXCERPT_SUFFIX, README_NAME
from evidence.verify.readme import excerpt_readme_text
from ledger.canonical import JsonObject
from ledger.tree import Node, leaf_hash, prove_range, root_of


@dataclass(frozen=True, slots=True)
class Excerpted:
    """What was written: the folder, the statement in it, and the entry that says so."""

    folder: Path
    statement: ExcerptStatement
    entry_id: UUID


async def export_excerpt(
    exporter: Exporter,
    *,
    clip: UUID,
    order: Order,
    target: Path,
    actor: str,
    purpose: str,
    session: UUID | None = None,
) -> Excerpted:
    """Write a folder with an excerpt of a clip.

    Args:
        exporter: Proves the clip.
        clip: The clip.
        order: What goes into it.
        target: The folder to make; it must not exist, its parent must.
        actor: On whose behalf, as the ledger writes it.
        purpose: A key of `evidence.parties.purposes.PURPOSES`.

    Raises:
        ClipUnknown, ClipBlocked, ReceiptPending, EvidenceDamaged, ExportTargetTaken, ExportTargetUnusable: See
            `Exporter.export_clip`.
    """
    require_free(target)
    async with exporter.pool.acquire() as conn:
        proven = await exporter.prove(conn, clip)
        kept = await read_leaves(conn, sha256=proven.sealed.digest.sha256)
    sealed = proven.sealed
    original = await in_thread(lambda _: locate_original(exporter.objects, sealed))
    leaves = await in_thread(lambda _: prove_kept_leaves(kept, original, sealed))
    name = safe_name(sealed.name, fallback=str(clip))
    statement = state_excerpt(order, leaves, clip=clip, size=sealed.digest.size, name=name)
    small_files = {
        f"{name}{EXCERPT_SUFFIX}": format_excerpt(statement),
        README_NAME: excerpt_readme_text(
            sealed,
            file_name=name,
            cut=None if statement.cut is None else statement.cut.name,
            dock=proven.dock is not None,
            authorities=proven.shown.authorities,
        ),
        **({} if proven.dock is None else {f"{name}{DOCK_SUFFIX}": proven.dock}),
        **exporter.showing.files(name, proven.shown),
    }
    async with exporter.pool.acquire() as conn, conn.transaction():
        recorded = await record(
            conn,
            type="clip.excerpted",
            actor=actor,
            subject=f"clip:{clip}",
            payload=_trace(statement, clip=clip, purpose=purpose, session=session),
            clock=exporter.clock,
            entropy=exporter.entropy,
        )
    writing = partial(_write, target, original, statement, leaves, order, f"{name}{CHUNKS_SUFFIX}")
    await in_thread(lambda stop: writing(small_files, stop))
    return Excerpted(target, statement, recorded.entry_id)


def state_excerpt(order: Order, leaves: Sequence[bytes], *, clip: UUID, size: int, name: str) -> ExcerptStatement:
    """Say what an excerpt of the clip with these leaf hashes holds; `name` is what its original is called."""

    def read(nodes: Sequence[Node]) -> list[bytes]:
        return [root_of(leaves[node.index << node.level : (node.index + 1) << node.level]) for node in nodes]

    runs = tuple(
        ChunkRun(first, stop - first, prove_range(read, start=first, end=stop, size=len(leaves)))
        for first, stop in order.chunks
    )
    cut = None
    if order.cut is not None:
        stem = name.rpartition(".")[0] or name
        cut = Cut(f"{stem}.cut{order.cut_suffix}", order.cut_sha256, order.cut.stat().st_size)
    return ExcerptStatement(
        clip=clip, size=size, runs=runs, asked=order.asked, shown=order.shown, cut=cut, further=order.further
    )


def _trace(statement: ExcerptStatement, *, clip: UUID, purpose: str, session: UUID | None) -> JsonObject:
    cut = statement.cut
    return {
        "clip": str(clip),
        "purpose": purpose,
        "from_ms": statement.asked.from_ms,
        "to_ms": statement.asked.to_ms,
        "runs": [{"first": run.first, "chunks": run.chunks} for run in statement.runs],
        "cut": None if cut is None else {"name": cut.name, "sha256": cut.sha256.hex(), "size": cut.size},
        "session": None if session is None else str(session),
    }


def _write(
    target: Path,
    original: Path,
    statement: ExcerptStatement,
    leaves: Sequence[bytes],
    order: Order,
    chunks_name: str,
    small_files: dict[str, bytes],
    stop: threading.Event,
) -> None:
    with writing_folder(target, small_files) as folder:
        handle = os.open(folder / chunks_name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
        with os.fdopen(handle, "wb", buffering=0) as file:
            for chunk in checked_chunks(original, statement, leaves):
                if stop.is_set():
                    raise ExportTargetUnusable("the excerpt was given up", target=str(target))
                view = memoryview(chunk)
                while view:
                    view = view[file.write(view) :]
            os.fsync(file.fileno())
        if order.cut is not None and statement.cut is not None:
            shutil.copyfile(order.cut, folder / statement.cut.name)
            with (folder / statement.cut.name).open("rb") as copy:
                os.fsync(copy.fileno())


def checked_chunks(original: Path, statement: ExcerptStatement, leaves: Sequence[bytes]) -> Iterator[bytes]:
    """Yield the chunks of an excerpt, each as it was sealed; raises as `sealed_chunks`."""
    return sealed_chunks(original, [(run.first, run.stop) for run in statement.runs], leaves)


def sealed_chunks(original: Path, runs: Sequence[tuple[int, int]], leaves: Sequence[bytes]) -> Iterator[bytes]:
    """Yield the chunks of some runs (first, stop), each as it was sealed; no other byte is read.

    Raises:
        EvidenceDamaged: One cannot be read, or is not what was sealed.
    """
    try:
        with original.open("rb", buffering=0) as file:
            for first, stop in runs:
                file.seek(first * CHUNK_BYTES)
                for number in range(first, stop):
                    chunk = file.read(CHUNK_BYTES)
                    if leaf_hash(chunk) != leaves[number]:
                        raise EvidenceDamaged(
                            f"the stored original is not what was sealed: chunk {number} differs",
                            first_byte=number * CHUNK_BYTES,
                            chunk=number,
                        )
                    yield chunk
    except OSError as error:
        raise EvidenceDamaged(f"the stored original cannot be read: {error.strerror}") from error
