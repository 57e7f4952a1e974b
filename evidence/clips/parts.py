"""The parts that people's statements about a clip are made of: texts, keys, moments, spans. Pure.

Times are milliseconds from the clip's first frame. People's words are kept as they were given (UTF-8, not normalised);
control characters other than tab and newline are refused here, whatever else must not be written anew in `wording.py`:
the models also read what was recorded long ago, so they never become stricter.
"""

from __future__ import annotations

import re
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from evidence.errors import EvidenceError

REMARK_CHARS_MAX = 4_000
LINE_CHARS_MAX = 400
QUOTATION_CHARS_MAX = 4_096
"""Longest text of a machine's proposal, see `ingest.media.transcript`."""

CLIP_MS_MAX = 7 * 24 * 3_600_000
"""Longest time within a clip, one week in milliseconds: far beyond any recorder, short of nonsense."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u2028\u2029\ud800-\udfff]")
_PROBLEMS_SHOWN = 20


def _plain(text: str) -> str:
    if _CONTROL.search(text):
        raise ValueError("control characters are not allowed")
    return text


def _words(text: str) -> str:
    if not _plain(text).strip():
        raise ValueError("leave it out instead of giving blanks")
    return text


Remark = Annotated[str, Field(max_length=REMARK_CHARS_MAX), AfterValidator(_words)]
Line = Annotated[str, Field(max_length=LINE_CHARS_MAX), AfterValidator(_words)]
Quotation = Annotated[str, Field(max_length=QUOTATION_CHARS_MAX), AfterValidator(_plain)]
"""What somebody else said, which may be nothing."""

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
