"""Verification of an excerpt: that its chunks are an untouched part of the sealed original, and what was left out.

The obligations are those of `findings`, with these meanings:

1. the statement is readable, about the receipt's clip, and as many bytes lie there as it speaks of
2. the chunks of every run are proved by the clip's root, at the places the statement gives them
3. does not apply: the digest of the whole needs the whole
4. to 9. as for an original

What was left out is computed from what is proved to lie there, never read. The playable copy is held against the digest
the statement gives, and said to be a derivative either way. Twin of `page/source/excerpt.js`.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from evidence.core.digest import CHUNK_BYTES
from evidence.core.wire.sealed import SealedClip
from evidence.errors import WireError
from evidence.verify.chunk_reading import runs_read
from evidence.verify.excerpt_statement import Cut, ExcerptStatement, Told, parse_excerpt
from evidence.verify.findings import finding
from evidence.verify.hashing import FileUnreadable, Progress
from evidence.verify.judge import PLACES_MAX
from ledger.errors import ProofError
from ledger.findings import Finding, is_clean
from ledger.tree import check_range, leaf_hash


@dataclass(frozen=True, slots=True)
class ExcerptFiles:
    """The files of one excerpt: its statement's bytes, and where its chunks and what lies beside them are."""

    statement: bytes
    chunks: Path
    folder: Path


def judge_excerpt(
    files: ExcerptFiles, sealed: SealedClip, *, subject: str, progress: Progress | None = None
) -> list[Finding]:
    """Judge obligations 1 to 3 of an excerpt.

    Args:
        files: What lies there.
        sealed: The clip as the receipt states it.
        subject: What the findings are about.
        progress: Called with bytes done and bytes in all.
    """
    found = [finding("excerpt.no_sha256", subject)]
    try:
        statement = parse_excerpt(files.statement)
    except WireError as error:
        return [*found, finding("excerpt.malformed", subject, reason=error.message)]
    if (statement.clip, statement.size) != (sealed.clip, sealed.digest.size):
        return [*found, finding("excerpt.other_clip", subject, clip=str(statement.clip), size=statement.size)]
    try:
        lying = _judge_chunks(files.chunks, statement, sealed, subject, progress)
    except FileUnreadable as error:
        code = "file.missing" if error.missing else "file.unreadable"
        return [*found, finding(code, subject, offset=error.offset, reason=error.reason)]
    found += lying
    if not is_clean(lying):
        # What was left out follows from what is proved to lie there, and from nothing else.
        return found
    found += _told(statement, subject)
    if statement.cut is not None:
        found.append(_judge_cut(files.folder, statement.cut, subject))
    return found


def _judge_chunks(
    path: Path, statement: ExcerptStatement, sealed: SealedClip, subject: str, progress: Progress | None
) -> list[Finding]:
    held, done, unproved = statement.held_bytes, 0, []
    actual = path.stat().st_size if path.exists() else held
    # Before a single hash: a statement may speak of more chunks than anybody would want to read.
    if actual != held:
        return [finding("excerpt.bytes_differ", subject, actual_bytes=actual, stated_bytes=held)]
    for run, chunks in runs_read(path, statement):
        leaves = []
        for chunk in chunks:
            leaves.append(leaf_hash(chunk))
            done += len(chunk)
            if progress:
                progress(done, held)
        try:
            check_range(leaves=leaves, start=run.first, size=statement.chunks, proof=run.proof, root=sealed.digest.root)
        except ProofError:
            unproved.append(run)
    counts = {"chunks": sum(run.chunks for run in statement.runs), "of": statement.chunks}
    found = [finding("met.excerpt", subject, **counts, bytes=held, size=statement.size)]
    if not unproved:
        return [*found, finding("met.excerpt_tree", subject, **counts, runs=len(statement.runs))]
    places = [(run.first, run.stop) for run in unproved]
    return [*found, finding("excerpt.not_proved", subject, unproved=len(unproved), **_places(statement, places))]


def _told(statement: ExcerptStatement, subject: str) -> Iterator[Finding]:
    left_out = statement.left_out()
    if left_out:
        count = sum(statement.bytes_of(*place) for place in left_out)
        chunks = sum(stop - first for first, stop in left_out)
        yield finding("excerpt.left_out", subject, bytes=count, chunks=chunks, **_places(statement, left_out))
    else:
        yield finding("excerpt.whole", subject)
    yield from (_seconds(one, subject) for one in statement.spans)


def _seconds(told: Told, subject: str) -> Finding:
    asked, shown = told.asked, told.shown
    words = {
        "asked_from": _clock(asked.from_ms),
        "asked_to": _clock(asked.to_ms),
        "asked_from_ms": asked.from_ms,
        "asked_to_ms": asked.to_ms,
    }
    if shown is None:
        return finding("excerpt.seconds_unknown", subject, **words)
    return finding(
        "excerpt.seconds",
        subject,
        **words,
        shown_from=_clock(shown.from_ms),
        shown_to=_clock(shown.to_ms),
        shown_from_ms=shown.from_ms,
        shown_to_ms=shown.to_ms,
    )


def _places(statement: ExcerptStatement, places: list[tuple[int, int]]) -> dict[str, object]:
    ranges = [
        {
            "first_byte": first * CHUNK_BYTES,
            "last_byte": min(stop * CHUNK_BYTES, statement.size) - 1,
            "first_chunk": first,
            "last_chunk": stop - 1,
        }
        for first, stop in places[:PLACES_MAX]
    ]
    text = ", ".join(f"{place['first_byte']}-{place['last_byte']}" for place in ranges)
    return {"places": text if len(ranges) == len(places) else f"{text}, ...", "ranges": ranges}


def _judge_cut(folder: Path, cut: Cut, subject: str) -> Finding:
    """Say of the playable copy what it is; whether its bytes are those the statement names is all that can be seen."""
    digest, size = hashlib.sha256(), 0
    try:
        with os.fdopen(os.open(folder / cut.name, os.O_RDONLY | os.O_NONBLOCK), "rb", buffering=0) as file:
            while piece := file.read(CHUNK_BYTES):
                digest.update(piece)
                size += len(piece)
    except OSError:
        return finding("excerpt.cut_missing", subject, cut=cut.name)
    if (digest.digest(), size) != (cut.sha256, cut.size):
        return finding("excerpt.cut_differs", subject, cut=cut.name)
    return finding("excerpt.cut", subject, cut=cut.name)


def _clock(milliseconds: int) -> str:
    """Write a time as hours, minutes, seconds and milliseconds."""
    seconds, rest = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}.{rest:03}"
