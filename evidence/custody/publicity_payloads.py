"""Payloads of entries about what is told the public; same rules as in `payloads`.

`publication.published` is shown to anybody, with its salt, so that they can check it: it holds what is public and
nothing else. What was drafted stands in `publication.drafted`, which never leaves the house.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from evidence.custody.payloads import Count, Digest, Id, Ordinal, Payload, Size, Text, Word

Day = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
Fields = Annotated[dict[Word, Annotated[str, Field(max_length=200_000)]], Field(max_length=40)]
_Reason = Annotated[Text, Field(max_length=1000)]


class PublicationDrafted(Payload):
    """A version of what somebody wants published, unmasked; `reason` says why there is another one.

    `until` is the last day on which it is to be public, None for the term of its kind.
    """

    publication: Id
    version: Ordinal
    form: Word
    kind: Word
    fields: Fields
    case: Id | None
    until: Day | None
    reason: _Reason


class FoundSpan(Payload):
    """Characters that the scan took for something about a person."""

    field: Word
    start: Count
    end: Size
    kind: Word
    certainty: Word


class PublicationScanned(Payload):
    """What the privacy scan of these rules found in a version."""

    publication: Id
    version: Ordinal
    rules: Word
    spans: Annotated[list[FoundSpan], Field(max_length=20_000)]


class JudgedSpan(Payload):
    """What a person said is to become of characters of a field."""

    field: Word
    start: Count
    end: Size
    verdict: Literal["mask", "keep", "not_one"]
    reason: _Reason


class PublicationJudged(Payload):
    """What a person said of some spans of a version; of the same span the newest counts."""

    publication: Id
    version: Ordinal
    decisions: Annotated[list[JudgedSpan], Field(min_length=1, max_length=1000)]


class PublicationApproved(Payload):
    """Another person agrees that a version be published as it stands here."""

    publication: Id
    version: Ordinal
    fields: Fields
    note: _Reason


class PublicationPublished(Payload):
    """What is public from now on, in place of any version before.

    `decided_on` is the day of the decision it tells of, `effective_from` the day from which a register counts, `until`
    the last day on which this is public.
    """

    form_version: Annotated[Literal["shilu-publication-1"], Field(alias="schema")]
    publication: Id
    version: Ordinal
    form: Word
    kind: Word
    fields: Fields
    case: Id | None
    decided_on: Day | None
    effective_from: Day | None
    until: Day | None


class PublicationWithdrawn(Payload):
    """Nothing of a publication is public any more but that there was one, when, and why it went."""

    publication: Id
    version: Ordinal
    cause: Literal["revoked", "changed", "unlawful", "invalid", "redone", "erroneous", "term"]
    reason: _Reason


class PublicationTermStated(Payload):
    """How many months what is of a kind stays public; None for as long as it is not withdrawn. The newest counts."""

    term: Id
    kind: Word
    months: Annotated[int, Field(ge=1, le=1200)] | None
    citation: Annotated[_Reason, Field(min_length=1)]


class PublicityReported(Payload):
    """Figures of a period, from the log's first `size` entries, and what a person stated beside them."""

    report: Id
    period: Annotated[str, Field(pattern=r"^[0-9]{4}(-[0-9]{2})?$")]
    rules: Word
    size: Size
    root: Digest
    figures: Annotated[dict[Word, Count], Field(max_length=200)]
    stated: Annotated[dict[Word, Count], Field(max_length=40)]
