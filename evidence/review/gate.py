"""The gate before a decision (R25): what stands against deciding a case now. Pure.

An approval is never marked as void: whether one counts is computed, every time, from the evidence as it stands.

1. Out of scope: nothing stands against a decision, whatever was submitted.
2. The last round has an opinion, and it is 同意.
3. The opinion and the declaration name the root of the submission, and the submission's manifest has that root.
4. Both are signed by the keys that their signers had on record.
5. The case's root now is that root.

The caller holds every lock that lets the evidence change, from computing the root to the commit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from evidence.core.wire.case_manifest import manifest_root
from evidence.errors import WireMalformed
from evidence.review.difference import manifest_difference
from evidence.review.machine import Review, Round, State, Step
from evidence.review.rules import Scope
from evidence.review.statements import signature_holds
from ledger.canonical import JsonObject
from ledger.lexemes import parse_base64

OBSTACLES: Mapping[str, str] = MappingProxyType(
    {
        "never_submitted": "the case is in scope of legal review and was never submitted (未经法制审核)",
        "under_review": "the review has no opinion yet",
        "paused": "the review waits for supplements",
        "returned": "the last opinion is 存在问题 (审核未通过)",
        "coordinating": "the disagreement is being coordinated (协调中)",
        "reopened": "the disagreement was settled, and the case was not submitted again",
        "evidence_changed": "the evidence is not what was approved; the approval does not count any more",
        "root_differs": "opinion, declaration and submission do not name one root",
        "signature_invalid": "a signature is not by the key of the person it names",
    }
)
"""Code -> what stands against a decision."""

_BY_STATE = {
    State.NOT_SUBMITTED: "never_submitted",
    State.UNDER_REVIEW: "under_review",
    State.PAUSED: "paused",
    State.RETURNED: "returned",
    State.COORDINATING: "coordinating",
    State.REOPENED: "reopened",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a case may be decided now.

    Attributes:
        obstacles: What stands against it, each with a code of `OBSTACLES`.
        approval: The round whose approval counts; None where none does, or none is needed.
        changes: What changed since the last submission.
    """

    obstacles: Sequence[JsonObject]
    approval: Round | None
    changes: Sequence[JsonObject]

    @property
    def is_open(self) -> bool:
        """Whether nothing stands against a decision."""
        return not self.obstacles


def judge(
    *, scope: Scope, review: Review, manifest: JsonObject, root: bytes, keys: Mapping[str, Sequence[bytes]]
) -> Verdict:
    """Say whether a case may be decided now.

    Args:
        manifest, root: The case's evidence as it stands.
        keys: Keys that persons had on record, by `staff:<uuid>`.
    """
    current = review.round
    changes = () if current is None else manifest_difference(current.submission.content["manifest"], manifest)
    if not scope.in_scope:
        return Verdict(obstacles=(), approval=None, changes=changes)
    code = _BY_STATE.get(review.state)
    if code is not None or current is None:
        return Verdict(obstacles=(_obstacle(code or "never_submitted"),), approval=None, changes=changes)
    found: list[JsonObject] = [_obstacle(fault) for fault in faults_of(current, keys)]
    if root != current.root:
        found.append({**_obstacle("evidence_changed"), "approved": current.root.hex(), "now": root.hex()})
    return Verdict(obstacles=tuple(found), approval=None if found else current, changes=changes)


def faults_of(one: Round, keys: Mapping[str, Sequence[bytes]]) -> list[str]:
    """Return what is wrong with the roots and signatures of a round: codes of `OBSTACLES`."""
    signed = [step for step in (one.submission, one.opinion) if step is not None]
    faults = []
    if any(step.content["statement"]["root"] != one.root.hex() for step in signed) or not _has_root(one):
        faults.append("root_differs")
    if not all(_is_signed(step, keys) for step in signed):
        faults.append("signature_invalid")
    return faults


def _has_root(one: Round) -> bool:
    try:
        return manifest_root(one.submission.content["manifest"]) == one.root
    except WireMalformed:
        return False


def _is_signed(step: Step, keys: Mapping[str, Sequence[bytes]]) -> bool:
    statement, key = step.content["statement"], parse_base64(step.content["key"])
    if step.stated_by != f"staff:{statement['by']}" or key not in keys.get(step.stated_by, ()):
        return False
    return signature_holds(statement, key=key, signature=parse_base64(step.content["signature"]))


def _obstacle(code: str) -> JsonObject:
    return {"code": code, "means": OBSTACLES[code]}
