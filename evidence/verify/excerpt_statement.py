"""What an excerpt says of itself: which chunks of a clip lie there, their proofs, and what was asked for.

```
shilu/excerpt/v1
{"asked":{"from_ms":0,"to_ms":30000},"clip":"<uuid>","cut":null,"runs":[{"chunks":3,"first":0,"proof":["<hex>"]}],
 "shown":{"from_ms":0,"to_ms":31000},"size":1234}                                       (one line)
```

Where several spans of seconds were asked for, the version is `shilu/excerpt/v2`, and in the place of `asked` and
`shown` stands `"spans":[{"asked":{...},"shown":{...}},...]`, at least two of them, in order and not over each other.

`<name>.chunks` beside it holds the chunks of all runs one after the other, in order, nothing between them. A run is
`chunks` chunks of the clip from number `first` on, with the RFC 6962 hashes that lead from them to the clip's root
(`ledger.tree.check_range`). Runs rise and leave at least one chunk out between them, so there is one way to say what
lies there, and **what was left out follows from it**: nobody states it, so nobody can misstate it.

Nothing here is signed. Size, clip and proofs are held against the payload that the log commits to. `asked` (what was
ordered), `shown` (what can be shown, from the key frame before) and `cut` (the playable copy beside, a derivative) are
the service's word and proved by nothing here; they come from the service's frame index of the original.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from evidence.core.digest import CHUNK_BYTES
from evidence.core.wire.fields import (
    check_integer,
    take_digest,
    take_integer,
    take_list,
    take_object,
    take_optional,
    take_text,
    take_uuid,
)
from evidence.core.wire.statement import format_text, parse_text
from evidence.errors import WireLimit, WireMalformed
from ledger.canonical import INTEGER_MAX, JsonObject, JsonValue

VERSION: Final = "shilu/excerpt/v1"
SPANS_VERSION: Final = "shilu/excerpt/v2"
"""Of a statement about several spans of seconds; one span is written as before, for readers of before."""

EXCERPT_BYTES_MAX: Final = 8 * 1024 * 1024
"""Longest statement in bytes."""

RUNS_MAX: Final = 4_096
"""Most runs of chunks."""

PROOF_HASHES_MAX: Final = 126
"""Most hashes of one proof: a perfect subtree of every level on both sides, in a tree of any size."""

SPANS_MAX: Final = 100
"""Most spans of seconds of one excerpt."""

CUT_NAME_CHARS_MAX: Final = 255


@dataclass(frozen=True, slots=True)
class Span:
    """Milliseconds on the players' clock, `from_ms` before `to_ms`."""

    from_ms: int
    to_ms: int

    def __post_init__(self) -> None:
        check_integer(self.from_ms, where="from_ms")
        check_integer(self.to_ms, where="to_ms", low=self.from_ms + 1)


@dataclass(frozen=True, slots=True)
class Told:
    """Seconds that were asked for, and those that can be shown of them; None when nobody knows."""

    asked: Span
    shown: Span | None


@dataclass(frozen=True, slots=True)
class ChunkRun:
    """Neighbouring chunks of a clip, `chunks` of them from number `first` on, and the hashes that prove them."""

    first: int
    chunks: int
    proof: tuple[bytes, ...] = ()

    @property
    def stop(self) -> int:
        """Number of the first chunk behind it."""
        return self.first + self.chunks


