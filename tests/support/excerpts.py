"""Folders with excerpts, made on paper: honest ones, and what is done to them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

from evidence.core.digest import CHUNK_BYTES
from evidence.core.wire.receipt import Receipt, format_receipt
from evidence.verify.excerpt_statement import ChunkRun, Cut, ExcerptStatement, Span, Told, format_excerpt
from ledger.canonical import JsonValue, canonical_json, parse_canonical
from ledger.tree import Node, leaf_hash, prove_range, root_of
from tests.support.evidence_folder import NAME, content_of
from tests.support.paper_log import CLIP, PaperLog, sealed_payload, seeded_signer

CONTENT = content_of(chunks=9, tail_bytes=1234)
RUNS = ((0, 1), (3, 6), (9, 10))
CUT = b"a playable copy"
CUT_NAME = "clip.cut.mp4"


@dataclass
class ExcerptFolder:
    """A folder with one excerpt, and the log its clip is sealed in."""

    folder: Path
    log: PaperLog
    receipt: Receipt
    statement: ExcerptStatement

    @property
    def vkey(self) -> str:
        """The log's key."""
        return self.log.signer.verifier.vkey

    @property
    def chunks_file(self) -> Path:
        """The chunks."""
        return self.folder / f"{NAME}.chunks"

    @property
    def statement_file(self) -> Path:
        """The statement."""
        return self.folder / f"{NAME}.excerpt"

    def state(self, **changes: object) -> None:
        """Write the statement anew with other values, past all checks."""
        stated = replace(self.statement)
        for name, value in changes.items():
            object.__setattr__(stated, name, value)
        self.statement_file.write_bytes(format_excerpt(stated))

    def body(self, change: Callable[[dict[str, JsonValue]], object]) -> None:
        """Change the statement's JSON itself."""
        head, _, raw = self.statement_file.read_bytes().partition(b"\n")
        value = parse_canonical(raw.strip(), bytes_max=10_000_000)
        assert isinstance(value, dict)
        change(value)
        self.statement_file.write_bytes(head + b"\n" + canonical_json(value) + b"\n")


def proved_runs(content: bytes, runs: Sequence[tuple[int, int]] = RUNS) -> tuple[ChunkRun, ...]:
    """Return runs of chunks of a content with their proofs."""
    leaves = [leaf_hash(content[start : start + CHUNK_BYTES]) for start in range(0, len(content), CHUNK_BYTES)]
    return proved_leaves(leaves, runs)


def proved_leaves(leaves: Sequence[bytes], runs: Sequence[tuple[int, int]]) -> tuple[ChunkRun, ...]:
    """Return runs of chunks with these leaf hashes, and their proofs."""

    def read(nodes: Sequence[Node]) -> list[bytes]:
        return [root_of(leaves[node.index << node.level : (node.index + 1) << node.level]) for node in nodes]

    return tuple(
        ChunkRun(first, stop - first, prove_range(read, start=first, end=stop, size=len(leaves)))
        for first, stop in runs
    )


def chunks_of(content: bytes, runs: Sequence[tuple[int, int]] = RUNS) -> bytes:
    """Return the chunks of some runs, one after the other."""
    return b"".join(content[first * CHUNK_BYTES : stop * CHUNK_BYTES] for first, stop in runs)


def make(folder: Path, *, runs: Sequence[tuple[int, int]] = RUNS, cut: bool = True) -> ExcerptFolder:
    """Write an honest folder."""
    folder.mkdir(parents=True, exist_ok=True)
    log = PaperLog()
    receipt = log.record(sealed_payload(CONTENT, name=NAME))
    statement = ExcerptStatement(
        clip=CLIP,
        size=len(CONTENT),
        runs=proved_runs(CONTENT, runs),
        asked=Span(12_000, 42_000),
        shown=Span(11_000, 42_000),
        cut=Cut(CUT_NAME, hashlib.sha256(CUT).digest(), len(CUT)) if cut else None,
    )
    made = ExcerptFolder(folder, log, receipt, statement)
    made.chunks_file.write_bytes(chunks_of(CONTENT, runs))
    made.statement_file.write_bytes(format_excerpt(statement))
    (folder / f"{NAME}.receipt").write_bytes(format_receipt(receipt))
    (folder / "log.policy").write_text(f"log {made.vkey}\nquorum none\n")
    if cut:
        (folder / CUT_NAME).write_bytes(CUT)
    return made


def _flip(path: Path, offset: int) -> None:
    raw = bytearray(path.read_bytes())
    raw[offset] ^= 1
    path.write_bytes(raw)


def _swap_chunks(made: ExcerptFolder) -> None:
    raw = made.chunks_file.read_bytes()
    one, two = raw[CHUNK_BYTES : 2 * CHUNK_BYTES], raw[2 * CHUNK_BYTES : 3 * CHUNK_BYTES]
    made.chunks_file.write_bytes(raw[:CHUNK_BYTES] + two + one + raw[3 * CHUNK_BYTES :])


