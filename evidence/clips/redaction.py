"""What is made unseen and unheard in a redacted copy, and why: the content of a redaction, its rules and limits. Pure.

Times are milliseconds on the players' clock. Boxes are in pixels of an upright picture of the size that `picture`
states, as the person who drew them saw it, and are scaled from there. Each has its own reason, and the whole has one.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from evidence.clips.parts import Line, Part, Remark, Span, read_part
from evidence.errors import RedactionInvalid
from ledger.canonical import JsonObject, JsonValue

CHANGES_MAX = 200
"""Most boxes, and most mute spans, of one redaction."""

SIDE_MAX = 16_384

Side = Annotated[int, Field(ge=1, le=SIDE_MAX)]
Place = Annotated[int, Field(ge=0, le=SIDE_MAX)]


class Picture(Part):
    """Size in pixels of the upright picture that boxes are drawn on."""

    width: Side
    height: Side


class Muted(Span):
    """Sound that becomes silence."""

    why: Line


class Covered(Span):
    """A part of the picture that is made unrecognisable: averaged in coarse squares, those smoothed, or black."""

    x: Place
    y: Place
    width: Side
    height: Side
    how: Literal["pixelate", "blur", "black"]
    why: Line


class RedactionContent(Part):
    """All changes of one redacted copy.

    Attributes:
        reason: Why there is one.
        picture: What the boxes are drawn on; there has to be one where there are boxes.
        cover: Boxes over spans.
        mute: Spans without sound.
    """

    reason: Remark
    picture: Picture | None = None
    cover: Annotated[list[Covered], Field(max_length=CHANGES_MAX)] = Field(default_factory=list)
    mute: Annotated[list[Muted], Field(max_length=CHANGES_MAX)] = Field(
        default_factory=list, examples=[[{"from_ms": 1000, "to_ms": 4000, "why": "未成年人姓名"}]]
    )

    @model_validator(mode="after")
    def _fits_together(self) -> RedactionContent:
        if not self.cover and not self.mute:
            raise ValueError("nothing is to be changed")
        if bool(self.cover) != (self.picture is not None):
            raise ValueError("boxes need the size of the picture they are drawn on, and only they")
        for box in self.cover:
            if self.picture and (box.x + box.width > self.picture.width or box.y + box.height > self.picture.height):
                raise ValueError("a box reaches beyond the picture")
        return self

    def as_json(self) -> JsonObject:
        """Return the content as the payload states it."""
        stated: dict[str, JsonValue] = self.model_dump(mode="json")
        return stated


def read_redaction(raw: object) -> RedactionContent:
    """Read a redaction that somebody handed in as JSON values.

    Raises:
        RedactionInvalid: It breaks a rule; `details["problems"]` names each place and what is wrong there.
    """
    return read_part(raw, RedactionContent, what="redaction", refused=RedactionInvalid)
