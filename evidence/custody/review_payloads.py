"""Payloads of entries about legal review and decisions; same rules as in `payloads`.

What is signed stands in them whole, as `statement`, with the key and the signature over its canonical JSON.
"""

from __future__ import annotations

from typing import Literal

from evidence.cases.statements import Day
from evidence.clips.parts import Key, Line, Part, Remark
from evidence.custody.payloads import Digest, Id, Name, Ordinal, Payload
from evidence.review.rules import FactName, ReviewRules
from evidence.review.statements import Declaration, Opinion, PublicKeyBytes, SignatureBytes

Effect = Literal["revoked", "changed", "unlawful", "invalid", "redone"]
"""What became of a decision: 撤销, 变更, 确认违法, 确认无效, 责令重新作出."""

Basis = Literal["reconsideration", "litigation", "supervision", "own_correction"]
"""What it follows from: 行政复议, 行政诉讼, 上级或者监督机关, 自行纠正."""


class RulesAdopted(Payload):
    """A version of an agency's rules of review, whole; in force from its day on until the next version's."""

    rules: Id
    agency: Name
    version: Ordinal
    effective_from: Day
    content: ReviewRules


class PersonKeyStated(Payload):
    """A person's signing key, the newest counts; `proof` is their signature by it over `shilu-person-key/1`."""

    staff: Id
    number: Ordinal
    key: PublicKeyBytes
    proof: SignatureBytes


class ReviewerQualified(Payload):
    """A person may review from a day to a day, both included; the newest statement counts (R33)."""

    staff: Id
    number: Ordinal
    certificate: Line
    valid_from: Day
    valid_until: Day
    source: Line


class _Step(Payload):
    """One step of a case's review, by its number in the case."""

    case: Id
    step: Ordinal


class ReviewSubmitted(_Step):
    """A handler submits the case as it stands: its manifest, and the signed declaration over the root."""

    statement: Declaration
    manifest: dict[str, object]
    key: PublicKeyBytes
    signature: SignatureBytes


class ReviewPaused(_Step):
    """The reviewer asks for supplements; the clock stands still."""

    request: Remark


class ReviewResumed(_Step):
    """The handler has answered in words; the clock goes on."""

    answer: Remark


class ReviewOpined(_Step):
    """A written opinion, signed, under a number without gaps in its year."""

    number: Line
    year: Ordinal
    sequence: Ordinal
    statement: Opinion
    key: PublicKeyBytes
    signature: SignatureBytes


class ReviewDisagreed(_Step):
    """The handler's position against an opinion, and who coordinates (协调)."""

    position: Remark
    coordinator: Id


class ReviewCoordinated(_Step):
    """What came of the coordination: the opinion stands, or the case may be submitted without answering it."""

    outcome: Literal["uphold", "reopen"]
    minutes: Remark
    reason: Remark


class ReviewCorrected(_Step):
    """What was stated of a fact up to a version of the case was a mistake; `value` is right, null when unknown."""

    fact: FactName
    upto: Ordinal
    value: bool | int | str | None
    reason: Remark


class ReviewTransferred(_Step):
    """A case that an opinion finds criminal has been transferred (移送)."""

    opinion: Id
    to: Line
    number: Line | None = None
    note: Remark | None = None


class ScopeFound(Part):
    """Whether the decision needed a review, and what says so."""

    in_scope: bool
    rule: str | None = None
    source: str
    because: str


class CaseDecided(Payload):
    """The decision of a case (行政执法决定): its number, the evidence root, and the approval that it rests on.

    `approval` is the entry of the opinion; null where the rules say that none is needed.
    """

    case: Id
    decision: Id
    number: Name
    kind: Key | None = None
    summary: Remark
    rules: Id
    scope: ScopeFound
    root: Digest
    approval: Id | None = None


class DecisionRevoked(Payload):
    """A decision does not stand as it was made any more (撤销, 变更, 确认违法 ...); it stays on record (R36).

    `document` is the number of the paper that says so, `authority` who issued it, `on` the day it took effect.
    """

    case: Id
    decision: Id
    number: Ordinal
    effect: Effect
    basis: Basis
    document: Line
    authority: Line
    on: Day
    reason: Remark
