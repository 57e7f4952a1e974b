"""JSON about legal review and decisions."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from api.bodies import RequestModel
from api.models.common import Digest, Page, ResponseModel, Time
from evidence.cases.cases import NUMBER_CHARS_MAX
from evidence.clips.parts import Line, Remark
from evidence.custody.review_payloads import Basis, Effect
from evidence.review.rules import FactName, Material, ReviewRules, Row
from evidence.review.statements import Declaration, Opinion, PublicKeyBytes, SignatureBytes

_ID = "0195a000-0000-7000-8000-000000000001"
_ROOT = "ab" * 32
_SIGNATURE = "A" * 86 + "=="
_DAY = Annotated[date, Field(strict=False)]
_Person = Annotated[UUID, Field(strict=False)]


def _example(**body: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [body]})


class AdoptRules(RequestModel):
    """Somebody adopts a version of an agency's rules of review."""

    model_config = _example(
        effective_from="2026-12-01",
        rules={
            "agency": "某市生态环境局",
            "title": "重大执法决定法制审核目录清单",
            "source": "某环发〔2026〕2号",
            "quote": "未经法制审核或者审核未通过的，不得作出决定",
            "triggers": [{"key": "hearing", "fact": "hearing_held", "source": "第五条", "quote": "经过听证程序"}],
            "checklist": [{"key": "facts", "title": "事实认定", "source": "第六条", "quote": "事实认定"}],
        },
    )

    effective_from: _DAY
    rules: ReviewRules


class ReviewRulesItem(ResponseModel):
    """A version of an agency's rules."""

    rules: UUID
    agency: str
    version: int
    effective_from: date
    content: ReviewRules
    adopted_by: str
    adopted_at: Time
    entry: UUID


class ReviewRulesItems(Page[ReviewRulesItem]):
    """Versions of all agencies, the one adopted last first."""


class StateKey(RequestModel):
    """Somebody states the key they sign with."""

    model_config = _example(key="A" * 43 + "=", proof=_SIGNATURE)

    key: PublicKeyBytes = Field(description="Ed25519, 32 bytes in base64")
    proof: SignatureBytes = Field(
        description='By that key over canonical JSON `{"format":"shilu-person-key/1","key":...,"staff":...}`, base64'
    )


class Qualify(RequestModel):
    """Somebody says what qualifies a person to review."""

    model_config = _example(
        staff=_ID, certificate="A20201301010001", valid_from="2026-01-01", valid_until="2028-12-31", source="聘任文件"
    )

    staff: _Person
    certificate: Line = Field(description="Number of the 法律职业资格证书, or what else qualifies them")
    valid_from: _DAY
    valid_until: _DAY = Field(description="The last day; one in the past ends it")
    source: Line = Field(description="Where it is written")


class QualificationItem(ResponseModel):
    """What qualifies a person."""

    staff: UUID
    certificate: str
    valid_from: date
    valid_until: date
    source: str
    stated_by: str
    stated_at: Time
    entry: UUID


class QualificationItems(Page[QualificationItem]):
    """What was stated of all reviewers, the newest first."""


class SubmitCase(RequestModel):
    """A handler submits a case to review: the declaration, and the signature over its canonical JSON."""

    model_config = _example(
        statement={
            "format": "shilu-review-declaration/1",
            "case": _ID,
            "round": 1,
            "root": _ROOT,
            "rules": _ID,
            "by": _ID,
            "materials": [{"key": "report", "note": "见案卷第3页"}],
            "answers": [],
            "declares": "对送审材料的真实性、准确性、完整性负责",
        },
        signature=_SIGNATURE,
    )

    statement: Declaration
    signature: SignatureBytes


class GiveOpinion(RequestModel):
    """A reviewer gives an opinion: the statement, and the signature over its canonical JSON."""

    model_config = _example(
        statement={
            "format": "shilu-review-opinion/1",
            "case": _ID,
            "round": 1,
            "root": _ROOT,
            "submission": _ID,
            "by": _ID,
            "conclusion": "approve",
            "rows": [{"row": "facts", "verdict": "ok", "note": "事实清楚", "evidence": ["1"]}],
            "problems": [],
        },
        signature=_SIGNATURE,
    )

    statement: Opinion
    signature: SignatureBytes


class OpinionMade(ResponseModel):
    """An opinion is on record under its number."""

    number: str
    entry: UUID


class AskSupplement(RequestModel):
    """A reviewer asks for supplements."""

    request: Remark


class AnswerSupplement(RequestModel):
    """A handler answers in words; what changes evidence is submitted again."""

    answer: Remark


