"""Taking over what a machine proposed, utterance by utterance, in the name of the person who listened (R14).

A transcript is a proposal, see `ingest.media.transcript`. Whoever accepts a part of it says with that: I have looked,
this was said. What comes of it is an utterance in the annotation's next version:

    source        asr: a machine wrote it down first
    confidence    as proposed
    reviewed_by   the person; nobody else can be named (`reviews.py`)
    proposal      the transcript's entry and the place in it; how it read, where the person corrected it

Only adding: words that are there stay as they are, and a proposal that was taken over is not taken over again. A newer
transcript is another entry and changes nothing. Who has not opened a view of the clip cannot have looked.

Crash story: that of `annotations.py`; the transcript's object is read before the transaction begins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from pydantic import Field, model_validator

from evidence.clips.annotations import Annotated as OnRecord
from evidence.clips.annotations import annotate, newest_locked
from evidence.clips.circumstances import INDEX_MAX, EntryId, Proposed
from evidence.clips.content import DIALOGUE_MAX, SPEAKERS_MAX, AnnotationContent, Speaker, read_content
from evidence.clips.errors import ProposalTaken, ProposalUnknown, ProposalUnseen
from evidence.clips.parts import Key, Line, Moment, Part, Remark
from evidence.clips.transcript_store import has_looked
from evidence.core.clock import Clock, Entropy
from evidence.db.pool import Connection
from evidence.errors import AnnotationInvalid
from ledger.canonical import JsonObject, JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One segment of a transcript; `voice` is the machine's own name for who speaks, confidence in thousandths."""

    from_ms: int
    to_ms: int
    text: str
    voice: str | None = None
    confidence: int | None = None


class Acceptance(Part):
    """One proposal that is taken over; what is left out is taken as proposed."""

    index: Annotated[int, Field(ge=0, le=INDEX_MAX, description="Place in the transcript, from 0")]
    text: Annotated[Remark | None, Field(description="What was really said; as proposed unless given")] = None
    from_ms: Moment | None = None
    to_ms: Moment | None = None
    speaker: Annotated[Key | None, Field(description="Who speaks; by the voice unless given")] = None


class AcceptProposals(Part):
    """Proposals of one transcript that a person has listened to and takes over.

    Attributes:
        transcript: Ledger entry of the transcript.
        utterances: Which of them, and what was corrected.
        speakers: People to add to the annotation's speakers.
        voices: Which speaker a voice of the machine is, such as `S1`.
        reason: Why there is a new version.
    """

    transcript: EntryId
    utterances: Annotated[list[Acceptance], Field(min_length=1, max_length=DIALOGUE_MAX)]
    speakers: Annotated[list[Speaker], Field(max_length=SPEAKERS_MAX)] = Field(default_factory=list)
    voices: Annotated[dict[str, Key], Field(max_length=SPEAKERS_MAX)] = Field(default_factory=dict)
    reason: Line | None = None

    @model_validator(mode="after")
    def _each_once(self) -> AcceptProposals:
        places = [one.index for one in self.utterances]
        if len(set(places)) != len(places):
            raise ValueError("a proposal is named twice")
        return self


async def accept_proposals(
    conn: Connection,
    *,
    clip: UUID,
    wanted: AcceptProposals,
    proposals: Sequence[Proposal],
    expected_version: int | None,
    actor: str,
    clock: Clock,
    entropy: Entropy,
) -> OnRecord:
    """Take proposals over into the next version of a clip's annotation, in the caller's transaction.

    Args:
        proposals: All of the transcript that `wanted` names, in its order.
        expected_version: The version the person has seen; None to add to whichever is newest.

    Raises:
        ClipUnknown, AnnotationStale, AnnotationInvalid: See `annotate`.
        ProposalUnknown: The transcript has no segment at a place.
        ProposalTaken: A proposal was taken over before.
        ProposalUnseen: The person never opened a view of the clip.
    """
    newest = await newest_locked(conn, clip)
    if not await has_looked(conn, clip, actor=actor):
        raise ProposalUnseen("open a view of the clip before you stand for its words", clip=str(clip))
    before = AnnotationContent.model_validate(newest.content if newest else {})
    version = newest.version if newest else 0
    # Whoever is stale is told so first: what they take over may have been taken over meanwhile.
    if expected_version in (None, version):
        content, accepted = take_over(before, wanted, proposals, reviewer=actor)
    else:
        content, accepted = before, []
    return await annotate(
        conn,
        clip=clip,
        content=content,
        expected_version=version if expected_version is None else expected_version,
        actor=actor,
        reason=wanted.reason,
        accepted=accepted,
        clock=clock,
        entropy=entropy,
    )


