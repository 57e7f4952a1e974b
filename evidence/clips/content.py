"""What people say about a clip: the content of one annotation version, its rules and limits. Pure.

Times are milliseconds from the clip's first frame. People's words are kept as they were given (UTF-8, not normalised);
control characters other than tab and newline are refused. Keys of markers and speakers come from `vocabulary.py`; what
was recorded with a word that was retired later stays valid, so the words are checked when a version is written
(`check_words`), not by the model.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from evidence.clips.vocabulary import Vocabulary
from evidence.errors import AnnotationInvalid, EvidenceError
from ledger.canonical import JsonObject, JsonValue

REMARK_CHARS_MAX = 4_000
LINE_CHARS_MAX = 400
MARKERS_MAX = 500
SPEAKERS_MAX = 100
SPANS_MAX = 500
DIALOGUE_MAX = 2_000
CLIP_MS_MAX = 7 * 24 * 3_600_000
"""Longest time within a clip, one week in milliseconds: far beyond any recorder, short of nonsense."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u2028\u2029\ud800-\udfff]")
_PROBLEMS_SHOWN = 20


def _words(text: str) -> str:
    if _CONTROL.search(text):
        raise ValueError("control characters are not allowed")
    if not text.strip():
        raise ValueError("leave it out instead of giving blanks")
    return text


Remark = Annotated[str, Field(max_length=REMARK_CHARS_MAX), AfterValidator(_words)]
Line = Annotated[str, Field(max_length=LINE_CHARS_MAX), AfterValidator(_words)]
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
Moment = Annotated[int, Field(ge=0, le=CLIP_MS_MAX)]


P = TypeVar("P", bound=BaseModel)


class Part(BaseModel):
    """Base of everything that people hand in about a clip: unknown fields are refused, values do not change type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Span(Part):
    """A stretch of the clip, milliseconds, the end after the start."""

    from_ms: Moment
    to_ms: Moment

    @model_validator(mode="after")
    def _in_order(self) -> Span:
        if self.to_ms <= self.from_ms:
            raise ValueError("a span ends after it starts")
        return self


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
    spans: Annotated[list[Span], Field(max_length=SPANS_MAX)] = []


class Utterance(Part):
    """Words that are spoken; `confidence` in thousandths, for words a machine proposed."""

    from_ms: Moment
    to_ms: Moment
    text: Remark
    speaker: Key | None = None
    source: Literal["human", "asr"] = "human"
    confidence: Annotated[int, Field(ge=0, le=1000)] | None = None
    reviewed_by: Line | None = None

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
        place: Where it was recorded, in words.
        markers: Moments that matter.
        speakers: Who speaks; dialogue refers to them by key.
        dialogue: What is said.
        not_needed_because: Why no remark or dialogue is needed; 视情况 asks for a judgement on record.
    """

    remark: Remark | None = None
    item: Line | None = None
    place: Line | None = None
    markers: Annotated[list[Marker], Field(max_length=MARKERS_MAX)] = []
    speakers: Annotated[list[Speaker], Field(max_length=SPEAKERS_MAX)] = []
    dialogue: Annotated[list[Utterance], Field(max_length=DIALOGUE_MAX)] = []
    not_needed_because: Line | None = None

    @model_validator(mode="after")
    def _speakers_are_known(self) -> AnnotationContent:
        keys = [speaker.key for speaker in self.speakers]
        if len(set(keys)) != len(keys):
            raise ValueError("two speakers have the same key")
        strangers = {part.speaker for part in self.dialogue if part.speaker is not None} - set(keys)
        if strangers:
            raise ValueError(f"dialogue names a speaker that is not listed: {min(strangers)}")
        return self

    def as_json(self) -> JsonObject:
        """Return the content as the payload states it: what was left out stays out."""
        stated: dict[str, JsonValue] = self.model_dump(mode="json", exclude_defaults=True)
        return stated


def read_content(raw: object) -> AnnotationContent:
    """Read a content that somebody handed in as JSON values.

    Raises:
        AnnotationInvalid: It breaks a rule; `details["problems"]` names each place and what is wrong there.
    """
    return read_part(raw, AnnotationContent, what="annotation", refused=AnnotationInvalid)


def read_part(raw: object, model: type[P], *, what: str, refused: type[EvidenceError]) -> P:
    """Read something that people hand in about a clip, as JSON values.

    Args:
        what: What to call it in a sentence.
        refused: The error to raise; `details["problems"]` names each place and what is wrong there.
    """
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        problems = [
            {"where": ".".join(map(str, problem["loc"])), "problem": problem["msg"]}
            for problem in error.errors(include_url=False, include_context=False, include_input=False)
        ]
        first = " ".join(filter(None, (problems[0]["where"], problems[0]["problem"])))
        message = f"{len(problems)} things are wrong with the {what}, first: {first}"
        raise refused(message, problems=problems[:_PROBLEMS_SHOWN]) from error


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
