"""What people say about a clip: the content of one annotation version, its rules and limits. Pure.

Texts, times and their limits are those of `parts.py`. Keys of markers and speakers come from `vocabulary.py`; what
was recorded with a word that was retired later stays valid, so the words are checked when a version is written
(`check_words`), not by the model. Fields are never renamed, retyped or dropped, and a new one is optional: the payloads
of all versions ever written are read by this model.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from evidence.clips.circumstances import Covert, Document, Position, Proposed
from evidence.clips.parts import Key, Line, Moment, Part, Remark, Span, read_part
from evidence.clips.vocabulary import Vocabulary
from evidence.errors import AnnotationInvalid
from ledger.canonical import JsonObject, JsonValue

MARKERS_MAX = 500
SPEAKERS_MAX = 100
SPANS_MAX = 500
DIALOGUE_MAX = 2_000
DOCUMENTS_MAX = 100


class Marker(Part):
    """A moment or a stretch that matters; `kind` is a key of the vocabulary's markers."""

    kind: Key
    at_ms: Moment
    until_ms: Moment | None = None
    note: Line | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Marker:
        if self.until_ms is not None and self.until_ms <= self.at_ms:
            raise ValueError("a marker ends after it starts")
        return self


class Speaker(Part):
    """Somebody who speaks: `key` is this annotation's own name for them, `role` a key of the vocabulary's speakers."""

    key: Key
    role: Key
    name: Line | None = None
    identity: Line | None = None
    description: Line | None = None
    spans: Annotated[list[Span], Field(max_length=SPANS_MAX)] = Field(default_factory=list)


class Utterance(Part):
    """Words that are spoken.

    Attributes:
        source: Who wrote them down first: a person, or a machine whose proposal a person took over.
        confidence: The machine's, in thousandths, as proposed.
        reviewed_by: Who has listened and stands for the words, for example `staff:<uuid>`; see `reviews.py`.
        proposal: What of a transcript was taken over, and how it read where it was corrected.
    """

    from_ms: Moment
    to_ms: Moment
    text: Remark
    speaker: Key | None = None
    source: Literal["human", "asr"] = "human"
    confidence: Annotated[int, Field(ge=0, le=1000)] | None = None
    reviewed_by: Line | None = None
    proposal: Proposed | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Utterance:
        if self.to_ms <= self.from_ms:
            raise ValueError("an utterance ends after it starts")
        return self


class AnnotationContent(Part):
    """All that one version says.

    Attributes:
        remark: 摄录内容, what the clip shows.
        item: The recording item or 环节 it belongs to.
        item_from: Whether `item` is a key of a recording-item list (音像记录事项清单) or somebody's own words.
        place: Where it was recorded, in words.
        position: Where it was recorded, in degrees.
        markers: Moments that matter.
        speakers: Who speaks; dialogue refers to them by key.
        dialogue: What is said.
        not_needed_because: Why no remark or dialogue is needed; 视情况 asks for a judgement on record.
        documents: 文书 that tell of the same act, with the times they state.
        covert: Set for a covert recording, never without its legal basis and who approved it.
        exemption: Reference of a record that exempts from recording.
        legality_argument: Reference of a 合法性论证, for what no list names.
    """

    remark: Remark | None = None
    item: Line | None = None
    item_from: Literal["words", "list"] = "words"
    place: Line | None = None
    position: Position | None = None
    markers: Annotated[list[Marker], Field(max_length=MARKERS_MAX)] = Field(default_factory=list)
    speakers: Annotated[list[Speaker], Field(max_length=SPEAKERS_MAX)] = Field(default_factory=list)
    dialogue: Annotated[list[Utterance], Field(max_length=DIALOGUE_MAX)] = Field(default_factory=list)
    not_needed_because: Line | None = None
    documents: Annotated[list[Document], Field(max_length=DOCUMENTS_MAX)] = Field(default_factory=list)
    covert: Covert | None = None
    exemption: Line | None = None
    legality_argument: Line | None = None

    @model_validator(mode="after")
    def _speakers_are_known(self) -> AnnotationContent:
        keys = [speaker.key for speaker in self.speakers]
        if len(set(keys)) != len(keys):
            raise ValueError("two speakers have the same key")
        strangers = {part.speaker for part in self.dialogue if part.speaker is not None} - set(keys)
        if strangers:
            raise ValueError(f"dialogue names a speaker that is not listed: {min(strangers)}")
        return self

    @model_validator(mode="after")
    def _parts_fit(self) -> AnnotationContent:
        if self.item_from == "list" and self.item is None:
            raise ValueError("item_from says where the item is from, and there is none")
        taken = [part.proposal.place for part in self.dialogue if part.proposal is not None]
        if len(set(taken)) != len(taken):
            raise ValueError("two utterances take over the same proposal")
        return self

    def as_json(self) -> JsonObject:
        """Return the content as the payload states it: what was left out stays out."""
        stated: dict[str, JsonValue] = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return stated


def read_content(raw: object) -> AnnotationContent:
    """Read a content that somebody handed in as JSON values.

    Raises:
        AnnotationInvalid: It breaks a rule; `details["problems"]` names each place and what is wrong there.
    """
    return read_part(raw, AnnotationContent, what="annotation", refused=AnnotationInvalid)


def check_words(content: AnnotationContent, words: Vocabulary) -> None:
    """See that markers and speakers use words in force.

    Raises:
        AnnotationInvalid: A kind or role is unknown or retired.
    """
    for used, known, what in (
        ({marker.kind for marker in content.markers}, words.markers, "marker kind"),
        ({speaker.role for speaker in content.speakers}, words.speakers, "speaker role"),
    ):
        in_force = {key for key, word in known.items() if not word.retired}
        if strange := sorted(used - in_force):
            raise AnnotationInvalid(f"no such {what}: {strange[0]}", known=sorted(in_force))
