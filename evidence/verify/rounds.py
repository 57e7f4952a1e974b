"""The legal review of a package's case, judged without the house that kept it (R32). Pure.

`data/review.receipts` holds, in the order of the log, the receipts of everything on record about the case's review, of
its decision and of what became of that, and of the keys and qualifications of whoever signed. Obligations, in order:

1. every receipt is that of an entry in the log of a believed checkpoint, the same for all, which commits to its payload
2. each is behind the one before it in the log; steps, keys, qualifications and revocations are numbered without a gap
3. all steps and the decision are of the case that the package says it is of
4. a declaration names this case and round, and the root that follows from the manifest it was submitted with (RFC 6962)
5. an opinion names this case, the last round, its submission and that root
6. both are by whoever the entry names, signed by the key that counted for them at that place of the log (Ed25519)
7. whoever wrote an opinion was qualified on that day in Beijing, and did not handle the review
8. a decision rests on the last opinion, an approval of the very root it names, and not by whoever approved; or it says
   that the rules asked for no review
9. a decision that does not stand as it was made is said to be

What nobody can see from here: whether the list ends too early, and whether a key or qualification was replaced between
the last one shown and a signature. The first is seen by whoever compares the package's list (`evidence.verify.bag`),
both by whoever reads the whole log. Who else worked on the case is not in here either; the audit compares it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta, timezone
from types import MappingProxyType
from typing import Final

from evidence.core.clock import format_time
from evidence.core.wire.case_manifest import manifest_root
from evidence.errors import WireMalformed
from evidence.verify.findings import finding
from evidence.verify.rounds_reading import Said, object_at, read_rounds, text_at
from ledger.canonical import JsonObject, canonical_json
from ledger.errors import CodedError
from ledger.findings import Finding
from ledger.keys import KeyType, PublicKey
from ledger.lexemes import parse_base64
from ledger.note import ed25519_verifies
from ledger.policy import Policy

REVIEW_NAME: Final = "review.receipts"
"""Below `data/` of a package: receipts of what is on record about the case's review."""

_BEIJING: Final = timezone(timedelta(hours=8))
_DECLARATION: Final = "shilu-review-declaration/1"
_OPINION: Final = "shilu-review-opinion/1"
_PERSON_KEY: Final = "shilu-person-key/1"
_EFFECTS: Final = MappingProxyType(
    {
        "revoked": "撤销",
        "changed": "变更",
        "unlawful": "确认违法",
        "invalid": "确认无效",
        "redone": "责令重新作出",
    }
)


def judge_rounds(raw: bytes, *, policy: Policy, subject: str, stated_case: str | None) -> list[Finding]:
    """Judge obligations 1 to 9.

    Args:
        raw: Bytes of `review.receipts`, at most one beyond `rounds_reading.REVIEW_BYTES_MAX`.
        policy: The log keys that are believed, and the witnesses they need.
        subject: What the findings are about.
        stated_case: Id of the case that the package itself says it is of; None where it says none.
    """
    said, found = read_rounds(raw, policy=policy, subject=subject)
    review = _Review(case=stated_case, subject=subject)
    for one in said:
        try:
            found += review.take(one)
        except (CodedError, ValueError) as error:
            reason = error.message if isinstance(error, CodedError) else "a value is not of its form"
            return [*found, finding("rounds.malformed", subject, reason=f"receipt {one.place}: {reason}")]
    return found


@dataclass(slots=True, kw_only=True)
class _Round:
    """A submission, and the opinion on it once there is one; `holds` until something is wrong with it."""

    number: int
    root: str
    submission: str
    holds: bool
    opinion: Said | None = None


