"""JSON about clips: lists, details, annotations, history, views."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field, model_validator

from api.bodies import RequestModel
from api.models.common import Digest, Page, PageQuery, ResponseModel, Time
from evidence.clips.clips import ClipState
from evidence.clips.language import TEXT_CHARS_MAX
from evidence.clips.query import ClipQuery as Question
from ledger.canonical import INTEGER_MAX

WORD = r"^[a-z][a-z0-9_]{0,63}$"

EXCERPT_MS_MAX = 3_600_000
"""Longest excerpt in milliseconds that is made within a request; longer ones by the command."""

EXCERPT_END_MS_MAX = 1_000_000_000

Facet = Annotated[str | None, Field(min_length=1, max_length=100)]


class ClipsQuery(PageQuery):
    """What is looked for; what is left out does not matter."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)

    q: str = Field(
        "",
        max_length=TEXT_CHARS_MAX,
        description="Words and conditions of the query language, such as `查封 -marker:亮证 recorded:2026-03`",
    )
    case: UUID | None = Field(None, description="Case it is an exhibit of")
    recorder: Facet = Field(None, description="Number of the recorder")
    dock: UUID | None = Field(None, description="Dock it came from")
    officer: Facet = Field(None, description="Number of the officer")
    state: ClipState | None = Field(None, description="What it is good for")
    key_mark: bool | None = Field(None, description="Whether the officer marked it")
    sha256: str | None = Field(None, pattern=r"^[0-9a-f]{64}$", description="Digest of the original")
    recorded_from: AwareDatetime | None = Field(None, alias="from", description="Recorded at or after this instant")
    recorded_to: AwareDatetime | None = Field(None, alias="to", description="Recorded before this instant")

    purpose: str | None = Field(
        None, pattern=WORD, description="What for; without one nothing is found that bears an access class"
    )
    received_after: AwareDatetime | None = Field(None, description="Received after this instant")

    def question(self) -> Question:
        """Return what is asked, for the search."""
        return Question(
            text=self.q,
            case=self.case,
            recorder=self.recorder,
            dock=self.dock,
            officer=self.officer,
            state=self.state,
            key_mark=self.key_mark,
            sha256=self.sha256,
            recorded_from=self.recorded_from,
            recorded_to=self.recorded_to,
            received_after=self.received_after,
        )

    def in_words(self) -> str:
        """Return the whole question in a line, for the record."""
        facets = self.model_dump(mode="json", exclude={"q", "cursor", "limit", "purpose"}, exclude_none=True)
        return " ".join([self.q, *(f"{name}={value}" for name, value in facets.items())]).strip()


class HitItem(ResponseModel):
    """A passage in which a word of the question stands."""

    field: str = Field(description="dialogue, marker, document, remark or place")
    text: str
    at_ms: int | None = Field(description="Milliseconds from the first frame; null for what is about the whole clip")


class ClipItem(ResponseModel):
    """What a list shows of a clip."""

    clip: UUID
    name: str
    size: int = Field(description="Bytes of the original")
    sha256: Digest = Field(description="SHA-256 of the original")
    received_at: Time
    recorded_at: Time | None = Field(description="By the recorder's clock, as its dock stated it")
    recorder: str | None
    dock: UUID | None
    officer: str | None
    key_mark: bool
    state: ClipState
    reason: str | None = Field(description="Why little could be derived")
    version: int = Field(description="Version of its annotation, 0 for none")
    remark: str | None
    cases: list[str] = Field(description="Numbers of the cases it is an exhibit of")
    entry: UUID = Field(description="Ledger entry that sealed it")
    hits: list[HitItem] = Field(description="Where words of the question stand in its annotation, five at most")


class ClipItems(Page[ClipItem]):
    """Clips, those received last first."""


class SourceItem(ResponseModel):
    """A place that the content came from."""

    entry: UUID
    repeated: bool
    upload: UUID
    actor: str
    name: str
    path: str
    raw: bool = Field(description="Whether the path is escaped because its bytes are not UTF-8")
    recorder: str | None
    dock: UUID | None
    inventory: UUID | None
    recorded_at: Time | None
    officer: str | None
    key_mark: bool
    received_at: Time


class RenditionItem(ResponseModel):
    """An object made from the original, to be asked for by its kind."""

    kind: str
    size: int
    sha256: Digest
    media_type: str


class DerivationItem(ResponseModel):
    """What could be made of the original, and how."""

    entry: UUID
    outcome: str
    reason: str | None
    attempt: int
    derived_at: Time
    tools: dict[str, str]
    parameters: dict[str, object]
    probe: dict[str, object]
    renditions: list[RenditionItem]


class AnnotationItem(ResponseModel):
    """One version of what people say about a clip."""

    version: int
    content: dict[str, object]
    annotated_by: str
    annotated_at: Time
    entry: UUID
    reason: str | None = Field(description="Why it was written, in the writer's words")