@dataclass(frozen=True, slots=True)
class Cut:
    """The playable copy beside an excerpt: its file's name, SHA-256 and bytes."""

    name: str
    sha256: bytes
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcerptStatement:
    """See the module's front page.

    Attributes:
        further: What was asked for besides `asked`, behind it and in order.

    Raises:
        WireMalformed, WireLimit: No excerpt can be like that.
    """

    clip: UUID
    size: int
    runs: tuple[ChunkRun, ...]
    asked: Span
    shown: Span | None = None
    cut: Cut | None = None
    further: tuple[Told, ...] = ()

    def __post_init__(self) -> None:
        check_integer(self.size, where="size", low=1)
        if len(self.further) >= SPANS_MAX:
            raise WireLimit(f"{len(self.spans)} spans, at most {SPANS_MAX} are allowed")
        for before, one in zip(self.spans, self.further, strict=False):
            if one.asked.from_ms < before.asked.to_ms:
                raise WireMalformed("spans overlap, or are out of order")
        if not 1 <= len(self.runs) <= RUNS_MAX:
            raise WireLimit(f"{len(self.runs)} runs, allowed are 1 to {RUNS_MAX}")
        behind = -1
        for run in self.runs:
            check_integer(run.chunks, where="chunks", low=1)
            check_integer(run.first, where="first")
            if run.first <= behind:
                raise WireMalformed("runs overlap, touch, or are out of order")
            if run.stop > self.chunks:
                raise WireMalformed(f"a run ends at chunk {run.stop} of {self.chunks}")
            if len(run.proof) > PROOF_HASHES_MAX:
                raise WireLimit(f"a proof has {len(run.proof)} hashes, at most {PROOF_HASHES_MAX} are allowed")
            behind = run.stop

    @property
    def spans(self) -> tuple[Told, ...]:
        """All seconds that were asked for, in order."""
        return (Told(self.asked, self.shown), *self.further)

    @property
    def chunks(self) -> int:
        """Chunks of the clip."""
        return -(-self.size // CHUNK_BYTES)

    @property
    def held_bytes(self) -> int:
        """Bytes of all chunks that lie there."""
        return sum(self.bytes_of(run.first, run.stop) for run in self.runs)

    def bytes_of(self, first: int, stop: int) -> int:
        """Return the bytes of the chunks `first` <= number < `stop`; the clip's last chunk may be short."""
        return min(stop * CHUNK_BYTES, self.size) - first * CHUNK_BYTES

    def left_out(self) -> list[tuple[int, int]]:
        """Return the runs of chunks that do not lie there, as (first, stop)."""
        starts = [0, *(run.stop for run in self.runs)]
        stops = [*(run.first for run in self.runs), self.chunks]
        return [(start, stop) for start, stop in zip(starts, stops, strict=True) if start < stop]


def format_excerpt(statement: ExcerptStatement) -> bytes:
    """Write a statement.

    Raises:
        WireLimit: It is too long.
    """
    cut = statement.cut
    body: JsonObject = {
        "clip": str(statement.clip),
        "size": statement.size,
        "runs": [
            {"first": run.first, "chunks": run.chunks, "proof": [value.hex() for value in run.proof]}
            for run in statement.runs
        ],
        "cut": None if cut is None else {"name": cut.name, "sha256": cut.sha256.hex(), "size": cut.size},
    }
    told = [told_body(one) for one in statement.spans]
    if statement.further:
        return format_text({**body, "spans": [*told]}, version=SPANS_VERSION, bytes_max=EXCERPT_BYTES_MAX).encode()
    return format_text({**body, **told[0]}, version=VERSION, bytes_max=EXCERPT_BYTES_MAX).encode()


def parse_excerpt(raw: bytes) -> ExcerptStatement:
    """Read what `format_excerpt` wrote; nothing is proved yet.

    Raises:
        WireError: It is no such statement; see the subclasses.
    """
    if len(raw) > EXCERPT_BYTES_MAX:
        raise WireLimit(f"more than {EXCERPT_BYTES_MAX} bytes")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise WireMalformed("the excerpt's statement is not UTF-8") from error
    several = text.startswith(f"{SPANS_VERSION}\n")
    parsed = parse_text(text, version=SPANS_VERSION if several else VERSION, bytes_max=EXCERPT_BYTES_MAX)
    names = frozenset({"clip", "size", "runs", "cut"}) | ({"spans"} if several else {"asked", "shown"})
    body = take_object(parsed, names=names, where="excerpt")
    first, *further = _take_spans(body["spans"]) if several else [_take_told(body)]
    return ExcerptStatement(
        clip=take_uuid(body["clip"], where="clip"),
        size=take_integer(body["size"], where="size"),
        runs=_take_runs(take_list(body["runs"], where="runs", count_max=RUNS_MAX)),
        asked=first.asked,
        shown=first.shown,
        cut=take_optional(body["cut"], _take_cut, where="cut"),
        further=tuple(further),
    )


def _take_spans(value: JsonValue) -> list[Told]:
    listed = take_list(value, where="spans", count_max=SPANS_MAX)
    if len(listed) < 2:
        raise WireMalformed("fewer than two spans: there is another way to say that")
    names = frozenset({"asked", "shown"})
    return [_take_told(take_object(one, names=names, where="span")) for one in listed]


def _take_told(body: Mapping[str, JsonValue]) -> Told:
    return Told(
        asked=_take_span(body["asked"], where="asked"), shown=take_optional(body["shown"], _take_span, where="shown")
    )


def _take_runs(listed: Sequence[JsonValue]) -> tuple[ChunkRun, ...]:
    runs = []
    for item in listed:
        body = take_object(item, names=frozenset({"first", "chunks", "proof"}), where="run")
        hashes = take_list(body["proof"], where="proof", count_max=PROOF_HASHES_MAX)
        runs.append(
            ChunkRun(
                first=take_integer(body["first"], where="first"),
                chunks=take_integer(body["chunks"], where="chunks"),
                proof=tuple(take_digest(value, where="hash") for value in hashes),
            )
        )
    return tuple(runs)


def _take_span(value: JsonValue, *, where: str) -> Span:
    body = take_object(value, names=frozenset({"from_ms", "to_ms"}), where=where)
    return Span(take_integer(body["from_ms"], where="from_ms"), take_integer(body["to_ms"], where="to_ms"))


def _take_cut(value: JsonValue, *, where: str) -> Cut:
    body = take_object(value, names=frozenset({"name", "sha256", "size"}), where=where)
    name = take_text(body["name"], where="name")
    # A name that leads out of the folder, or is no name, would have the reader look at another file.
    if not 1 <= len(name) <= CUT_NAME_CHARS_MAX or name in {".", ".."} or set(name) & set("/\\\0"):
        raise WireMalformed("the name of the cut is not that of a file beside the excerpt")
    size = take_integer(body["size"], where="size")
    check_integer(size, where="size", low=1, high=INTEGER_MAX)
    return Cut(name=name, sha256=take_digest(body["sha256"], where="sha256"), size=size)


def told_body(one: Told) -> JsonObject:
    """Return seconds asked for and shown as JSON."""
    return {"asked": span_body(one.asked), "shown": None if one.shown is None else span_body(one.shown)}


def span_body(span: Span) -> JsonObject:
    """Return a span as JSON."""
    return {"from_ms": span.from_ms, "to_ms": span.to_ms}
