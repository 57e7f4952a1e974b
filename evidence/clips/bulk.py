"""One addition to many clips: fill in what is empty, add what is not there, take nothing away (issue E).

    remark, item, place, position, ...   written where the clip has none; where it says something else, that is kept
    markers, documents                   added unless the very same is there

So a repeat changes nothing, and two people who add at once both succeed. Whoever wants to be sure of what they add to
names the version they have seen, clip by clip. A version is written only where something is added.

Crash story: a batch is one transaction. In each, clips are taken in the order of their ids, so that two of them never
wait for each other in a circle. The ledger publishes nothing that is younger than the oldest open transaction; that is
why a batch is short, and why all-or-nothing has a smaller limit than clip by clip. Between two batches a crash leaves
the first done and the second not; a repeat goes on there (see `api.preconditions.once_in_parts`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, model_validator

from evidence.clips.annotations import annotate, newest_locked
from evidence.clips.circumstances import Covert, Document, Position
from evidence.clips.content import DOCUMENTS_MAX, MARKERS_MAX, AnnotationContent, Marker, read_content
from evidence.clips.errors import BulkRefused
from evidence.clips.parts import Line, Part, Remark
from evidence.core.clock import Clock, Entropy
from evidence.db.pool import Connection
from evidence.errors import AnnotationInvalid, AnnotationStale, ClipUnknown, EvidenceError
from ledger.canonical import JsonObject, JsonValue

CLIPS_MAX = 1_000
"""Most clips of one request."""

ATOMIC_MAX = 200
"""Most clips that are annotated all or nothing, in one transaction: 1.2 s (benchmarks/bench_annotate.py)."""

BATCH = 50
"""Clips of one transaction where each clip is for itself."""

_REFUSALS_SHOWN = 20
_IF_EMPTY = ("remark", "place", "position", "not_needed_because", "covert", "exemption", "legality_argument")
_ADDED = ("markers", "documents")


class Addition(Part):
    """What to add to every clip; the fields are those of an annotation."""

    remark: Remark | None = None
    item: Line | None = None
    item_from: Literal["words", "list"] = "words"
    place: Line | None = None
    position: Position | None = None
    markers: Annotated[list[Marker], Field(max_length=MARKERS_MAX)] = Field(default_factory=list)
    documents: Annotated[list[Document], Field(max_length=DOCUMENTS_MAX)] = Field(default_factory=list)
    not_needed_because: Line | None = None
    covert: Covert | None = None
    exemption: Line | None = None
    legality_argument: Line | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Addition:
        if not self.as_json():
            raise ValueError("nothing is to be added")
        return self

    def as_json(self) -> JsonObject:
        """Return what it says, as a content states it."""
        stated: dict[str, JsonValue] = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return stated


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A clip, and the version of its annotation that the writer has seen; None to add to whichever is newest."""

    clip: UUID
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one clip.

    Attributes:
        outcome: `written`; `unchanged`, because it says all of it already; `refused`, see `refusal`.
        version: Of its annotation now; None where it was refused.
        kept: Fields that were not filled in because the clip says something else there.
    """

    clip: UUID
    outcome: Literal["written", "unchanged", "refused"]
    version: int | None = None
    entry_id: UUID | None = None
    kept: tuple[str, ...] = ()
    refusal: EvidenceError | None = None


async def annotate_batch(
    conn: Connection,
    targets: Sequence[Target],
    addition: Addition,
    *,
    actor: str,
    reason: str | None,
    clock: Clock,
    entropy: Entropy,
) -> list[Outcome]:
    """Add to some clips in the caller's transaction; what is refused of one leaves the others alone.

    Returns:
        One outcome for each target, in their order.
    """
    outcomes = {}
    for target in sorted(targets, key=lambda target: target.clip):
        try:
            outcomes[target.clip] = await _annotate_one(
                conn, target, addition, actor=actor, reason=reason, clock=clock, entropy=entropy
            )
        except (ClipUnknown, AnnotationStale, AnnotationInvalid) as refusal:
            # All of them are raised before anything is written.
            outcomes[target.clip] = Outcome(clip=target.clip, outcome="refused", refusal=refusal)
    return [outcomes[target.clip] for target in targets]


def require_all(outcomes: Sequence[Outcome]) -> None:
    """See that nothing was refused, for a transaction that is all or nothing.

    Raises:
        BulkRefused: Something was; the details name the first of them.
    """
    refused = [(one.clip, one.refusal) for one in outcomes if one.refusal is not None]
    if refused:
        raise BulkRefused(
            f"{len(refused)} of {len(outcomes)} clips are refused, so none was annotated",
            refused=[
                {"clip": str(clip), "code": refusal.code, "detail": refusal.message}
                for clip, refusal in refused[:_REFUSALS_SHOWN]
            ],
        )


def add_to(before: JsonObject, addition: Addition) -> tuple[AnnotationContent, tuple[str, ...]]:
    """Return a content with an addition, and the fields that say something else and were kept; pure.

    Raises:
        AnnotationInvalid: There is no room for more.
    """
    adding = addition.as_json()
    filling = {name: adding[name] for name in _IF_EMPTY if name in adding}
    after: dict[str, JsonValue] = {**filling, **before}
    kept = [name for name in filling if after[name] != filling[name]]
    if "item" not in after:
        after |= {name: adding[name] for name in ("item", "item_from") if name in adding}
    elif "item" in adding and any(after.get(name) != adding.get(name) for name in ("item", "item_from")):
        kept.append("item")
    for name in _ADDED:
        there, new = _listed(after.get(name)), _listed(adding.get(name))
        if fresh := [part for place, part in enumerate(new) if part not in there and part not in new[:place]]:
            after[name] = [*there, *fresh]
    return read_content(after), tuple(sorted(kept))


async def _annotate_one(
    conn: Connection,
    target: Target,
    addition: Addition,
    *,
    actor: str,
    reason: str | None,
    clock: Clock,
    entropy: Entropy,
) -> Outcome:
    newest = await newest_locked(conn, target.clip)
    version = newest.version if newest else 0
    before: JsonObject = newest.content if newest else {}
    content, kept = add_to(before, addition)
    if content.as_json() == before and target.version in (None, version):
        return Outcome(clip=target.clip, outcome="unchanged", version=version, kept=kept)
    made = await annotate(
        conn,
        clip=target.clip,
        content=content,
        expected_version=version if target.version is None else target.version,
        actor=actor,
        reason=reason,
        clock=clock,
        entropy=entropy,
    )
    return Outcome(clip=target.clip, outcome="written", version=made.version, entry_id=made.entry_id, kept=kept)


def _listed(value: JsonValue) -> list[JsonValue]:
    return list(value) if isinstance(value, list | tuple) else []