@dataclass(slots=True, kw_only=True)
class _Review:
    """What is known of a review up to a place of the log."""

    case: str | None
    subject: str
    keys: dict[str, list[str]] = field(default_factory=dict)
    qualified: dict[str, list[JsonObject]] = field(default_factory=dict)
    handlers: set[str] = field(default_factory=set)
    steps: int = 0
    round: _Round | None = None
    decision: str | None = None
    revocations: int = 0

    def take(self, said: Said) -> Iterator[Finding]:
        """Judge the next receipt of the list.

        Raises:
            WireMalformed, LedgerError, ValueError: Its payload is not of the form of its kind.
        """
        kind = said.entry.type
        judged = _PERSONS.get(kind) or _OF_CASE.get(kind)
        if judged is None and not kind.startswith("review."):
            yield self._finding("rounds.strange", said)
            return
        if kind not in _PERSONS:
            if said.content.get("case") != self.case or said.entry.subject != f"case:{self.case}":
                yield self._finding("rounds.other_case", said)
                return
            if kind.startswith("review."):
                yield from self._counted(said, said.content.get("step"), after=self.steps, what="step")
                self.steps += 1
            if kind in {"review.resumed", "review.disagreed"}:
                self.handlers.add(said.entry.actor)
        if judged is not None:
            yield from judged(self, said)

    def key_stated(self, said: Said) -> Iterator[Finding]:
        """Take a person's key, which they signed with that very key."""
        staff, key = text_at(said.content, "staff"), text_at(said.content, "key")
        known = self.keys.setdefault(f"staff:{staff}", [])
        yield from self._counted(said, said.content.get("number"), after=len(known), what=f"key of staff:{staff}")
        text: JsonObject = {"format": _PERSON_KEY, "key": key, "staff": staff}
        is_theirs = said.entry.actor == f"staff:{staff}" and _signed(text, key, text_at(said.content, "proof"))
        # What is not theirs keeps its number, and nothing is signed by it.
        known.append(key if is_theirs else "")
        if not is_theirs:
            yield self._finding("rounds.signature_invalid", said, by=f"staff:{staff}")

    def qualification_stated(self, said: Said) -> Iterator[Finding]:
        """Take what qualifies a person, which somebody else said."""
        person = f"staff:{text_at(said.content, 'staff')}"
        known = self.qualified.setdefault(person, [])
        number = said.content.get("number")
        yield from self._counted(said, number, after=len(known), what=f"qualification of {person}")
        known.append(said.content if said.entry.actor != person else {})
        if said.entry.actor == person:
            yield self._finding("rounds.same_person", said, by=person)

    def submitted(self, said: Said) -> Iterator[Finding]:
        """Open the next round."""
        statement, manifest = object_at(said.content, "statement"), object_at(said.content, "manifest")
        number = 1 if self.round is None else self.round.number + 1
        root = manifest_root(manifest).hex()
        faults = list(self._statement(said, statement, form=_DECLARATION, number=number, root=root))
        if manifest.get("case") != self.case:
            faults.append(self._finding("rounds.other_round", said, round=number))
        self.handlers.add(said.entry.actor)
        self.round = _Round(number=number, root=root, submission=str(said.entry.id), holds=not faults)
        at = format_time(said.entry.at)
        told = self._finding("rounds.declared", said, round=number, by=said.entry.actor, root=root, at=at)
        yield from faults or [told]

    def opined(self, said: Said) -> Iterator[Finding]:
        """Close the last round."""
        current, statement, by = self.round, object_at(said.content, "statement"), said.entry.actor
        if current is None or current.opinion is not None:
            yield self._finding("rounds.entry_missing", said, missing="submission")
            return
        faults = list(self._statement(said, statement, form=_OPINION, number=current.number, root=current.root))
        if statement.get("submission") != current.submission:
            faults.append(self._finding("rounds.other_round", said, round=current.number))
        if by in self.handlers:
            faults.append(self._finding("rounds.same_person", said, by=by))
        day = said.entry.at.astimezone(_BEIJING).date().isoformat()
        last = (self.qualified.get(by) or [{}])[-1]
        until = last.get("valid_until")
        # Days of one form are in order as texts are.
        if not str(last.get("valid_from", "~")) <= day <= str(until or ""):
            faults.append(self._finding("rounds.not_qualified", said, round=current.number, by=by, day=day))
        current.opinion, current.holds = said, current.holds and not faults
        code = "rounds.approved" if statement.get("conclusion") == "approve" else "rounds.objected"
        number = text_at(said.content, "number")
        told = self._finding(code, said, round=current.number, by=by, until=until, number=number)
        yield from faults or [told]

    def decided(self, said: Said) -> Iterator[Finding]:
        """Judge what the decision rests on."""
        number, approval = text_at(said.content, "number"), said.content.get("approval")
        if self.decision is not None:
            yield self._finding("rounds.strange", said)
            return
        self.decision = text_at(said.content, "decision")
        if approval is None and object_at(said.content, "scope").get("in_scope") is False:
            yield self._finding("rounds.decided_unreviewed", said, number=number)
            return
        current = self.round
        opinion = None if current is None else current.opinion
        if current is None or opinion is None or not _stands_on(said.content, current, opinion):
            yield self._finding("rounds.decision_unapproved", said, number=number)
        elif opinion.entry.actor == said.entry.actor:
            yield self._finding("rounds.same_person", said, by=said.entry.actor)
        else:
            named = text_at(opinion.content, "number")
            yield self._finding("rounds.decided", said, number=number, opinion=named)

    def revoked(self, said: Said) -> Iterator[Finding]:
        """Tell that the decision does not stand as it was made."""
        yield from self._counted(said, said.content.get("number"), after=self.revocations, what="revocation")
        self.revocations += 1
        if self.decision is None or said.content.get("decision") != self.decision:
            yield self._finding("rounds.entry_missing", said, missing="decision")
        effect = text_at(said.content, "effect")
        about = {name: text_at(said.content, name) for name in ("document", "authority", "on")}
        yield self._finding("rounds.revoked", said, effect=effect, effect_zh=_EFFECTS.get(effect, effect), **about)

    def _statement(self, said: Said, statement: JsonObject, *, form: str, number: int, root: str) -> Iterator[Finding]:
        """Judge what is signed: the round it names, its root, and by whom it is."""
        expected = {"format": form, "case": self.case, "round": number}
        if any(statement.get(name) != value for name, value in expected.items()):
            yield self._finding("rounds.other_round", said, round=number)
        if statement.get("root") != root:
            yield self._finding("rounds.root_differs", said, round=number)
        by, key = said.entry.actor, text_at(said.content, "key")
        counting = self.keys.get(by, [])[-1:]
        is_theirs = by == f"staff:{text_at(statement, 'by')}" and counting == [key]
        if not is_theirs or not _signed(statement, key, text_at(said.content, "signature")):
            yield self._finding("rounds.signature_invalid", said, by=by)

    def _counted(self, said: Said, number: object, *, after: int, what: str) -> Iterator[Finding]:
        if type(number) is not int or number != after + 1:
            yield self._finding("rounds.entry_missing", said, missing=f"{what} {after + 1}")

    def _finding(self, code: str, said: Said, **details: object) -> Finding:
        return finding(code, self.subject, **{"place": said.place, "type": said.entry.type, **details})