class Disagree(RequestModel):
    """A handler holds another position than the opinion."""

    model_config = _example(position="事实已查清，见证据3", coordinator=_ID)

    position: Remark
    coordinator: _Person = Field(description="Who coordinates: neither worked on the case nor gave the opinion")


class Coordinate(RequestModel):
    """The outcome of a coordination."""

    outcome: Literal["uphold", "reopen"] = Field(description="The opinion stands, or need not be answered")
    minutes: Remark
    reason: Remark


class CorrectFact(RequestModel):
    """A reviewer says that what was stated of a fact was a mistake."""

    fact: FactName
    value: bool | int | str | None = Field(None, description="What is right; null when it is not known")
    reason: Remark


class Transfer(RequestModel):
    """A case was transferred to the judiciary."""

    opinion: _Person = Field(description="Entry of the opinion that demands it")
    to: Line
    number: Line | None = None
    note: Remark | None = None


class ScopeItem(ResponseModel):
    """Whether the decision needs a review."""

    in_scope: bool
    rule: str | None
    source: str
    because: str


class ReviewPauseItem(ResponseModel):
    """From when to when the clock stands still."""

    starts_at: Time
    ends_at: Time | None


class RoundItem(ResponseModel):
    """One round; statements, keys and signatures as they stand on record."""

    round: int
    root: Digest
    submission: UUID = Field(description="Entry of the submission")
    submitted_by: str
    submitted_at: Time
    declaration: dict[str, Any] = Field(description="`statement`, `key` and `signature`")
    opinion: dict[str, Any] | None = Field(description="`entry`, `number`, `by`, `at`, `statement`, `key`, `signature`")
    pauses: list[ReviewPauseItem]
    disagreement: dict[str, Any] | None
    coordination: dict[str, Any] | None
    changes: list[dict[str, Any]] = Field(description="Against the round before")


class RoundPage(RoundItem):
    """One round, whole: with the manifest its root is made over, and the receipts of its entries."""

    manifest: dict[str, Any]
    receipts: list[str] = Field(description="Of the submission and of the opinion, as far as they are published")


class DecideCase(RequestModel):
    """Somebody decides a case."""

    model_config = _example(number="某环罚〔2026〕1号", summary="罚款人民币十万元")

    number: str = Field(min_length=1, max_length=NUMBER_CHARS_MAX, description="文号")
    summary: Remark


class RevokeDecision(RequestModel):
    """Somebody says what became of a decision after reconsideration, litigation, supervision or by own correction."""

    model_config = _example(
        effect="revoked",
        basis="reconsideration",
        document="某府复决〔2026〕3号",
        authority="某市人民政府",
        on="2026-11-20",
        reason="主要事实不清、证据不足",
    )

    effect: Effect = Field(description="撤销, 变更, 确认违法, 确认无效, 责令重新作出")
    basis: Basis = Field(description="行政复议, 行政诉讼, 上级或者监督机关, 自行纠正")
    document: Line = Field(description="文书号 of what says so")
    authority: Line = Field(description="Who issued it")
    on: _DAY = Field(description="Day it took effect; the term of withdrawal runs from it")
    reason: Remark


class RevocationItem(ResponseModel):
    """What became of a decision."""

    number: int
    effect: str
    basis: str
    document: str
    authority: str
    on: date
    reason: str
    stated_by: str
    stated_at: Time
    entry: UUID


class DecisionItem(ResponseModel):
    """A decision."""

    decision: UUID
    case: UUID
    number: str
    kind: str | None
    summary: str
    rules: UUID
    scope: ScopeItem
    root: Digest
    approval: UUID | None = Field(description="Entry of the opinion it rests on; null where none was needed")
    decided_by: str
    decided_at: Time
    entry: UUID
    revocations: list[RevocationItem] = Field(description="What became of it, the oldest first; empty while it stands")


class ReviewPage(ResponseModel):
    """A case in its review, and everything that the next step needs."""

    case: UUID
    state: str
    scope: ScopeItem
    facts: dict[str, list[bool | int | str]] = Field(description="Every value of each fact that counts")
    rules: UUID
    rules_version: int
    limit_working_days: int | None
    next_round: int
    root: Digest = Field(description="Over the evidence as it stands")
    may_be_decided: bool
    obstacles: list[dict[str, Any]] = Field(description="What stands against a decision")
    changes: list[dict[str, Any]] = Field(description="What changed since the last submission")
    against_submission: list[dict[str, Any]] = Field(description="What of the evidence stands against submitting")
    owed: list[int] = Field(description="Problems that the next submission has to answer")
    checklist: list[Row]
    materials: list[Material]
    rounds: list[RoundItem]
    transfers: list[UUID] = Field(description="Entries of opinions whose transfer (移送) is not done")
    decision: DecisionItem | None