def _other_payload(made: ExcerptFolder) -> None:
    other = made.log.record(sealed_payload(b"another clip", name=NAME, clip=UUID(int=CLIP.int + 9)))
    (made.folder / f"{NAME}.receipt").write_bytes(format_receipt(other))


def _same_clip_other_content(made: ExcerptFolder) -> None:
    other = made.log.record(sealed_payload(bytes(len(CONTENT)), name=NAME))
    (made.folder / f"{NAME}.receipt").write_bytes(format_receipt(other))


def _forged_whole(made: ExcerptFolder) -> None:
    forger = PaperLog(seeded_signer("shilu.example/log", "forger"))
    content = bytes(len(CONTENT))
    (made.folder / f"{NAME}.receipt").write_bytes(format_receipt(forger.record(sealed_payload(content, name=NAME))))
    made.chunks_file.write_bytes(chunks_of(content))
    made.state(runs=proved_runs(content))


def _cut_proof(made: ExcerptFolder) -> None:
    first, *rest = made.statement.runs
    made.state(runs=(replace(first, proof=first.proof[:-1]), *rest))


def _long_proof(made: ExcerptFolder) -> None:
    first, *rest = made.statement.runs
    made.state(runs=(replace(first, proof=(*first.proof, bytes(32))), *rest))


def _moved(made: ExcerptFolder) -> None:
    """Say that the chunks lie one further on: other seconds than they are."""
    one, two, three = made.statement.runs
    made.state(runs=(one, replace(two, first=two.first + 1), three))


def _wider(made: ExcerptFolder) -> None:
    """Claim one chunk more than is proved, and bring bytes for it."""
    one, two, three = made.statement.runs
    made.state(runs=(one, replace(two, chunks=two.chunks + 1), three))
    raw = made.chunks_file.read_bytes()
    made.chunks_file.write_bytes(raw[: 4 * CHUNK_BYTES] + bytes(CHUNK_BYTES) + raw[4 * CHUNK_BYTES :])


def _overlapping(made: ExcerptFolder) -> None:
    one, two, three = made.statement.runs
    made.body(lambda body: body.update(runs=[_run(one), _run(two), _run(two), _run(three)]))


def _touching(made: ExcerptFolder) -> None:
    runs = proved_runs(CONTENT, [(3, 4), (4, 6)])
    made.body(lambda body: body.update(runs=[_run(run) for run in runs]))


def _run(run: ChunkRun, **changes: JsonValue) -> dict[str, JsonValue]:
    return {"first": run.first, "chunks": run.chunks, "proof": [value.hex() for value in run.proof], **changes}


def _one_run(**changes: JsonValue) -> Callable[[ExcerptFolder], object]:
    return lambda made: made.body(lambda body: body.update(runs=[_run(made.statement.runs[0], **changes)]))


def _body(**changes: JsonValue) -> Callable[[ExcerptFolder], object]:
    return lambda made: made.body(lambda body: body.update(changes))


def _cut_named(name: str) -> Callable[[ExcerptFolder], object]:
    return _body(cut={"name": name, "sha256": hashlib.sha256(CUT).hexdigest(), "size": len(CUT)})


def _without_head(made: ExcerptFolder) -> None:
    """Leave the first chunk out and keep the statement."""
    made.chunks_file.write_bytes(made.chunks_file.read_bytes()[CHUNK_BYTES:])


def _link(made: ExcerptFolder) -> None:
    made.chunks_file.unlink()
    os.mkfifo(made.chunks_file)


_MALFORMED = {"excerpt.malformed", "step.skipped"}
HONEST = {"excerpt.left_out", "excerpt.cut"}
FURTHER = Told(Span(50_000, 51_000), Span(49_500, 51_000))


def _spans(*spans: tuple[int, int]) -> Callable[[ExcerptFolder], object]:
    """State several spans of seconds, past all checks."""
    listed = [{"asked": {"from_ms": begin, "to_ms": end}, "shown": None} for begin, end in spans]

    def write(made: ExcerptFolder) -> None:
        made.state(further=(FURTHER,))
        made.body(lambda body: body.update(spans=listed))

    return write