def _stands_on(decision: JsonObject, current: _Round, opinion: Said) -> bool:
    conclusion = object_at(opinion.content, "statement").get("conclusion")
    is_named = decision.get("approval") == str(opinion.entry.id) and decision.get("root") == current.root
    return current.holds and is_named and conclusion == "approve"


def _signed(statement: JsonObject, key: str, signature: str) -> bool:
    """Tell whether a signature is by a key over the canonical JSON of a statement; both are base64.

    Raises:
        ValueError: One of them is not.
    """
    public = parse_base64(key)
    if len(public) != 32:
        raise WireMalformed("a key is not of 32 bytes")
    return ed25519_verifies(
        PublicKey("person", KeyType.ED25519, public), canonical_json(statement), parse_base64(signature)
    )


_PERSONS: Final[Mapping[str, Callable[[_Review, Said], Iterator[Finding]]]] = MappingProxyType(
    {"person.key_stated": _Review.key_stated, "reviewer.qualified": _Review.qualification_stated}
)
_OF_CASE: Final[Mapping[str, Callable[[_Review, Said], Iterator[Finding]]]] = MappingProxyType(
    {
        "review.submitted": _Review.submitted,
        "review.opined": _Review.opined,
        "case.decided": _Review.decided,
        "decision.revoked": _Review.revoked,
    }
)