class AnnotationItems(Page[AnnotationItem]):
    """Versions, the newest first; the header `ETag` is the newest one's number."""


class CaseLinkItem(ResponseModel):
    """A case that a clip is an exhibit of."""

    case: UUID
    number: str
    title: str
    exhibit: int
    linked_by: str
    linked_at: Time
    entry: UUID


class ClipDetail(ResponseModel):
    """All that is known about a clip."""

    clip: UUID
    name: str
    size: int
    chunk_size: int
    chunks: int
    root: Digest = Field(description="Root of the clip tree")
    sha256: Digest
    sm3: Digest | None = Field(description="SM3 of the original, where the house computes it")
    received_at: Time
    sealed_at: Time
    entry: UUID
    index: int | None = Field(description="Place in the published log; null until it is published")
    state: ClipState
    sources: list[SourceItem]
    preview: RenditionItem | None = Field(description="A first still, as long as there is no derivation; not evidence")
    derivation: DerivationItem | None
    annotation: AnnotationItem | None
    cases: list[CaseLinkItem]


class AnnotationMade(ResponseModel):
    """A version is on record."""

    version: int
    entry: UUID
    at: Time


class HistoryItem(ResponseModel):
    """One event on record about a clip."""

    entry: UUID
    type: str
    actor: str
    at: Time
    index: int | None = Field(description="Place in the published log; null until it is published")
    payload: dict[str, object]


class HistoryItems(Page[HistoryItem]):
    """Events about a clip, in the order they were recorded in."""


class OpenView(RequestModel):
    """Somebody wants to look, and says what for."""

    purpose: str = Field(pattern=WORD, description="A purpose on the list, see /v1/vocabulary")
    rendition: str = Field(
        "proxy", pattern=WORD, description="`original`, `redacted` (newest copy), or the kind of an object"
    )


class OpenedView(ResponseModel):
    """The view is on record; the address works until it expires."""

    url: str
    expires_at: Time
    entry: UUID


class OrderExcerpt(RequestModel):
    """Somebody wants some seconds of a clip in a form that proves itself, and says what for."""

    purpose: str = Field(pattern=WORD, description="A purpose on the list, see /v1/vocabulary")
    from_ms: int = Field(ge=0, le=EXCERPT_END_MS_MAX, description="Where it begins on the players' clock")
    to_ms: int = Field(
        ge=1,
        le=EXCERPT_END_MS_MAX,
        description="Where it ends, at most an hour after it begins",
        examples=[15_000],
    )
    cut: bool = Field(default=True, description="Whether a playable copy lies beside it: a derivative, not evidence")

    @model_validator(mode="after")
    def _in_order(self) -> OrderExcerpt:
        if not 0 < self.to_ms - self.from_ms <= EXCERPT_MS_MAX:
            raise ValueError("to_ms has to lie behind from_ms, at most an hour")
        return self


class OrderStill(RequestModel):
    """Somebody wants one picture of the original, in every pixel it has, and says what for; exactly one names it."""

    purpose: str = Field(pattern=WORD, description="A purpose on the list, see /v1/vocabulary")
    frame: int | None = Field(
        None, ge=0, le=INTEGER_MAX, description="Its number, from 0, as pictures are shown", examples=[1234]
    )
    pts: int | None = Field(
        None, ge=-INTEGER_MAX, le=INTEGER_MAX, description="Its presentation time in ticks of its track"
    )
    at_ms: int | None = Field(
        None, ge=0, le=EXCERPT_END_MS_MAX, description="A time on the players' clock: the picture on show then"
    )

    @model_validator(mode="after")
    def _one_name(self) -> OrderStill:
        if sum(value is not None for value in (self.frame, self.pts, self.at_ms)) != 1:
            raise ValueError("exactly one of frame, pts and at_ms names a picture")
        return self


class RedactionItem(ResponseModel):
    """A redacted copy that was asked for; once it is done it is kept and on record, a derivative and no evidence.

    `state` is waiting, running, done or refused; `reason` says why it was refused, or why the last attempt failed.
    """

    redaction: UUID
    clip: UUID
    state: Literal["waiting", "running", "done", "refused"]
    asked_at: Time
    code: str | None
    reason: str | None
    entry: UUID | None
    sha256: Digest | None
    size: int | None
    media_type: str | None


class SealedClip(ResponseModel):
    """The clip is sealed; its receipt will be ready as soon as its entry is published."""

    clip: UUID
    entry: UUID


class Term(ResponseModel):
    """A word of the interface, in two languages."""

    key: str
    zh: str
    en: str


class Vocabulary(ResponseModel):
    """The words that requests may use."""

    purposes: list[Term]
    roles: list[Term]
    markers: list[Term]
    speakers: list[Term]
    access_classes: list[Term] = Field(description="What narrows who may know of a clip")