def take_over(
    before: AnnotationContent, wanted: AcceptProposals, proposals: Sequence[Proposal], *, reviewer: str
) -> tuple[AnnotationContent, list[Proposed]]:
    """Return a content with proposals taken over, and these; pure."""
    taken = {part.proposal.place for part in before.dialogue if part.proposal is not None}
    if again := sorted(one.index for one in wanted.utterances if (wanted.transcript, one.index) in taken):
        raise ProposalTaken(f"proposal {again[0]} was taken over before", indexes=again[:20])
    if strange := sorted(one.index for one in wanted.utterances if one.index >= len(proposals)):
        raise ProposalUnknown(f"the transcript has no segment {strange[0]}", segments=len(proposals))
    stated = before.as_json()
    dialogue: list[JsonValue] = [part.model_dump(mode="json", exclude_defaults=True) for part in before.dialogue]
    for one in sorted(wanted.utterances, key=lambda one: one.index):
        said = _utterance(one, proposals[one.index], wanted, reviewer)
        dialogue.insert(_place(dialogue, said), said)
    content = read_content({**stated, "speakers": _speakers(before, wanted), "dialogue": dialogue})
    accepted = [part.proposal for part in content.dialogue if part.proposal and part.proposal.place not in taken]
    return content, accepted


def _utterance(one: Acceptance, proposal: Proposal, wanted: AcceptProposals, reviewer: str) -> JsonObject:
    text = proposal.text if one.text is None else one.text
    if not text.strip():
        raise AnnotationInvalid(f"nothing was proposed at {one.index}: write what was said", index=one.index)
    from_ms = proposal.from_ms if one.from_ms is None else one.from_ms
    to_ms = proposal.to_ms if one.to_ms is None else one.to_ms
    speaker = one.speaker or wanted.voices.get(proposal.voice or "")
    proposed: dict[str, JsonValue] = {"entry": wanted.transcript, "index": one.index}
    corrections: dict[str, tuple[JsonValue, JsonValue]] = {
        "text": (text, proposal.text),
        "from_ms": (from_ms, proposal.from_ms),
        "to_ms": (to_ms, proposal.to_ms),
    }
    proposed |= {name: was for name, (now, was) in corrections.items() if now != was}
    said: dict[str, JsonValue] = {"from_ms": from_ms, "to_ms": to_ms, "text": text, "source": "asr"}
    said |= {"reviewed_by": reviewer, "proposal": proposed}
    if speaker is not None:
        said["speaker"] = speaker
    if proposal.confidence is not None:
        said["confidence"] = proposal.confidence
    return said


def _place(dialogue: Sequence[JsonValue], said: JsonObject) -> int:
    """Return the place behind the last utterance that begins no later; people's own order is left alone."""
    begins = [part["from_ms"] for part in dialogue if isinstance(part, Mapping)]
    return max((place for place, at in enumerate(begins, start=1) if at <= said["from_ms"]), default=0)  # type: ignore[operator]  # moments


def _speakers(before: AnnotationContent, wanted: AcceptProposals) -> list[JsonValue]:
    known = {speaker.key: speaker for speaker in before.speakers}
    for speaker in wanted.speakers:
        if known.setdefault(speaker.key, speaker) != speaker:
            raise AnnotationInvalid(f"the speaker {speaker.key} is somebody else already", speaker=speaker.key)
    return [speaker.model_dump(mode="json", exclude_defaults=True) for speaker in known.values()]
