"""JSON about packages that leave the house, and links to them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from api.bodies import RequestModel
from api.models.clips import EXCERPT_END_MS_MAX, WORD
from api.models.common import Digest, Page, ResponseModel, Time
from evidence.export.gathering import EXHIBITS_MAX
from evidence.export.links import USES_MAX
from evidence.export.parts import PACKAGE_SPANS_MAX

Id = Annotated[UUID, Field(strict=False)]


class WantedSpan(RequestModel):
    """Seconds of an exhibit that are handed over in the place of its original, with proofs."""

    clip: Id = Field(description="One of the package's clips", examples=["0195a000-0000-7000-8000-000000000001"])
    from_ms: int = Field(ge=0, le=EXCERPT_END_MS_MAX, description="Where they begin on the players' clock")
    to_ms: int = Field(ge=1, le=EXCERPT_END_MS_MAX, description="Where they end", examples=[15_000])


class OrderExport(RequestModel):
    """Somebody wants a package of a case, of some of its exhibits, of clips, or the same one again."""

    purpose: str = Field(pattern=WORD, description="A purpose on the list, see /v1/vocabulary")
    case: Id | None = Field(
        None, description="The case whose exhibits are wanted", examples=["0195a000-0000-7000-8000-000000000001"]
    )
    clips: list[Id] = Field([], max_length=EXHIBITS_MAX, description="Which of them; without a case, the clips")
    excerpts: list[WantedSpan] = Field(
        [],
        max_length=PACKAGE_SPANS_MAX,
        description="Exhibits that are handed over as excerpts, several spans of one where several are named; "
        "all others are handed over whole",
    )
    repeat: Id | None = Field(None, description="A package that is wanted again, byte for byte but for its own time")

    @model_validator(mode="after")
    def _one_wish(self) -> OrderExport:
        if (self.repeat is None) == (self.case is None and not self.clips):
            raise ValueError("name a case, clips, or a package to repeat")
        if self.repeat is not None and self.excerpts:
            raise ValueError("a repeated package has the excerpts that it had")
        return self


class PackagedSpan(ResponseModel):
    """Seconds of an exhibit that an excerpt is for; `shown` from the key frame before, null where nobody knows."""

    clip: UUID
    from_ms: int
    to_ms: int
    shown_from_ms: int | None
    shown_to_ms: int | None


class ExportItem(ResponseModel):
    """A package that was asked for; `reason` says why it was refused, or why the last attempt failed."""

    export: UUID
    state: Literal["waiting", "running", "done", "refused", "cancelled", "removed"]
    case: UUID | None
    clips: int
    excerpts: list[PackagedSpan] = Field(description="Exhibits that are handed over as excerpts, and of which seconds")
    purpose: str
    asked_by: str
    asked_at: Time
    entry: UUID | None = Field(description="The entry that says it leaves; made before the first byte")
    bytes_done: int
    bytes_total: int | None
    size: int | None = Field(description="Bytes of the archive once it is there")
    code: str | None
    reason: str | None


class ExportItems(Page[ExportItem]):
    """Packages, the one asked for last first."""


class OpenDownload(RequestModel):
    """Somebody fetches a package, and says what for."""

    purpose: str = Field(pattern=WORD, description="A purpose on the list, see /v1/vocabulary")


class OpenedDownload(ResponseModel):
    """The hand-out is on record; the address works until it expires, by ranges too."""

    url: str
    expires_at: Time
    entry: UUID
    size: int = Field(description="Bytes of the archive")
    manifest: Digest | None = Field(
        description="SHA-256 of the list of its files, `manifest-sha256.txt`, as it is on record"
    )


class ShareExport(RequestModel):
    """A link for somebody outside, such as counsel."""

    recipient: str = Field(min_length=1, max_length=100, description="Who it is for, by name")
    purpose: str = Field(pattern=WORD, description="A purpose on the list, see /v1/vocabulary")
    expires_at: Annotated[datetime, Field(strict=False)] = Field(description="Until when, at most a year ahead")
    uses: int = Field(1, ge=1, le=USES_MAX, description="How often it may be used")


class SharedExport(ResponseModel):
    """The link is on record; its address is shown this once."""

    link: UUID
    url: str
    entry: UUID


class LinkItem(ResponseModel):
    """A link to a package and what became of it."""

    link: UUID
    recipient: str
    purpose: str
    expires_at: Time
    uses: int
    uses_max: int
    shared_by: str
    shared_at: Time
    revoked_at: Time | None
    entry: UUID


class LinkItems(Page[LinkItem]):
    """Links in the order they were made."""


class RevokeLink(RequestModel):
    """Somebody ends a link, and says why."""

    reason: str = Field(min_length=1, max_length=1000)


class RevokedLink(ResponseModel):
    """The link opens nothing any more; `entry` is null when it had been ended before."""

    link: UUID
    entry: UUID | None


class Trail(ResponseModel):
    """From the exhibit back to the recorder's serial and the first digest, and forth to what left the house."""

    clip: UUID
    original: dict[str, object]
    sources: list[dict[str, object]]
    copies: list[dict[str, object]]
    derivatives: list[dict[str, object]]
    transcripts: list[dict[str, object]]
    redactions: list[dict[str, object]]
    annotations: list[dict[str, object]]
    cases: list[dict[str, object]]
    acts: list[dict[str, object]] = Field(
        description="What became of its cases: reviewed, decided, archived, published"
    )
    views: list[dict[str, object]]
    looks: list[dict[str, object]] = Field(description="Looks at stills and storyboards, of this clip among many")
    handed_over: list[dict[str, object]]
    fetched: list[dict[str, object]]
    noticed: list[dict[str, object]]


class TrailQuery(BaseModel):
    """How to write a trail."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    form: Literal["json", "svg"] = Field("json", description="`json`: the steps; `svg`: a picture of them")


class CaseTrailQuery(TrailQuery):
    """Which exhibits of a case."""

    after: int = Field(0, ge=0, le=2**31 - 1, description="Exhibits behind this number")
    limit: int = Field(50, ge=1, le=200, description="Most exhibits of a page")


class ExhibitTrail(ResponseModel):
    """An exhibit and where it came from."""

    exhibit: int
    trail: Trail


class CaseTrail(ResponseModel):
    """From what became of a case back to the recorders, and forth from each exhibit."""

    case: UUID
    number: str
    title: str
    opened_at: Time
    acts: list[dict[str, object]] = Field(
        description="Reviewed, decided, archived, published, handed over; oldest first"
    )
    exhibits: list[ExhibitTrail]
    withheld: int = Field(description="Exhibits of this page that the reader may not know of")
    next: int | None = Field(description="`after` of the next page; null when this is the last")
