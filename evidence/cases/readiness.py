"""Why a case cannot be archived yet: every reason at once, each with what it is about (R13, R22, R23). Pure.

A reason is put right by doing what it says: annotate, state an activity or a gap's reason, make an exemption, file a
legality argument, wait for a dock. None of them can be waived here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from uuid import UUID

from evidence.cases.coverage import GAPS, MISSING, UNSTATED, Coverage
from evidence.cases.dossier import Dossier
from evidence.cases.footage import ExhibitFootage
from evidence.core.clock import format_time
from ledger.canonical import JsonObject

REASONS: Mapping[str, str] = {
    "not_concluded": "the action is not stated to be concluded (执行终结)",
    "not_ingested": "a dock saw this file on the recorder, and it never came",
    "not_numbered": "exhibit numbers have a hole",
    "remark_missing": "the exhibit has no 摄录内容",
    "item_unnamed": "the exhibit's annotation names no recording item",
    "item_missing": "the item had to be recorded and is not",
    "gap_unexplained": "footage of the activity has a gap without a reason",
    "activity_unstated": "start and end of what is recorded in full are not stated",
    "element_missing": "something that the item demands is not on record",
    "argument_missing": "the footage is off the list and has no 合法性论证",
    "verification_failed": "the sealed file does not verify",
    "not_verified": "the file came while the others were verified: ask again",
    "attribution_blocked": "the clip is blocked until somebody says whose it is",
}
"""Code -> what it means."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One thing that stands against archiving."""

    code: str
    about: JsonObject = field(default_factory=dict)

    def as_json(self) -> JsonObject:
        """Return the reason for people and programs."""
        return {"code": self.code, "means": REASONS[self.code], **self.about}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What has to be found out beside the case itself.

    Attributes:
        numbers: Every exhibit number that was ever given, in order.
        awaited: Files that docks saw on recorders while the case was recorded, and that never came.
        verified: What verification has against each sealed file, by its id; empty for one that holds.
        blocked: Clips that are blocked until somebody says whose they are.
    """

    numbers: Sequence[int] = ()
    awaited: Sequence[JsonObject] = ()
    verified: Mapping[UUID, Sequence[str]] = field(default_factory=dict)
    blocked: frozenset[UUID] = frozenset()


def reasons_against(
    *, dossier: Dossier, footage: Sequence[ExhibitFootage], found: Coverage, outside: Outside, has_list: bool
) -> list[Reason]:
    """Return everything that stands against archiving a case; an empty list when nothing does."""
    return [
        *_of_case(dossier, outside),
        *_of_exhibits(footage, outside, has_list=has_list),
        *_of_documents(dossier, outside),
        *_of_coverage(found),
    ]


def _of_case(dossier: Dossier, outside: Outside) -> Iterator[Reason]:
    if dossier.concluded_on is None:
        yield Reason(code="not_concluded")
    if list(outside.numbers) != list(range(1, len(outside.numbers) + 1)):
        yield Reason(code="not_numbered", about={"numbers": list(outside.numbers)[:100]})
    for file in outside.awaited:
        yield Reason(code="not_ingested", about=file)


def _of_exhibits(footage: Sequence[ExhibitFootage], outside: Outside, *, has_list: bool) -> Iterator[Reason]:
    for one in footage:
        about: JsonObject = {"exhibit": one.exhibit, "clip": str(one.clip)}
        if not one.remark or not one.remark.strip():
            yield Reason(code="remark_missing", about=about)
        if has_list and one.item is None:
            yield Reason(code="item_unnamed", about=about)
        if one.clip in outside.blocked:
            yield Reason(code="attribution_blocked", about=about)
        yield from _of_verification(one.clip, outside, about)


def _of_documents(dossier: Dossier, outside: Outside) -> Iterator[Reason]:
    for said in dossier.documents:
        yield from _of_verification(said.document, outside, {"document": str(said.document), "title": said.title})


def _of_verification(file: UUID, outside: Outside, about: JsonObject) -> Iterator[Reason]:
    faults = outside.verified.get(file)
    if faults is None:
        yield Reason(code="not_verified", about=about)
    elif faults:
        yield Reason(code="verification_failed", about={**about, "codes": list(faults)})


def _of_coverage(found: Coverage) -> Iterator[Reason]:
    for one in found.items:
        about: JsonObject = {"item": one.item.key, "title": one.item.title}
        if one.state == MISSING:
            yield Reason(code="item_missing", about=about)
        if one.state == UNSTATED:
            yield Reason(code="activity_unstated", about=about)
        for gap in one.gaps if one.state == GAPS else ():
            if gap.reason is None:
                span: JsonObject = {"starts_at": format_time(gap.time.start), "ends_at": format_time(gap.time.end)}
                yield Reason(code="gap_unexplained", about={**about, **span, "seconds": ceil(gap.time.seconds)})
        for lack in one.elements_missing:
            yield Reason(
                code="element_missing", about={**about, "element": lack.element, "exhibits": list(lack.exhibits)}
            )
    for stray in found.off_list:
        if stray.argument is None:
            yield Reason(
                code="argument_missing",
                about={"exhibit": stray.exhibit, "clip": str(stray.clip), "item": stray.item},
            )