SPOILERS: Mapping[str, tuple[Callable[[ExcerptFolder], object], set[str]]] = {
    "honest": (lambda made: None, HONEST),
    "several spans": (lambda made: made.state(further=(FURTHER,)), HONEST),
    "one span as several": (_spans((0, 1000)), _MALFORMED),
    "spans overlap": (_spans((0, 1000), (999, 2000)), _MALFORMED),
    "spans out of order": (_spans((5000, 6000), (0, 1000)), _MALFORMED),
    "a span is empty": (_spans((0, 1000), (2000, 2000)), _MALFORMED),
    "countless spans": (_spans(*((at * 10, at * 10 + 5) for at in range(101))), _MALFORMED),
    "spans in the older version": (
        lambda made: made.body(lambda body: body.update(spans=[])),
        _MALFORMED,
    ),
    "seconds unknown": (lambda made: made.state(shown=None), {*HONEST, "excerpt.seconds_unknown"}),
    "byte of the first chunk changed": (lambda made: _flip(made.chunks_file, 0), {"excerpt.not_proved"}),
    "last byte changed": (lambda made: _flip(made.chunks_file, -1), {"excerpt.not_proved"}),
    "chunks swapped": (_swap_chunks, {"excerpt.not_proved"}),
    "chunks moved": (_moved, {"excerpt.not_proved"}),
    "proof cut": (_cut_proof, {"excerpt.not_proved"}),
    "proof lengthened": (_long_proof, {"excerpt.not_proved"}),
    "more claimed than proved": (_wider, {"excerpt.not_proved"}),
    "head left out": (_without_head, {"excerpt.bytes_differ", "step.skipped"}),
    "a byte more": (
        lambda made: made.chunks_file.write_bytes(made.chunks_file.read_bytes() + b"x"),
        {"excerpt.bytes_differ", "step.skipped"},
    ),
    "no chunks": (lambda made: made.chunks_file.unlink(), {"file.missing", "step.skipped"}),
    "chunks are a pipe": (_link, {"excerpt.bytes_differ", "step.skipped"}),
    "payload of another clip": (_other_payload, {"excerpt.other_clip", "step.skipped"}),
    "payload of another content": (_same_clip_other_content, {"excerpt.not_proved"}),
    "forged by another log": (_forged_whole, {*HONEST, "log.checkpoint_unsigned"}),
    "size understated": (_body(size=len(CONTENT) - 1), {"excerpt.other_clip", "step.skipped"}),
    "size beyond all files": (_body(size=2**53 - 1), {"excerpt.other_clip", "step.skipped"}),
    "size of nothing": (_body(size=0), _MALFORMED),
    "another clip's id": (_body(clip=str(UUID(int=CLIP.int + 1))), {"excerpt.other_clip", "step.skipped"}),
    "runs overlap": (_overlapping, _MALFORMED),
    "runs touch": (_touching, _MALFORMED),
    "runs out of order": (
        lambda made: made.body(lambda body: body.update(runs=[_run(run) for run in reversed(made.statement.runs)])),
        _MALFORMED,
    ),
    "no runs": (_body(runs=[]), _MALFORMED),
    "countless runs": (_body(runs=[{"first": 0, "chunks": 1, "proof": []}] * 5_000), _MALFORMED),
    "countless chunks": (_one_run(chunks=2**53 - 1), _MALFORMED),
    "no chunks in a run": (_one_run(chunks=0), _MALFORMED),
    "fewer than no chunks": (_one_run(chunks=-1), _MALFORMED),
    "before the first chunk": (_one_run(first=-1), _MALFORMED),
    "beyond the last chunk": (_one_run(first=10), _MALFORMED),
    "countless hashes": (_one_run(proof=["00" * 32] * 200), _MALFORMED),
    "hashes of odd length": (_one_run(proof=["00" * 31]), _MALFORMED),
    "what was left out is stated": (_body(left_out=[]), _MALFORMED),
    "times out of order": (_body(asked={"from_ms": 5, "to_ms": 5}), _MALFORMED),
    "times before the beginning": (_body(shown={"from_ms": -5, "to_ms": 5}), _MALFORMED),
    "cut above the folder": (_cut_named("../clip.cut.mp4"), _MALFORMED),
    "cut with a root": (_cut_named("/etc/passwd"), _MALFORMED),
    "cut is the folder": (_cut_named("."), _MALFORMED),
    "cut without a name": (_cut_named(""), _MALFORMED),
    "cut changed": (lambda made: _flip(made.folder / CUT_NAME, 0), {"excerpt.left_out", "excerpt.cut_differs"}),
    "cut missing": (
        lambda made: (made.folder / CUT_NAME).unlink(),
        {"excerpt.left_out", "excerpt.cut_missing"},
    ),
    "another version": (
        lambda made: made.statement_file.write_bytes(
            made.statement_file.read_bytes().replace(b"excerpt/v1", b"excerpt/v3", 1)
        ),
        _MALFORMED,
    ),
    "empty statement": (lambda made: made.statement_file.write_bytes(b""), _MALFORMED),
    "bytes that are no text": (lambda made: made.statement_file.write_bytes(b"\xff\xfe"), _MALFORMED),
    "a second spelling": (
        lambda made: made.statement_file.write_bytes(made.statement_file.read_bytes().replace(b":", b": ", 1)),
        _MALFORMED,
    ),
}
"""What was done -> how, and the codes of everything that is not in order then."""
